import { Option, type Command } from "commander";
import { path, type Api } from "../client/api.ts";
import { scriptId } from "../client/names.ts";
import { appCommand, count, type AppFlag } from "../client/options.ts";
import { firstOf } from "../client/pages.ts";
import { openSession } from "../client/session.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

/** Which letters are meant. */
interface FilterFlags extends AppFlag {
  readonly source?: string;
  readonly trigger?: string;
  readonly script?: string;
}

interface ListFlags extends FilterFlags {
  readonly all?: boolean;
  readonly limit: number;
}

interface ReplayFlags extends FilterFlags {
  readonly all?: boolean;
}

interface Replayed {
  readonly replayed: number;
  readonly remaining: number;
}

const COLUMNS = ["created_at!", "source", "op", "attempt_count", "resolution?", "last_error", "id!"];

/** `picloud dead-letters`: deliveries that failed for the last time. */
export function define(command: Command): void {
  filters(appCommand(command, "ls", "list deliveries that failed for the last time, newest first"))
    .option("--all", "those too that are dealt with")
    .option("--limit <n>", "at most so many", count, 50)
    .action(async (flags: ListFlags, self: Command) => {
      const { api, print } = openSession(self);
      const unresolved = String(flags.all !== true);
      const query = new URLSearchParams({ unresolved, ...(await filterOf(api, flags)) });
      const target = `${path`/apps/${flags.app}/dead_letters`}?${query}`;
      print.rows(COLUMNS, await firstOf<object>(api, target, flags.limit));
    });
  appCommand(command, "show <letter>", "show a dead letter with its event").action(
    async (id: string, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      print.one(await api.get<object>(path`/apps/${flags.app}/dead_letters/${id}`));
    },
  );
  filters(appCommand(command, "replay [letter]", "deliver a dead letter again"))
    .option("--all", "all that nobody has dealt with, as far as --source, --trigger and --script mean them")
    .action(async (id: string | undefined, flags: ReplayFlags, self: Command) => {
      const { api, print } = openSession(self);
      if ((id === undefined) !== (flags.all === true))
        throw new CommandError("Name a dead letter by its id, or say --all.", EXIT.usage);
      const filter = await filterOf(api, flags);
      if (id !== undefined) {
        if (Object.keys(filter).length > 0)
          throw usageError("--source, --trigger and --script go with --all.");
        print.rows(COLUMNS, [await api.post<object>(path`/apps/${flags.app}/dead_letters/${id}/replay`, {})]);
        return;
      }
      let replayed = 0;
      let last: Replayed;
      do {
        last = await api.post<Replayed>(path`/apps/${flags.app}/dead_letters:replay`, filter);
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

const filters = (command: Command): Command =>
  command
    .option("--source <kind>", "only those of this kind, such as kv or http")
    .option("--trigger <id>", "only those of this trigger, or of this asynchronous route")
    .option("--script <script>", "only those to this script");

/** As the API takes it. */
async function filterOf(api: Api, flags: FilterFlags): Promise<Readonly<Record<string, string>>> {
  const { app, source, trigger, script } = flags;
  return {
    ...(source !== undefined && { source }),
    ...(trigger !== undefined && { trigger_id: trigger }),
    ...(script !== undefined && { script_id: await scriptId(api, app, script) }),
  };
}
