import type { Command } from "commander";
import { ADMIN, path, type Api } from "../client/api.ts";
import { scriptId, scriptNamed, type Script } from "../client/names.ts";
import { count, type AppFlag } from "../client/options.ts";
import { firstOf } from "../client/pages.ts";
import { openSession } from "../client/session.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

interface Version {
  readonly version: number;
  readonly live: boolean;
}

export const define = defineVersions;

/** `picloud versions SCRIPT`. */
export function defineVersions(command: Command): void {
  command
    .description("list the versions of a script, newest first")
    .argument("<script>", "its name in the app, or its id")
    .option("--app <app>", "the app, by slug or id", "default")
    .option("--limit <n>", "at most so many", count, 50)
    .action(async (script: string, flags: AppFlag & { readonly limit: number }, self: Command) => {
      const { api, print } = openSession(self);
      const id = await scriptId(api, flags.app, script);
      print.rows(
        ["version", "live", "message", "created_at!", "source_sha256?", "author_id?"],
        await versionsOf(api, id, flags.limit),
      );
    });
}

/** `picloud rollback SCRIPT [VERSION]`. */
export function defineRollback(command: Command): void {
  command
    .description("make an older version of a script the live one again; the next request runs it")
    .argument("<script>", "its name in the app, or its id")
    .argument("[version]", "the version (default: the one before the live one)", count)
    .option("--app <app>", "the app, by slug or id", "default")
    .action(async (name: string, wanted: number | undefined, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      const script = await scriptNamed(api, flags.app, name);
      const version = wanted ?? (await versionBefore(api, script));
      const now = await api.post<Script>(path`/scripts/${script.id}/versions/${version}:activate`);
      print.one({ name: now.name, version: now.version, before: script.version });
    });
}

/** `picloud diff SCRIPT FROM TO`. */
export function defineDiff(command: Command): void {
  command
    .description("show what changed between two versions of a script")
    .argument("<script>", "its name in the app, or its id")
    .argument("<from>", "the older version", count)
    .argument("<to>", "the newer version", count)
    .option("--app <app>", "the app, by slug or id", "default")
    .action(async (name: string, from: number, to: number, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      const id = await scriptId(api, flags.app, name);
      const answer = await api.send("GET", `${ADMIN}${path`/scripts/${id}/diff?from=${from}&to=${to}`}`);
      print.foreign(await answer.text());
    });
}

const versionsOf = (api: Api, id: string, limit: number): Promise<Version[]> =>
  firstOf<Version>(api, path`/scripts/${id}/versions`, limit);

async function versionBefore(api: Api, script: Script): Promise<number> {
  const versions = await versionsOf(api, script.id, Number.MAX_SAFE_INTEGER);
  const before = versions.map(({ version }) => version).filter((version) => version < script.version);
  if (before.length > 0) return Math.max(...before);
  throw new CommandError(`The script ${script.name} has no version before ${script.version}.`, EXIT.notFound);
}
