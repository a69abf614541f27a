import type { RunOutcome, RunRequest } from "../executor/index.ts";
import { summaryOf, type ExecutionRow } from "../services/executions/index.ts";
import { STATUS_OF } from "./answer.ts";
import type { OneRun } from "./runs.ts";
import { bodyBytes, recordRequest } from "./record-request.ts";

/** The row of one run (CONTRACT 2.5 LogDTO). */
export function executionRow(
  run: RunRequest,
  outcome: RunOutcome,
  startedAt: number,
  { triggerKind, rerun, trigger }: Pick<OneRun, "triggerKind" | "rerun" | "trigger">,
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
    triggerId: trigger?.id ?? null,
    status: outcome.status,
    statusCode: statusCodeOf(outcome),
    durationMs: outcome.durationMs,
    operations: outcome.operations,
    rerunOf: rerun?.of ?? null,
    principalId: run.principal?.id ?? null,
    request: request === null ? null : (budget) => recordRequest(request, budget),
    // A part of a text keeps the whole text.
    heldBytes: (request === null ? 0 : bodyBytes(request.body)) + (outcome.response?.body.length ?? 0),
    responseSummary: outcome.response === null ? null : summaryOf(outcome.response.body),
    error: outcome.error,
    logs: outcome.logs,
    createdAt: startedAt,
  };
}

/** What the run's caller was answered with, or would have been. */
export const statusCodeOf = ({ error, response }: RunOutcome): number =>
  error === null ? (response?.statusCode ?? 500) : STATUS_OF[error.code];
