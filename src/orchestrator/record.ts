import type { RunOutcome, RunRequest } from "../executor/index.ts";
import type { ExecutionRow, LogDTO } from "../services/executions/index.ts";
import { STATUS_OF } from "./answer.ts";

/** Headers whose values are never written down. */
const SECRET =
  /^(?:authorization|proxy-authorization|cookie|set-cookie)$|token|secret|password|api-?key|signature/;
const MAX_HEADERS = 64;
const MAX_TEXT = 512;
/** Characters of an answer that the log shows. */
const MAX_SUMMARY = 256;

/** The row of one run (CONTRACT 2.5 LogDTO). */
export function executionRow(
  run: RunRequest,
  outcome: RunOutcome,
  startedAt: number,
  triggerKind: string,
): ExecutionRow {
  const { request } = run;
  return {
    appId: run.appId,
    id: run.executionId,
    scriptId: run.scriptId,
    version: run.version,
    requestId: run.requestId,
    rootExecutionId: run.rootExecutionId,
    triggerKind,
    triggerId: null,
    status: outcome.status,
    statusCode:
      outcome.error === null ? (outcome.response?.statusCode ?? null) : STATUS_OF[outcome.error.code],
    durationMs: outcome.durationMs,
    operations: outcome.operations,
    request:
      request === null
        ? null
        : () => ({
            method: request.method,
            path: request.path.slice(0, 2048),
            headers: shownHeaders(request.headers()),
          }),
    responseSummary: summary(outcome),
    error: outcome.error,
    logs: outcome.logs,
    createdAt: startedAt,
  };
}

function shownHeaders(headers: readonly string[]): NonNullable<LogDTO["request"]>["headers"] {
  const shown: Record<string, string> = Object.create(null);
  for (let index = 0; index + 1 < headers.length && index < MAX_HEADERS * 2; index += 2) {
    const name = headers[index] ?? "";
    shown[name] = SECRET.test(name) ? "[not recorded]" : (headers[index + 1] ?? "").slice(0, MAX_TEXT);
  }
  return shown;
}

function summary({ response }: RunOutcome): string | null {
  if (response === null) return null;
  return typeof response.body === "string"
    ? response.body.slice(0, MAX_SUMMARY).toWellFormed()
    : `${response.body.length} bytes`;
}
