import type { Admission } from "./admission.ts";
import { maskJson } from "./mask.ts";
import type { ExecutionRow, LogDTO, LogEntry, RequestRecord } from "./model.ts";

/** The request of a row, with as much of its body as the app may still have written. */
export const requestOf = (row: ExecutionRow, admission: Admission): RequestRecord | null =>
  row.request?.((bytes) => admission.admitBody(row.appId, bytes)) ?? null;

/** A run as clients see it; the same as `listLogs` reads from its row. */
export const toDto = (row: ExecutionRow, recorded: RequestRecord | null): LogDTO => ({
  id: row.id,
  app_id: row.appId,
  script_id: row.scriptId,
  version: row.version,
  execution_id: row.id,
  request_id: row.requestId,
  status: row.status,
  status_code: row.statusCode,
  duration_ms: toMicroseconds(row.durationMs),
  operations: row.operations,
  request: recorded?.request ?? null,
  response_summary: maskTextOrNull(row.responseSummary),
  error: maskError(row.error),
  logs: maskLogs(row.logs),
  trigger_kind: row.triggerKind,
  trigger_id: row.triggerId,
  root_execution_id: row.rootExecutionId,
  rerun_of: row.rerunOf,
  principal_id: row.principalId,
  created_at: new Date(row.createdAt).toISOString(),
});

/** A run as `insertExecutions` takes it. */
export function toJson(row: ExecutionRow, recorded: RequestRecord | null): string {
  const json = JSON.stringify({
    app_id: row.appId,
    id: row.id,
    script_id: row.scriptId,
    version: row.version,
    request_id: row.requestId,
    root_execution_id: row.rootExecutionId,
    trigger_kind: row.triggerKind,
    trigger_id: row.triggerId,
    status: row.status,
    status_code: row.statusCode,
    duration_ms: toMicroseconds(row.durationMs),
    operations: row.operations,
    request: recorded?.request ?? null,
    request_body: recorded?.body ?? null,
    response_summary: maskTextOrNull(row.responseSummary),
    error: maskError(row.error),
    logs: maskLogs(row.logs),
    rerun_of: row.rerunOf,
    principal_id: row.principalId,
    created_ms: Math.floor(row.createdAt),
  });
  // Postgres holds neither NUL in text nor half of a surrogate pair, and one such row would take its whole batch along.
  // Escapes are matched whole, so that an escaped backslash before `u0000` stays.
  return /\\u(?:0000|d[89a-f])/.test(json)
    ? json.replace(/\\(?:u0000|ud[89a-f][0-9a-f]{2}|[^])/g, (escape) =>
        escape.length === 6 ? "\\ufffd" : escape,
      )
    : json;
}

/** Milliseconds without the digits that no clock measures. */
export const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Characters of an answer that the log shows. */
const MAX_SUMMARY = 256;

/** The beginning of an answer's body, as text. */
export const summaryOf = (body: string | Uint8Array): string =>
  typeof body === "string" ? body.slice(0, MAX_SUMMARY).toWellFormed() : `${body.length} bytes`;

/** Text that may hold JSON, or a map as Rhai prints it, without its secrets: a login's answer, what was thrown. */
export const maskText = (text: string): string => (/"\s*:/.test(text) ? maskJson(text, () => {}) : text);

const maskTextOrNull = (text: string | null): string | null => (text === null ? null : maskText(text));

/** What a script logged; most often that it logged a request. */
export const maskLogs = (logs: readonly LogEntry[]): LogEntry[] =>
  logs.map((entry) => ({
    ...entry,
    message: maskText(entry.message),
    ...(typeof entry.data === "object" && entry.data !== null && { data: maskData(entry.data) }),
  }));

function maskData(data: object): unknown {
  const text = JSON.stringify(data);
  const masked = maskText(text);
  return masked === text ? data : JSON.parse(masked);
}

/** @param error of a run; what it says may hold what was thrown */
export const maskError = <E extends { readonly message: string }>(error: E | null): E | null =>
  error === null ? null : { ...error, message: maskText(error.message) };
