import type { Command } from "commander";
import { path, type Api } from "../client/api.ts";
import { openSession } from "../client/session.ts";
import { checkManifest } from "../apply/check.ts";
import { extraScripts, importersFirst } from "../apply/extra-scripts.ts";
import { MANIFEST, readManifest } from "../apply/manifest.ts";
import { planOf } from "../apply/plan.ts";
import { orNull, readRemote } from "../apply/remote.ts";
import type { ScriptIds, Step } from "../apply/step.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

interface ApplyFlags {
  readonly dryRun?: boolean;
  readonly prune?: boolean;
}

/** `picloud apply [DIR]`: makes an app what its `picloud.toml` says. Everything is checked before anything changes. */
export function define(command: Command): void {
  command
    .argument("[folder]", `where the ${MANIFEST} is`, ".")
    .option("--dry-run", "show what would happen, and change nothing")
    .option("--prune", "delete scripts and routes that the file does not have")
    .action(async (folder: string, flags: ApplyFlags, self: Command) => {
      const manifest = await readManifest(folder);
      const routes = checkManifest(manifest);
      const { api, print } = openSession(self);
      const { slug } = manifest.app;
      const remote = await readRemote(api, slug, Object.keys(manifest.settings).length > 0);
      if (manifest.hasTriggers) await refuseTriggers(api, remote?.app.id ?? slug);
      const prune = flags.prune === true;
      const extra = extraScripts(manifest, remote);
      const steps = planOf(manifest, routes, remote, prune ? await importersFirst(api, extra) : extra, prune);
      print.rows(["action", "kind", "name!", "changes"], steps);

      const open = steps.filter(({ apply }) => apply !== null);
      const kept = steps.filter(({ action }) => action === "keep").length;
      if (kept > 0) print.note(`Not in ${MANIFEST}, and kept: ${kept}. --prune deletes them.`);
      if (open.length === 0) print.note("Nothing to do.");
      else if (flags.dryRun === true)
        print.note(`Nothing was changed: this was a dry run of ${changesText(open.length)}.`);
      else {
        await carryOut(api, open, new Map(remote?.scripts.map(({ id, name }) => [name, id])));
        print.note(`Done: ${changesText(open.length)}.`);
      }
    });
}

const changesText = (count: number): string => `${count} ${count === 1 ? "change" : "changes"}`;

async function carryOut(api: Api, steps: readonly Step[], ids: ScriptIds): Promise<void> {
  for (const [index, { action, kind, name, apply }] of steps.entries()) {
    try {
      await apply?.(api, ids);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new CommandError(
        `${error.message}\nThis was step ${index + 1} of ${steps.length}: ${action} ${kind} ${name}. ` +
          `What came before it is done; \`picloud apply\` goes on from there.`,
        error.exit,
        error,
      );
    }
  }
}

/** The file may speak of triggers before the server can. */
async function refuseTriggers(api: Api, app: string): Promise<void> {
  const triggers = await orNull(api.get(path`/apps/${app}/triggers`));
  throw new CommandError(
    triggers === null
      ? `Nothing was changed. ${MANIFEST} declares triggers, and this server has no triggers yet: leave them out.`
      : `Nothing was changed. ${MANIFEST} declares triggers, which this picloud cannot apply yet: use a newer one.`,
    EXIT.refused,
  );
}
