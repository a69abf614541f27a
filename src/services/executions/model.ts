import { Type, type Static } from "@sinclair/typebox";

export const ExecutionStatus = Type.Union([
  Type.Literal("success"),
  Type.Literal("error"),
  Type.Literal("timeout"),
  Type.Literal("budget_exceeded"),
]);
export type ExecutionStatus = Static<typeof ExecutionStatus>;

/** One `log::…` call (or `print`, `debug`) of a run. */
export const LogEntry = Type.Object({
  /** RFC 3339. */
  ts: Type.String(),
  level: Type.Union([
    Type.Literal("trace"),
    Type.Literal("info"),
    Type.Literal("warn"),
    Type.Literal("error"),
  ]),
  message: Type.String(),
  data: Type.Optional(Type.Unknown()),
});
export type LogEntry = Static<typeof LogEntry>;

export const ExecutionError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  line: Type.Optional(Type.Integer()),
  column: Type.Optional(Type.Integer()),
});
export type ExecutionError = Static<typeof ExecutionError>;

/** The request of a run, without its body. Rows of earlier releases hold only the first three. */
export const RecordedRequest = Type.Object({
  method: Type.String(),
  /** As received: percent-encoded. */
  path: Type.String(),
  headers: Type.Record(Type.String(), Type.String()),
  /** Normalised: no port, lower case. */
  host: Type.Optional(Type.String()),
  /** Without `?`. */
  query: Type.Optional(Type.String()),
  /** What the route took out of path and host. */
  params: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** The remainder below a prefix route. */
  rest: Type.Optional(Type.String()),
  /** Names of values that are not, or not wholly, here: `headers.authorization`, `body.user.password`. */
  masked: Type.Optional(Type.Array(Type.String())),
});
export type RecordedRequest = Static<typeof RecordedRequest>;

/** The body of a run's request. */
export const RecordedBody = Type.Object({
  kind: Type.Union([Type.Literal("json"), Type.Literal("form"), Type.Literal("text"), Type.Literal("bytes")]),
  /** As received; bytes as base64. */
  text: Type.String(),
  /** Bytes that were received. */
  size: Type.Integer(),
  /** Whether `text` is only the beginning. */
  truncated: Type.Boolean(),
});
export type RecordedBody = Static<typeof RecordedBody>;

const NullableText = Type.Union([Type.String(), Type.Null()]);

/** One row of `GET /scripts/{id}/logs` (CONTRACT 2.5). */
export const LogDTO = Type.Object({
  id: Type.String(),
  app_id: Type.String(),
  script_id: Type.String(),
  version: Type.Integer(),
  execution_id: Type.String(),
  request_id: Type.String(),
  status: ExecutionStatus,
  status_code: Type.Union([Type.Integer(), Type.Null()]),
  duration_ms: Type.Number(),
  operations: Type.Number(),
  request: Type.Union([RecordedRequest, Type.Null()]),
  response_summary: NullableText,
  error: Type.Union([ExecutionError, Type.Null()]),
  logs: Type.Array(LogEntry),
  trigger_kind: Type.String(),
  trigger_id: NullableText,
  root_execution_id: Type.String(),
  /** The run that this one repeats. */
  rerun_of: NullableText,
  /** The user as whom it ran; null: nobody in particular. */
  principal_id: NullableText,
  created_at: Type.String(),
});
export type LogDTO = Static<typeof LogDTO>;

/** One of several runs that came of the same. */
export const RunOfTree = Type.Object({
  id: Type.String(),
  script_id: Type.String(),
  version: Type.Integer(),
  status: ExecutionStatus,
  status_code: Type.Union([Type.Integer(), Type.Null()]),
  trigger_kind: Type.String(),
  rerun_of: NullableText,
  created_at: Type.String(),
});
export type RunOfTree = Static<typeof RunOfTree>;

/** A run with all that is kept of it. */
export const ExecutionDTO = Type.Object(
  {
    ...LogDTO.properties,
    script_name: Type.String(),
    /** Null: it had none. */
    request_body: Type.Union([RecordedBody, Type.Null()]),
    /** The run that all began with, then the others as they started; this one is among them. At most 200. */
    tree: Type.Array(RunOfTree),
  },
  { additionalProperties: false },
);
export type ExecutionDTO = Static<typeof ExecutionDTO>;

/** What the data plane records of one run, whatever its outcome. */
export interface ExecutionRow {
  readonly appId: string;
  /** The execution id. */
  readonly id: string;
  readonly scriptId: string;
  readonly version: number;
  readonly requestId: string;
  readonly rootExecutionId: string;
  readonly triggerKind: string;
  readonly triggerId: string | null;
  readonly status: ExecutionStatus;
  readonly statusCode: number | null;
  readonly durationMs: number;
  readonly operations: number;
  readonly rerunOf: string | null;
  readonly principalId: string | null;
  /** Made when the row is written, not when the run ends: it costs more than many a run. Null: there was no request. */
  readonly request: ((budget: BodyBudget) => RequestRecord) | null;
  /** What all this keeps in memory until then: bodies, of which only the beginning is written. */
  readonly heldBytes: number;
  readonly responseSummary: string | null;
  readonly error: ExecutionError | null;
  readonly logs: readonly LogEntry[];
  /** Start of the run, milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Whether a body of so many bytes may be kept; asked once for each body. */
export type BodyBudget = (bytes: number) => boolean;

export interface RequestRecord {
  readonly request: RecordedRequest;
  readonly body: RecordedBody | null;
}
