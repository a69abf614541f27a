import type { RunOutcome, RunRequest } from "../executor/index.ts";
import type { ExecutionRow } from "../services/executions/index.ts";
import { STATUS_OF } from "./answer.ts";
import type { OneRun } from "./orchestrator.ts";
import { bodyBytes, recordRequest } from "./record-request.ts";

/** Characters of an answer that the log shows. */
const MAX_SUMMARY = 256;

/** The row of one run (CONTRACT 2.5 LogDTO). */
export function executionRow(
  run: RunRequest,
  outcome: RunOutcome,
  startedAt: number,
  { triggerKind, rerun }: Pick<OneRun, "triggerKind" | "rerun">,
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
    rerunOf: rerun?.of ?? null,
    principalId: run.principal?.id ?? null,
    request: request === null ? null : (budget) => recordRequest(request, budget),
    // A part of a text keeps the whole text.
    heldBytes: (request === null ? 0 : bodyBytes(request.body)) + (outcome.response?.body.length ?? 0),
    responseSummary: responseSummary(outcome),
    error: outcome.error,
    logs: outcome.logs,
    createdAt: startedAt,
  };
}

/** The beginning of an answer, as text. */
export function responseSummary({ response }: RunOutcome): string | null {
  if (response === null) return null;
  return typeof response.body === "string"
    ? response.body.slice(0, MAX_SUMMARY).toWellFormed()
    : `${response.body.length} bytes`;
}
