import { JsonError, RhaiError, type RunResult } from "../rhai/index.ts";
import { failureOf } from "./failure.ts";
import type { AnsweredResult, FailedResult, Failure, RunTime } from "./protocol.ts";
import { answerOf, InvalidResponse } from "./response.ts";
import type { RunContext } from "./sdk/run-context.ts";
import type { RunLog } from "./sdk/run-log.ts";
import type { WholeEnd } from "./sdk/services/index.ts";

/** A result without its ticket and its time. */
export type Ending = WithoutHead<AnsweredResult> | WithoutHead<FailedResult>;
type WithoutHead<R extends readonly unknown[]> = R extends readonly [number, RunTime, ...infer Rest]
  ? Rest
  : never;

/**
 * What a worker says of a run.
 * @param isHeard whether anybody gets the answer: else one that is not valid is no failure (CONTRACT 3.4)
 */
export function ending(result: RunResult, log: RunLog, isHeard = true): Ending {
  const { operations } = result;
  if (!result.ok) {
    // What is no error of the script is one of ours: the log has all of it, the caller an id.
    const failure = result.fault === undefined ? failureOf(result.error) : faultOf(result.fault);
    return [operations, failure, log.finish()];
  }
  try {
    const { statusCode, headers, body, isBase64 } = answerOf(result.value);
    if (log.isEmpty && !isBase64) return [operations, statusCode, headers, body];
    return [operations, statusCode, headers, body, isBase64 ? 1 : 0, log.finish()];
  } catch (error) {
    const fault = faultOf(error);
    return isHeard || fault.code !== "invalid_response"
      ? [operations, fault, log.finish()]
      : [operations, 200, 0, fault.message, 0, log.finish()];
  }
}

export function faultOf(error: unknown): Failure {
  if (error instanceof InvalidResponse) {
    return { code: "invalid_response", message: `The script's answer is not valid: ${error.message}.` };
  }
  if (error instanceof RhaiError) return failureOf(error);
  if (error instanceof JsonError) {
    return { code: "malformed_body", message: `The request's body is not JSON: ${error.message}.` };
  }
  return {
    code: "internal",
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

export const NOT_BEGUN: Failure = {
  code: "internal",
  message: "the transaction of the run could not be begun",
};
const COLLIDED: Failure = {
  code: "script_error",
  message: "Others changed the same data at the same time; nothing of what the run did was kept",
};
const LOST: Failure = {
  code: "script_error",
  message:
    "The event was taken away while the script ran, as its trigger was disabled or its time was up; nothing of what the run did was kept",
};

/** The result of a run that is a transaction. */
export function wholeEnding(end: Ending, became: WholeEnd, context: RunContext): Ending {
  const [operations] = end;
  const logs = context.log.finish();
  switch (became.kind) {
    case "committed": {
      if (!isAnswer(end)) throw new Error("a run that failed was committed");
      const [, statusCode, headers, body, isBase64] = end;
      return [operations, statusCode, headers, body, isBase64 ?? 0, logs, "acknowledged"];
    }
    case "undone":
      return end;
    case "collided":
      return [operations, COLLIDED, logs, "collided"];
    case "lost":
      return [operations, LOST, logs, "lost"];
    case "failed": {
      const reason = context.explain(became.error);
      if (reason === undefined) return [operations, faultOf(became.error), logs];
      const message = `A call failed, so nothing of what the run did was kept: ${reason}`;
      return [operations, { code: "script_error", message }, logs];
    }
  }
}

export const isAnswer = (end: Ending): end is WithoutHead<AnsweredResult> => typeof end[1] === "number";
