import { Type, type Static } from "@sinclair/typebox";
import { t } from "elysia";
import { PAGE_QUERY } from "../http/cursor.ts";
import { strict } from "../http/module.ts";
import { queryInteger } from "../http/query-integer.ts";

const Kind = Type.Union([Type.Literal("endpoint"), Type.Literal("module")]);
const DirectExecute = Type.Union([Type.Literal("members"), Type.Literal("public")]);
const Positive = Type.Integer({ minimum: 1 });

/** A script's own limits; what it does not name is at the instance's default. */
export const Sandbox = strict({
  max_operations: Type.Optional(Positive),
  max_string_size: Type.Optional(Positive),
  max_array_size: Type.Optional(Positive),
  max_map_size: Type.Optional(Positive),
  max_call_levels: Type.Optional(Positive),
  max_expr_depth: Type.Optional(Positive),
  max_sdk_calls: Type.Optional(Positive),
});
export type Sandbox = Static<typeof Sandbox>;

const SUMMARY_FIELDS = {
  id: Type.String(),
  app_id: Type.String(),
  kind: Kind,
  name: Type.String(),
  description: Type.String(),
  /** The live version; of a script that has only drafts, the newest one. */
  version: Type.Integer(),
  /** Whether `version` is the one that runs. */
  live: Type.Boolean(),
  /** Null while there are only drafts. */
  live_version: Type.Union([Type.Integer(), Type.Null()]),
  timeout_seconds: Type.Integer(),
  memory_limit_mb: Type.Integer(),
  sandbox: Sandbox,
  direct_execute: DirectExecute,
  /** Where its routes answer; parameters and wildcards as they are written. */
  urls: Type.Array(Type.String()),
  created_at: Type.String(),
  updated_at: Type.String(),
};

export const ScriptSummary = strict(SUMMARY_FIELDS);
export const ScriptDTO = strict({ ...SUMMARY_FIELDS, source: Type.String() });
export type ScriptDTO = Static<typeof ScriptDTO>;

/** Something that is worth knowing but did not keep the script from being saved. */
export const Warning = strict({
  message: Type.String(),
  line: Type.Optional(Type.Integer()),
  column: Type.Optional(Type.Integer()),
});
export type Warning = Static<typeof Warning>;

export const SavedScript = strict({ ...ScriptDTO.properties, warnings: Type.Optional(Type.Array(Warning)) });
export type SavedScript = Static<typeof SavedScript>;

export const DeleteScriptQuery = strict({
  force: Type.Optional(t.Boolean({ description: "deletes a module although other scripts import it" })),
});

/** A module that a script imports; null where the app has nothing of that name. */
export const ImportDTO = strict({
  name: Type.String(),
  script_id: Type.Union([Type.String(), Type.Null()]),
  kind: Type.Union([Type.Literal("endpoint"), Type.Literal("module"), Type.Null()]),
  live_version: Type.Union([Type.Integer(), Type.Null()]),
});

/** A script that imports a module. */
export const ImporterDTO = strict({
  script_id: Type.String(),
  name: Type.String(),
  kind: Type.Union([Type.Literal("endpoint"), Type.Literal("module")]),
});

/** The answer to `PUT /apps/{app}/scripts/{name}`. */
export const Deployed = strict({
  script: ScriptDTO,
  version: Type.Integer(),
  urls: Type.Array(Type.String()),
  warnings: Type.Array(Warning),
});
export type Deployed = Static<typeof Deployed>;

const Name = Type.String({ minLength: 1, maxLength: 256, description: "a name of 1 to 128 characters" });
const CHANGEABLE = {
  source: Type.Optional(Type.String()),
  kind: Type.Optional(Kind),
  description: Type.Optional(Type.String({ maxLength: 4096 })),
  timeout_seconds: Type.Optional(Positive),
  memory_limit_mb: Type.Optional(Positive),
  sandbox: Type.Optional(Sandbox),
  direct_execute: Type.Optional(DirectExecute),
  /** Kept with the version. */
  message: Type.Optional(Type.String({ maxLength: 1024 })),
};

export const CreateScript = strict({
  ...CHANGEABLE,
  app_id: Type.String(),
  name: Name,
  source: Type.String(),
});
export type CreateScript = Static<typeof CreateScript>;

/** Absent fields stay as they are. */
export const UpdateScript = strict({ ...CHANGEABLE, name: Type.Optional(Name) });
export type UpdateScript = Static<typeof UpdateScript>;

/**
 * The JSON form of a deployment. A script that was read can be sent back as it is: the fields that cannot be changed
 * are accepted, and those that say which script it is must be right.
 */
export const DeployBody = strict({
  ...CHANGEABLE,
  id: Type.Optional(Type.String()),
  app_id: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  version: Type.Optional(Type.Integer()),
  live: Type.Optional(Type.Boolean()),
  live_version: Type.Optional(SUMMARY_FIELDS.live_version),
  urls: Type.Optional(SUMMARY_FIELDS.urls),
  created_at: Type.Optional(Type.String()),
  updated_at: Type.Optional(Type.String()),
});
export type DeployBody = Static<typeof DeployBody>;

const Activate = Type.Optional(
  Type.Union([Type.Literal("true"), Type.Literal("false")], {
    description: "true, or false to save a draft beside the version that runs",
  }),
);
export const SaveQuery = strict({ activate: Activate });

const paths = "a path such as /hello, /users/:id or /files/*";
export const DeployQuery = strict({
  route: Type.Optional(
    Type.Union([Type.String({ description: paths }), Type.Array(Type.String())], { description: paths }),
  ),
  method: Type.Optional(Type.String({ description: "an HTTP method" })),
  dispatch: Type.Optional(Type.Union([Type.Literal("sync"), Type.Literal("async")])),
  kind: Type.Optional(Kind),
  message: Type.Optional(Type.String({ maxLength: 1024 })),
  activate: Activate,
});

export const ListQuery = strict({
  app: Type.Optional(Type.String({ description: "the id or slug of an app" })),
  fields: Type.Optional(Type.Literal("summary", { description: "summary, to leave the sources out" })),
  name: Type.Optional(Type.String({ maxLength: 256, description: "a part of the name" })),
  limit: PAGE_QUERY.limit,
  cursor: Type.Optional(
    Type.String({ maxLength: 1024, description: "the X-Next-Cursor of the page before, as it was given" }),
  ),
});
export type ListQuery = Static<typeof ListQuery>;

export const VersionsQuery = strict({
  limit: PAGE_QUERY.limit,
  cursor: Type.Optional(
    Type.String({ pattern: "^[0-9]{1,9}$", description: "the next_cursor of the page before" }),
  ),
});

const VersionNumber = queryInteger({
  minimum: 1,
  maximum: 999_999_999,
  description: "the number of a version",
});
export const DiffQuery = strict({ from: VersionNumber, to: VersionNumber });

export const LogsQuery = strict({
  limit: PAGE_QUERY.limit,
  offset: Type.Optional(queryInteger({ minimum: 0, description: "a whole number of at least 0" })),
  before: Type.Optional(Type.String({ maxLength: 100, description: "`created_at,id` of the last row seen" })),
});

const VERSION_FIELDS = {
  version: Type.Integer(),
  live: Type.Boolean(),
  source_sha256: Type.String(),
  timeout_seconds: Type.Integer(),
  memory_limit_mb: Type.Integer(),
  sandbox: Sandbox,
  author_id: Type.Union([Type.String(), Type.Null()]),
  /** The author's user name; null when that user is gone. */
  author: Type.Union([Type.String(), Type.Null()]),
  message: Type.String(),
  created_at: Type.String(),
};

export const VersionSummary = strict(VERSION_FIELDS);
export const VersionDTO = strict({ ...VERSION_FIELDS, source: Type.String() });
export type VersionDTO = Static<typeof VersionDTO>;

export const VersionList = strict({
  items: Type.Array(VersionSummary),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});

export const ScriptPath = Type.Object({ id: Type.String() });
export const NamedScriptPath = Type.Object({ app: Type.String(), name: Type.String() });
export const VersionPath = Type.Object({ id: Type.String(), version: Type.String() });
