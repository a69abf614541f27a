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
  request: Type.Union([
    Type.Object({
      method: Type.String(),
      path: Type.String(),
      headers: Type.Record(Type.String(), Type.String()),
    }),
    Type.Null(),
  ]),
  response_summary: Type.Union([Type.String(), Type.Null()]),
  error: Type.Union([ExecutionError, Type.Null()]),
  logs: Type.Array(LogEntry),
  trigger_kind: Type.String(),
  trigger_id: Type.Union([Type.String(), Type.Null()]),
  root_execution_id: Type.String(),
  created_at: Type.String(),
});
export type LogDTO = Static<typeof LogDTO>;

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
  /** Made when the row is written, not when it is recorded. */
  readonly request: (() => LogDTO["request"]) | null;
  readonly responseSummary: string | null;
  readonly error: ExecutionError | null;
  readonly logs: readonly LogEntry[];
  /** Start of the run, milliseconds since the epoch. */
  readonly createdAt: number;
}
