/** The kinds of triggers, one file each. */
import { invalid, notFound } from "../../../shared/errors.ts";
import { cron } from "./cron.ts";
import { deadLetter } from "./dead-letter.ts";
import { docs } from "./docs.ts";
import { email } from "./email.ts";
import { KIND_NAMES, type TriggerKind } from "./kind.ts";
import { kv } from "./kv.ts";
import { pubsub } from "./pubsub.ts";

export type { Ids, Kept, TriggerKind } from "./kind.ts";

/** Those whose service exists. */
export const KINDS: readonly TriggerKind[] = [kv, docs, cron, pubsub, email, deadLetter];

/** @throws AppError 404 for what is no kind, 422 `trigger_kind_unavailable` for one without a service yet */
export function kindNamed(name: string): TriggerKind {
  const kind = KINDS.find((one) => one.name === name);
  if (kind !== undefined) return kind;
  if (!KIND_NAMES.some((known) => known === name)) throw notFound("Kind of trigger");
  const available = KINDS.map((one) => one.name);
  throw invalid(
    "trigger_kind_unavailable",
    `There are no triggers of the kind ${name} yet, since nothing would ever call their scripts; there are ${available.join(", ")}.`,
    { details: { kind: name, available } },
  );
}
