import { Type, type Static } from "@sinclair/typebox";
import { ExecutionError, ExecutionStatus, LogDTO, LogEntry } from "../../services/executions/index.ts";
import { pageOf, PAGE_QUERY } from "../http/cursor.ts";
import { strict } from "../http/module.ts";
import { queryInteger } from "../http/query-integer.ts";

const SCRIPT = Type.Optional(Type.String({ maxLength: 256, description: "a script's id or name" }));
const instant = (what: string) =>
  Type.Optional(Type.String({ maxLength: 40, description: `${what}, such as 2026-01-31T12:00:00Z` }));

export const ExecutionsQuery = strict({
  ...PAGE_QUERY,
  script: SCRIPT,
  status: Type.Optional(ExecutionStatus),
  trigger: Type.Optional(
    Type.String({ pattern: "^[a-z_]{1,32}$", description: "what started the run, such as http or cron" }),
  ),
  from: instant("the earliest start"),
  to: instant("the instant before which runs started"),
  version: Type.Optional(
    queryInteger({
      minimum: 1,
      maximum: 2_147_483_647,
      description: "a version of the script that `script` names",
    }),
  ),
});
export type ExecutionsQuery = Static<typeof ExecutionsQuery>;

export const ExecutionPage = pageOf(LogDTO);

export const ExecutionPath = Type.Object({ execution_id: Type.String() });

export const TailQuery = strict({ script: SCRIPT, status: Type.Optional(ExecutionStatus) });
export type TailQuery = Static<typeof TailQuery>;

/** What is different this time; what is absent stays as it was. */
export const RerunBody = strict({
  version: Type.Optional(
    Type.Union([Type.Literal("same"), Type.Literal("live")], { description: '"same" or "live"' }),
  ),
  method: Type.Optional(
    Type.String({ pattern: "^[A-Za-z]{1,32}$", description: "an HTTP method such as POST" }),
  ),
  query: Type.Optional(Type.String({ maxLength: 16_384, description: "the whole query, without the `?`" })),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), {
      description: "headers to set, or with null to leave out",
      maxProperties: 64,
    }),
  ),
  body: Type.Optional(
    Type.Unknown({
      description: "a text, which is sent as it is, or any other value, which is sent as JSON",
    }),
  ),
});
export type RerunBody = Static<typeof RerunBody>;

export const RerunDTO = strict({
  execution_id: Type.String(),
  rerun_of: Type.String(),
  root_execution_id: Type.String(),
  version: Type.Integer(),
  status: ExecutionStatus,
  status_code: Type.Integer(),
  duration_ms: Type.Number(),
  operations: Type.Number(),
  /** The beginning of the answer. */
  response_summary: Type.Union([Type.String(), Type.Null()]),
  error: Type.Union([ExecutionError, Type.Null()]),
  logs: Type.Array(LogEntry),
  /** What the run did not get as the first one did, since the log keeps no secrets: `headers.authorization`. */
  masked: Type.Array(Type.String()),
});
export type RerunDTO = Static<typeof RerunDTO>;
