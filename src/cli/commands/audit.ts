import type { Command } from "commander";
import { appId } from "../client/names.ts";
import { count } from "../client/options.ts";
import { firstOf } from "../client/pages.ts";
import { openSession } from "../client/session.ts";

interface AuditFlags {
  readonly app?: string;
  readonly actor?: string;
  readonly limit: number;
}

/** `picloud audit`: who changed what. */
export function define(command: Command): void {
  command
    .option("--app <app>", "only what concerns this app, by slug or id")
    .option("--actor <user>", "only what this user did, by id")
    .option("--limit <n>", "at most so many", count, 50)
    .action(async (flags: AuditFlags, self: Command) => {
      const { api, print } = openSession(self);
      const query = new URLSearchParams();
      if (flags.app !== undefined) query.set("app", await appId(api, flags.app));
      if (flags.actor !== undefined) query.set("actor", flags.actor);
      print.rows(
        ["created_at!", "actor_name", "action!", "target_kind", "target_name", "changed", "address?"],
        await firstOf<object>(api, `/audit${query.size === 0 ? "" : `?${query}`}`, flags.limit),
      );
    });
}
