import type { Command } from "commander";
import { path } from "../client/api.ts";
import { theOne } from "../client/names.ts";
import { appCommand, type AppFlag } from "../client/options.ts";
import { openSession } from "../client/session.ts";

interface Domain {
  readonly id: string;
  readonly pattern: string;
}

const COLUMNS = ["pattern!", "shape", "created_at", "id?"];

/** `picloud domains`: hosts for which an app answers. */
export function define(command: Command): void {
  appCommand(command, "ls", "list the hosts that an app claims").action(
    async (flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(COLUMNS, await api.get<readonly Domain[]>(path`/apps/${flags.app}/domains`));
    },
  );
  appCommand(
    command,
    "add <pattern>",
    "claim a host: shop.example.com, *.example.com or {name}.example.com",
  ).action(async (pattern: string, flags: AppFlag, self: Command) => {
    const { api, print } = openSession(self);
    print.rows(COLUMNS, [await api.post<Domain>(path`/apps/${flags.app}/domains`, { pattern })]);
  });
  appCommand(command, "rm <pattern>", "give a claim up, by its pattern or id").action(
    async (wanted: string, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      const domains = await api.get<readonly Domain[]>(path`/apps/${flags.app}/domains`);
      const domain = theOne(domains, wanted, ({ pattern }) => pattern, "claim");
      await api.remove(path`/apps/${flags.app}/domains/${domain.id}`);
      print.note(`Gave up ${domain.pattern}.`);
    },
  );
}
