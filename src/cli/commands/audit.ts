import type { Command } from "commander";
import { count } from "../client/options.ts";
import { firstOf } from "../client/pages.ts";
import { openSession } from "../client/session.ts";

/** What the command line looks at of a change. */
interface Change {
  readonly actor: { readonly name: string };
  readonly target: { readonly id: string; readonly name: string };
}

interface AuditFlags {
  readonly app?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly limit: number;
}

/** `picloud audit`: who changed what. */
export function define(command: Command): void {
  command
    .option("--app <app>", "only what concerns this app, by slug or id")
    .option("--actor <user>", "only what this user did, by name or id")
    .option("--action <action>", "only this action, such as script.update, or all of a noun, such as script")
    .option("--limit <n>", "at most so many", count, 50)
    .action(async (flags: AuditFlags, self: Command) => {
      const { api, print } = openSession(self);
      const query = new URLSearchParams();
      for (const name of ["app", "actor", "action"] as const) {
        const value = flags[name];
        if (value !== undefined) query.set(name, value);
      }
      const changes = await firstOf<Change>(api, `/audit${query.size === 0 ? "" : `?${query}`}`, flags.limit);
      print.rows(
        ["created_at!", "actor", "action!", "target", "changed", "address?", "target_id?", "id?"],
        changes.map((change) => ({
          ...change,
          actor: change.actor.name,
          target: change.target.name,
          target_id: change.target.id,
        })),
      );
    });
}
