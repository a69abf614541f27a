import { createHash } from "node:crypto";
import type { Database, Queryable } from "../../database/client.ts";
import { conflict, invalid, type AppError } from "../../shared/errors.ts";
import { logger } from "../../shared/log.ts";
import {
  readKey,
  releaseKey,
  storeAnswer,
  takeKey,
  type KeyedRequest,
  type StoredAnswer,
} from "./queries.ts";

export interface IdempotentRequest extends KeyedRequest {
  /** Everything that makes it this request: method, URL, who sends it, the body. A repetition has the same. */
  readonly parts: readonly (string | Uint8Array)[];
  readonly executionId: string;
  /** A request that has had no answer for so long never will: its process died. */
  readonly abandonedSeconds: number;
}

/**
 * Keeps the answer in the transaction that carries the request out, so that a crash leaves both or neither.
 * @throws AppError 409 `in_progress` when the key has been given to somebody else meanwhile
 */
export type KeepAnswer = (sql: Queryable, answer: Response) => Promise<void>;

export interface Idempotency {
  /**
   * Carries a request out unless it was before; then its answer is given again, with `Idempotent-Replayed: true`. An
   * answer is stored before it is given. When `carryOut` rejects, nothing was done, and the key is free again, unless the
   * answer was kept.
   * @throws AppError 409 `in_progress` with Retry-After, 422 `idempotency_key_reused` for another request's key
   */
  once(request: IdempotentRequest, carryOut: (keep: KeepAnswer) => Promise<Response>): Promise<Response>;
}

/** Longest Idempotency-Key. */
export const MAX_KEY_LENGTH = 200;

/** Headers of an answer that belong to the one request, not to what is repeated. */
const PER_REQUEST: ReadonlySet<string> = new Set(["x-request-id", "x-queue-ms"]);

/** Idempotency keys as Stripe has them, kept for 24 hours (CONTRACT 14.3). */
export function createIdempotency(db: Database): Idempotency {
  return {
    async once(request, carryOut) {
      const sha256 = hash(request.parts);
      if (!(await takeKey(db, request, { ...request, sha256 }))) {
        const known = await readKey(db, request);
        if (known !== undefined && Buffer.compare(known.request_sha256, sha256) !== 0) throw reused();
        if (known === undefined || known.status === null) throw inProgress();
        return replayed({
          status: known.status,
          headers: known.headers ?? [],
          body: known.body ?? new Uint8Array(),
        });
      }
      let kept: readonly StoredAnswer[] = [];
      const keep: KeepAnswer = async (sql, response) => {
        const stored = await readAnswer(response);
        if (!(await storeAnswer(sql, request, request.executionId, stored))) throw inProgress();
        kept = [stored];
      };
      let answer: Response;
      try {
        answer = await carryOut(keep);
      } catch (error) {
        await quietly(releaseKey(db, request, request.executionId));
        throw error;
      }
      const stored = kept[0] ?? (await readAnswer(answer));
      if (kept.length === 0) await quietly(storeAnswer(db, request, request.executionId, stored));
      return new Response(bodyOf(stored), { status: stored.status, headers: answer.headers });
    },
  };
}

/** What was carried out is answered, whatever becomes of the record of it: a key that stays taken is freed later. */
async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    logger("idempotency").warning("an answer could not be kept for repetitions: {error}", { error });
  }
}

function hash(parts: IdempotentRequest["parts"]): Uint8Array {
  const sha256 = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    // With its length, so that no two lists of parts are the same bytes.
    sha256.update(`${bytes.length}:`).update(bytes);
  }
  return sha256.digest();
}

async function readAnswer(answer: Response): Promise<StoredAnswer> {
  const headers = [...answer.headers].filter(([name]) => !PER_REQUEST.has(name));
  return { status: answer.status, headers, body: await answer.bytes() };
}

function replayed(answer: StoredAnswer): Response {
  return new Response(bodyOf(answer), {
    status: answer.status,
    headers: [...answer.headers, ["Idempotent-Replayed", "true"]],
  });
}

/** Some answers must not have a body, not even an empty one. */
const bodyOf = ({ body }: StoredAnswer): Uint8Array<ArrayBuffer> | null =>
  body.length === 0 ? null : new Uint8Array(body);

const inProgress = (): AppError =>
  conflict("in_progress", "The first request with this Idempotency-Key is still under way.", {
    headers: { "Retry-After": "1" },
  });

const reused = (): AppError =>
  invalid(
    "idempotency_key_reused",
    "This Idempotency-Key was used for another request. Send a new key, or the same request.",
  );
