import type { RunBody } from "../executor/index.ts";
import { MAX_KEY_LENGTH } from "../services/idempotency/index.ts";
import { badRequest } from "../shared/errors.ts";

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

/** A body as part of what makes a request the same. */
export const bodyPart = (body: RunBody): string | Uint8Array =>
  body.kind === "none" ? "" : body.kind === "bytes" ? body.bytes : body.text;
