import { Type, type Static, type TProperties, type TSchema } from "@sinclair/typebox";
import { strict } from "../http/module.ts";
import { Warning } from "../scripts/model.ts";
import { KINDS, type TriggerKind } from "./kinds/index.ts";

const Nullable = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description });
const Backoff = Type.Union([Type.Literal("exponential"), Type.Literal("linear"), Type.Literal("constant")], {
  description: "exponential, linear or constant",
});

/** What every kind has, and what may change. */
const SETTINGS = {
  enabled: Type.Optional(Type.Boolean()),
  retry_max_attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  retry_backoff: Type.Optional(Backoff),
  retry_base_ms: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
  ordering: Type.Optional(
    Nullable(Type.Literal("key"), '"key": events of one key or document one after the other; or null'),
  ),
  transactional: Type.Optional(
    Type.Boolean({
      description: "whether all that a run does, and the end of its event, happen as one or not at all",
    }),
  ),
  paused_until: Type.Optional(
    Nullable(Type.String({ maxLength: 40 }), "a time as RFC 3339, or null; what happens until then waits"),
  ),
  dispatch_mode: Type.Optional(Type.Literal("async", { description: '"async", the only one there is' })),
};
const Settings = strict(SETTINGS);
export type Settings = Omit<Static<typeof Settings>, "ordering" | "paused_until"> & {
  readonly ordering?: "key" | null;
  readonly paused_until?: string | null;
};

const NEW = {
  script_id: Type.String({ maxLength: 256, description: "the id or name of a script of this app" }),
};

/** The body that creates a trigger of a kind. */
export const createSchema = (kind: TriggerKind) => strict({ ...NEW, ...SETTINGS, ...kind.fields });
export type CreateBody = Settings & { readonly script_id: string } & Readonly<Record<string, unknown>>;

/** The body that changes one. */
export const updateSchema = (kind: TriggerKind) => strict({ ...SETTINGS, ...optional(kind.fields) });
export type UpdateBody = Settings & Readonly<Record<string, unknown>>;

const optional = (fields: TProperties): TProperties =>
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Type.Optional(schema)]));

/** For the documentation: endpoints read these by the kind. */
export const AnyCreate = Type.Union(KINDS.map(createSchema));
export const AnyUpdate = Type.Union(KINDS.map(updateSchema));

export const RunBody = strict({
  event: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: "what the script gets as ctx.event, beside source and op",
    }),
  ),
});
export type RunBody = Static<typeof RunBody>;

export const RunAccepted = strict({
  /** Of its first attempt; further ones have the same request_id. */
  execution_id: Type.String(),
});

const DTO = {
  id: Type.String(),
  app_id: Type.String(),
  script_id: Type.String(),
  script_name: Type.String(),
  kind: Type.String(),
  enabled: Type.Boolean(),
  /** Why PiCloud itself disabled it. */
  disabled_reason: Type.Union([Type.String(), Type.Null()]),
  paused_until: Type.Union([Type.String(), Type.Null()]),
  dispatch_mode: Type.Literal("async"),
  retry_max_attempts: Type.Integer(),
  retry_backoff: Backoff,
  retry_base_ms: Type.Integer(),
  ordering: Type.Union([Type.Literal("key"), Type.Null()]),
  transactional: Type.Boolean(),
  registered_by_principal: Type.Union([Type.String(), Type.Null()]),
  /** Events that waited when it was disabled, and were not delivered. */
  dropped: Type.Integer(),
  /** When it last caused something: of cron, when it was fired; of others, when the last run began. */
  last_fired_at: Type.Union([Type.String(), Type.Null()]),
  /** The last run that it caused, as far as the log still has it, and how that ended. */
  last_execution_id: Type.Union([Type.String(), Type.Null()]),
  last_status: Type.Union([Type.String(), Type.Null()]),
  created_at: Type.String(),
  updated_at: Type.String(),
  details: Type.Unsafe<Readonly<Record<string, unknown>>>(Type.Union(KINDS.map(({ details }) => details))),
};
export const TriggerDTO = strict(DTO);
export type TriggerDTO = Static<typeof TriggerDTO>;

/** The answer to whoever makes or changes a trigger. */
export const SavedTrigger = strict({
  ...DTO,
  inbound_secret: Type.Optional(
    Type.String({ description: "of email: the secret that was made, to be seen in this answer only" }),
  ),
  warnings: Type.Optional(
    Type.Array(Warning, { description: "what is worth knowing, such as a loop that the trigger closes" }),
  ),
});
export type SavedTrigger = Static<typeof SavedTrigger>;

export const KindPath = Type.Object({ app: Type.String(), kind: Type.String() });
export const TriggerPath = Type.Object({ app: Type.String(), tid: Type.String() });
