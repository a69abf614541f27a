import { AppError } from "../../shared/errors.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { MANIFEST, type Manifest } from "./manifest.ts";

/** Stands for the script's, which is not known yet. */
const NO_ID = "00000000-0000-0000-0000-000000000000";

/**
 * Finds what the server would not accept of a manifest's triggers, by the server's own rules.
 * @throws CommandError 5 with everything that was found
 */
export async function checkTriggers({ scripts, triggers }: Manifest): Promise<void> {
  if (triggers === null || triggers.length === 0) return;
  // It is much, and seldom needed.
  const { checkTrigger } = await import("../../manager/triggers/check.ts");
  const faults: string[] = [];
  for (const { script, kind, ...fields } of triggers) {
    const owner = scripts.find(({ name }) => name === script);
    if (owner === undefined)
      faults.push(`${MANIFEST}: a trigger names the script ${script}, which it does not have.`);
    else if (owner.kind === "module")
      faults.push(
        `${MANIFEST}: the script ${script} is a module; only an endpoint can be called by a trigger.`,
      );
    const { inbound_secret: secret, ...others } = fields;
    if ((secret !== undefined && secret !== false) || "new_inbound_secret" in fields)
      faults.push(
        `${MANIFEST}: a trigger of ${script}: a secret does not belong into a file. Without a word about it, one is made with ` +
          "the trigger and told once; inbound_secret = false stands for none.",
      );
    try {
      checkTrigger(kind, {
        ...(secret === undefined ? others : { ...others, inbound_secret: null }),
        script_id: NO_ID,
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      faults.push(`${MANIFEST}: a trigger of ${script}: ${error.message}`);
    }
  }
  if (faults.length > 0) throw new CommandError(`Nothing was changed.\n${faults.join("\n")}`, EXIT.refused);
}
