import { Type, type Static } from "@sinclair/typebox";
import { RESOLUTIONS, type Resolution } from "../../services/events/index.ts";
import { pageOf, PAGE_QUERY } from "../http/cursor.ts";
import { strict } from "../http/module.ts";

// A union of a list has no type of its own.
const Reason = Type.Unsafe<Resolution>(
  Type.Union(
    RESOLUTIONS.map((reason) => Type.Literal(reason)),
    { description: RESOLUTIONS.join(", ") },
  ),
);
const Nullable = Type.Union([Type.String(), Type.Null()]);

const FIELDS = {
  id: Type.String(),
  app_id: Type.String(),
  original_event_id: Type.String(),
  /** The kind of what happened: kv, docs, http, … */
  source: Type.String(),
  op: Type.String(),
  trigger_id: Nullable,
  script_id: Type.String(),
  attempt_count: Type.Integer(),
  first_attempt_at: Nullable,
  last_attempt_at: Nullable,
  last_error: Nullable,
  created_at: Type.String(),
  resolved_at: Nullable,
  resolution: Type.Union([Reason, Type.Null()]),
};

/** A letter in a list. */
export const LetterSummary = strict(FIELDS);
export type LetterSummary = Static<typeof LetterSummary>;

/** A whole letter. */
export const DeadLetterDTO = strict({ ...FIELDS, payload: Type.Unknown() });
export type DeadLetterDTO = Static<typeof DeadLetterDTO>;

export const LetterPage = pageOf(LetterSummary);

const FILTER = {
  source: Type.Optional(Type.String({ pattern: "^[a-z_]{1,32}$", description: "a kind such as kv or http" })),
  trigger_id: Type.Optional(Type.String({ maxLength: 64, description: "a trigger's id" })),
  script_id: Type.Optional(Type.String({ maxLength: 64, description: "a script's id" })),
};
const Unresolved = Type.Optional(
  Type.Union([Type.Literal("true"), Type.Literal("false")], { description: "true or false" }),
);

export const LettersQuery = strict({ ...PAGE_QUERY, ...FILTER, unresolved: Unresolved });
export type LettersQuery = Static<typeof LettersQuery>;

export const LetterCount = strict({ count: Type.Integer() });

export const ReplayBody = strict(FILTER);
export type ReplayBody = Static<typeof ReplayBody>;

/** How many letters of the filter were replayed, and how many are left for another call. */
export const Replayed = strict({ replayed: Type.Integer(), remaining: Type.Integer() });

export const ResolveBody = strict({ reason: Reason });

export const LetterPath = Type.Object({ app: Type.String(), dl_id: Type.String() });
