import type { Command } from "commander";
import { path } from "../client/api.ts";
import { appId, theOne } from "../client/names.ts";
import { collect } from "../client/options.ts";
import { openSession } from "../client/session.ts";
import { usageError } from "../command-error.ts";

interface Key {
  readonly id: string;
  readonly name: string;
  readonly raw_token?: string;
}

interface MintFlags {
  readonly name: string;
  readonly scope?: readonly string[];
  readonly app?: string;
  readonly expires?: string;
}

/** `picloud api-keys`: keys of the user who is signed in. */
export function define(command: Command): void {
  command
    .command("mint")
    .description("make a key and print its text, this once")
    .requiredOption("--name <name>", "what it is for")
    .option(
      "--scope <scope>",
      "script:read, script:write, route:write, domain:manage, log:read, app:admin or instance:admin; may be repeated",
      collect,
    )
    .option("--app <app>", "good for this app only, by slug or id")
    .option("--expires <when>", "a time such as 2030-01-31T00:00:00Z, or a span from now such as 12h, 30d")
    .action(async (flags: MintFlags, self: Command) => {
      if (flags.scope === undefined) throw usageError("A key needs at least one --scope.");
      const { api, print } = openSession(self);
      const key = await api.post<Key>("/api-keys", {
        name: flags.name,
        scopes: flags.scope,
        ...(flags.app !== undefined && { app_id: await appId(api, flags.app) }),
        ...(flags.expires !== undefined && { expires_at: instant(flags.expires, Date.now()) }),
      });
      print.one(key);
      print.note("Keep raw_token somewhere safe: it is not shown again.");
    });
  command
    .command("ls")
    .description("list your keys; their texts are never shown again")
    .action(async (_flags: object, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(
        ["name", "prefix!", "scopes", "app_id?", "created_at?", "last_used_at", "expires_at", "id?"],
        await api.get<readonly Key[]>("/api-keys"),
      );
    });
  command
    .command("rm <key>")
    .description("revoke a key, by name or id; it is of no use from then on")
    .action(async (wanted: string, _flags: object, self: Command) => {
      const { api, print } = openSession(self);
      const key = theOne(await api.get<readonly Key[]>("/api-keys"), wanted, ({ name }) => name, "API key");
      await api.remove(path`/api-keys/${key.id}`);
      print.note(`Revoked the API key ${key.name}.`);
    });
}

const HOUR = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };

/** @param now milliseconds since the epoch */
function instant(text: string, now: number): string {
  const [, amount, unit = ""] = /^([0-9]{1,5})([hdw])$/.exec(text) ?? [];
  const ms = amount === undefined ? Date.parse(text) : now + Number(amount) * (UNITS[unit] ?? HOUR);
  if (Number.isNaN(ms))
    throw usageError(`--expires "${text}" is neither a time (2030-01-31T00:00:00Z) nor a span (12h, 30d).`);
  return new Date(ms).toISOString();
}
