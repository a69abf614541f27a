import type { RunBody } from "../executor/index.ts";
import { MAX_KEY_LENGTH, type Idempotency, type KeepAnswer } from "../services/idempotency/index.ts";
import { AppError, badRequest } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { problemResponse } from "../shared/problem.ts";
import { isRunProblem } from "./answer.ts";
import type { Asked } from "./targets.ts";

/** Methods that change something; the others may be repeated anyhow (RFC 9110, 9.2.2). */
const METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * The key of a request that must not be carried out twice; null: it has none.
 * @throws AppError 400 `invalid_idempotency_key`
 */
export function idempotencyKey({ method, headers }: Request): string | null {
  const key = METHODS.has(method) ? headers.get("idempotency-key") : null;
  if (key !== null && (key === "" || key.length > MAX_KEY_LENGTH)) {
    throw badRequest(
      "invalid_idempotency_key",
      `An Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters; this one has ${key.length}.`,
    );
  }
  return key;
}

/** What a run may take beyond its limit: waiting for a slot, and ending what does not end by itself. */
const MARGIN_SECONDS = 5;

/** Carries a request with an Idempotency-Key out, or gives the answer of when it was. */
export function carryOutOnce(
  idempotency: Idempotency,
  asked: Asked,
  key: string,
  body: RunBody,
  run: (executionId: string, keep: KeepAnswer) => Promise<Response>,
): Promise<Response> {
  const { request, url, target, caller, requestId } = asked;
  const { script } = target;
  const executionId = newId();
  // Of an asynchronous route nobody waits for the run.
  const runSeconds = target.route?.dispatchMode === "async" ? 0 : script.limits.timeoutMs / 1000;
  const credential = caller.hidesAuthorization ? null : request.headers.get("authorization");
  return idempotency.once(
    {
      appId: script.appId,
      scopeId: target.route?.id ?? script.id,
      key,
      executionId,
      // Who asks belongs to it: nobody gets the answer to somebody else.
      parts: [
        request.method,
        url.path,
        url.query,
        caller.principal?.userId ?? "",
        credential ?? "",
        bodyPart(body),
      ],
      abandonedSeconds: runSeconds + MARGIN_SECONDS,
    },
    async (keep) => {
      try {
        return await run(executionId, keep);
      } catch (error) {
        // A script that failed has run: that is its answer, now and later.
        if (error instanceof AppError && isRunProblem(error)) return problemResponse(error, requestId);
        throw error;
      }
    },
  );
}

/** A body as part of what makes a request the same. */
const bodyPart = (body: RunBody): string | Uint8Array =>
  body.kind === "none" ? "" : body.kind === "bytes" ? body.bytes : body.text;
