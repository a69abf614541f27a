import { Option, type Command } from "commander";
import { path } from "../client/api.ts";
import { appCommand, count, type AppFlag } from "../client/options.ts";
import { firstOf } from "../client/pages.ts";
import { openSession } from "../client/session.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

interface ListFlags extends AppFlag {
  readonly all?: boolean;
  readonly limit: number;
}

interface ReplayFlags extends AppFlag {
  readonly all?: boolean;
}

interface Replayed {
  readonly replayed: number;
  readonly remaining: number;
}

const COLUMNS = ["created_at!", "source", "op", "attempt_count", "resolution?", "last_error", "id!"];

/** `picloud dead-letters`: deliveries that failed for the last time. */
export function define(command: Command): void {
  appCommand(command, "ls", "list deliveries that failed for the last time, newest first")
    .option("--all", "those too that are dealt with")
    .option("--limit <n>", "at most so many", count, 50)
    .action(async (flags: ListFlags, self: Command) => {
      const { api, print } = openSession(self);
      const target = path`/apps/${flags.app}/dead_letters?unresolved=${String(flags.all !== true)}`;
      print.rows(COLUMNS, await firstOf<object>(api, target, flags.limit));
    });
  appCommand(command, "show <letter>", "show a dead letter with its event").action(
    async (id: string, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      print.one(await api.get<object>(path`/apps/${flags.app}/dead_letters/${id}`));
    },
  );
  appCommand(command, "replay [letter]", "deliver a dead letter again")
    .option("--all", "all that nobody has dealt with")
    .action(async (id: string | undefined, flags: ReplayFlags, self: Command) => {
      const { api, print } = openSession(self);
      if ((id === undefined) !== (flags.all === true))
        throw new CommandError("Name a dead letter by its id, or say --all.", EXIT.usage);
      if (id !== undefined) {
        print.rows(COLUMNS, [await api.post<object>(path`/apps/${flags.app}/dead_letters/${id}/replay`, {})]);
        return;
      }
      let replayed = 0;
      let last: Replayed;
      do {
        last = await api.post<Replayed>(path`/apps/${flags.app}/dead_letters:replay`, {});
        replayed += last.replayed;
      } while (last.remaining > 0 && last.replayed > 0);
      print.one({ replayed });
    });
  appCommand(command, "resolve <letter>", "mark a dead letter as dealt with")
    .addOption(
      new Option("--reason <reason>", "what became of it")
        .choices(["ignored", "replayed", "handled_by_script", "handler_failed"])
        .default("ignored"),
    )
    .action(async (id: string, flags: AppFlag & { readonly reason: string }, self: Command) => {
      const { api, print } = openSession(self);
      const letter = await api.post<object>(path`/apps/${flags.app}/dead_letters/${id}/resolve`, {
        reason: flags.reason,
      });
      print.rows(COLUMNS, [letter]);
    });
}
