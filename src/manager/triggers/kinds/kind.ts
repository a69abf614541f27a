import { Type, type Static, type TObject, type TProperties, type TSchema } from "@sinclair/typebox";
import { strict } from "../../http/module.ts";
import { checked } from "../../http/validation.ts";

/** Those of the contract; which of them there are already is said in `index.ts`. */
export const KIND_NAMES = ["kv", "docs", "files", "cron", "pubsub", "email", "dead_letter", "queue"] as const;
export type KindName = (typeof KIND_NAMES)[number];

/** What the table has of a kind's own fields. */
export interface Kept {
  readonly pattern: string;
  readonly ops: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  /** Of what has a time: when it happens next. */
  readonly next_at: Date | null;
}

/** A kind of trigger: what a client says of one, and how that is kept. */
export interface TriggerKind {
  readonly name: KindName;
  /** The fields of its own that a body may have. */
  readonly fields: TProperties;
  /** `details`, by which clients see them: these fields and `kind`. */
  readonly details: TObject;
  /** @param fields may hold more than the kind's own @throws AppError 422 for fields that are not acceptable */
  keep(fields: Readonly<Record<string, unknown>>, now: Date): Kept;
  /** The opposite; what it gives may be given to `keep` again. */
  show(kept: Kept, ids: Ids): Record<string, unknown>;
}

/** Whose fields they are. */
export interface Ids {
  readonly app_id: string;
  readonly id: string;
}

/** @param kind.shown what `details` has beside the fields, such as what follows from them */
export function triggerKind<F extends TProperties>(kind: {
  readonly name: KindName;
  readonly fields: F;
  readonly shown: Readonly<Record<string, TSchema>>;
  keep(fields: Static<TObject<F>>, now: Date): Kept;
  show(kept: Kept, ids: Ids): Record<string, unknown>;
}): TriggerKind {
  const own = strict(kind.fields);
  return {
    name: kind.name,
    fields: kind.fields,
    details: strict({ kind: Type.Literal(kind.name), ...kind.shown }),
    keep(fields, now) {
      const mine = Object.entries(fields).filter(
        ([name, value]) => name in kind.fields && value !== undefined,
      );
      return kind.keep(checked(own, Object.fromEntries(mine)) as Static<TObject<F>>, now);
    },
    show: kind.show,
  };
}
