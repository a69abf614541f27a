import type { Command } from "commander";
import type { Api } from "../client/api.ts";
import { openSession } from "../client/session.ts";
import { checkManifest } from "../apply/check.ts";
import { checkTriggers } from "../apply/check-triggers.ts";
import { extraScripts, importersFirst } from "../apply/extra-scripts.ts";
import { MANIFEST, readManifest } from "../apply/manifest.ts";
import { planOf } from "../apply/plan.ts";
import { readRemote } from "../apply/remote.ts";
import type { ScriptIds, Step } from "../apply/step.ts";
import { CommandError } from "../command-error.ts";

interface ApplyFlags {
  readonly dryRun?: boolean;
  readonly prune?: boolean;
}

/** `picloud apply [DIR]`: makes an app what its `picloud.toml` says. Everything is checked before anything changes. */
export function define(command: Command): void {
  command
    .argument("[folder]", `where the ${MANIFEST} is`, ".")
    .option("--dry-run", "show what would happen, and change nothing")
    .option("--prune", "delete scripts, routes and triggers that the file does not have")
    .action(async (folder: string, flags: ApplyFlags, self: Command) => {
      const manifest = await readManifest(folder);
      const routes = checkManifest(manifest);
      await checkTriggers(manifest);
      const { api, print } = openSession(self);
      const { slug } = manifest.app;
      const remote = await readRemote(api, slug, {
        settings: Object.keys(manifest.settings).length > 0,
        triggers: manifest.triggers !== null,
      });
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
        await carryOut(api, open, print.note, new Map(remote?.scripts.map(({ id, name }) => [name, id])));
        print.note(`Done: ${changesText(open.length)}.`);
      }
    });
}

const changesText = (count: number): string => `${count} ${count === 1 ? "change" : "changes"}`;

async function carryOut(
  api: Api,
  steps: readonly Step[],
  tell: (note: string) => void,
  ids: ScriptIds,
): Promise<void> {
  for (const [index, { action, kind, name, apply }] of steps.entries()) {
    try {
      const note = await apply?.(api, ids);
      if (typeof note === "string") tell(note);
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
