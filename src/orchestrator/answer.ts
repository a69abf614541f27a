import type { RunErrorCode, RunOutcome, RunResponse } from "../executor/index.ts";
import { AppError } from "../shared/errors.ts";
import { logger } from "../shared/log.ts";

/** CONTRACT 2.9. */
export const STATUS_OF: Readonly<Record<RunErrorCode, number>> = {
  script_error: 502,
  invalid_response: 502,
  compile_error: 422,
  malformed_body: 400,
  timeout: 504,
  budget_exceeded: 507,
  internal: 500,
};

/** What callers are told who may not read the app's logs: what a script throws may hold anything. */
const GENERAL: Readonly<Record<RunErrorCode, string>> = {
  script_error: "The script failed.",
  invalid_response: "The script's answer is not a valid response.",
  compile_error: "The script does not compile.",
  malformed_body: "The request's body is not JSON.",
  timeout: "The script ran longer than its limit.",
  budget_exceeded: "The script used more than its limit of operations, data sizes, call depth or memory.",
  internal: "Something went wrong inside PiCloud.",
};

/** Answers that have no body, whatever was returned. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export interface AnswerIds {
  readonly requestId: string;
  readonly executionId: string;
  /** Milliseconds in the gate; 0 when there was no wait. */
  readonly queuedMs: number;
}

/** The script's response, under the ids of the platform. */
export function scriptResponse(response: RunResponse, ids: AnswerIds): Response {
  const body = WITHOUT_BODY.has(response.statusCode) ? null : response.body;
  const { headers: own, statusCode } = response;
  const [name, value] = own;
  // One header, content-type, is what nearly all answers have; an object literal is far cheaper than Headers.
  if (own.length === 2 && name === "content-type" && value !== undefined) {
    const headers: Record<string, string> = {
      "content-type": value,
      "x-request-id": ids.requestId,
      "x-execution-id": ids.executionId,
    };
    if (ids.queuedMs > 0) headers["x-queue-ms"] = String(Math.ceil(ids.queuedMs));
    return new Response(body, { status: statusCode, headers });
  }
  const headers = new Headers();
  for (let index = 0; index + 1 < own.length; index += 2)
    headers.append(own[index] ?? "", own[index + 1] ?? "");
  headers.set("x-request-id", ids.requestId);
  headers.set("x-execution-id", ids.executionId);
  if (ids.queuedMs > 0) headers.set("x-queue-ms", String(Math.ceil(ids.queuedMs)));
  return new Response(body, { status: statusCode, headers });
}

/** The problem that a failed run is answered with. */
export function runProblem(
  error: NonNullable<RunOutcome["error"]>,
  ids: AnswerIds,
  maySeeDetails: boolean,
): AppError {
  const { code, message, line, column } = error;
  if (code === "internal") {
    logger("executor").error("run {executionId} failed: {message}", {
      executionId: ids.executionId,
      message,
    });
  }
  // What is wrong with the body is the caller's own; what is wrong inside of PiCloud is nobody's.
  const open = code !== "internal" && (maySeeDetails || code === "malformed_body");
  const details = {
    execution_id: ids.executionId,
    ...(open && line !== undefined ? { line, column } : {}),
  };
  const text = open
    ? message
    : `${GENERAL[code]} Its log has the details under execution ${ids.executionId}.`;
  return new AppError(STATUS_OF[code], code, text, {
    details,
    headers: {
      "X-Execution-Id": ids.executionId,
      ...(ids.queuedMs > 0 ? { "X-Queue-Ms": String(Math.ceil(ids.queuedMs)) } : {}),
    },
  });
}

/** Whether an error tells how a run ended, as opposed to one that kept it from running, or a fault of ours. */
export const isRunProblem = (error: AppError): boolean =>
  "X-Execution-Id" in error.headers && error.code !== "internal";
