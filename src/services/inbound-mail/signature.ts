import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { parseInstant } from "../../shared/instant.ts";

export const SIGNATURE_HEADER = "X-PiCloud-Signature";
export const TIMESTAMP_HEADER = "X-PiCloud-Timestamp";

/** How far a timestamp may be from now, either way (CONTRACT 2.11). */
const WINDOW_MS = 5 * 60_000;

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/** What a request says about its signature; nothing of it is verified yet but that it is recent. */
export interface Claim {
  readonly signature: Uint8Array;
  /** As it was sent. */
  readonly timestamp: string;
}

/** Reads the two headers; the body need not have been read for that. @throws AppError 401 */
export function readClaim(headers: Headers, now: number): Claim {
  const [, hex] = SIGNATURE.exec(headers.get(SIGNATURE_HEADER)?.trim() ?? "") ?? [];
  if (hex === undefined) {
    throw refused(
      "signature_missing",
      `Sign the request: ${SIGNATURE_HEADER}: sha256=HEX, the HMAC-SHA256 of the body under the trigger's secret.`,
    );
  }
  const timestamp = headers.get(TIMESTAMP_HEADER)?.trim() ?? "";
  const at = readTimestamp(timestamp);
  if (at === null) {
    throw refused(
      "timestamp_missing",
      `Send ${TIMESTAMP_HEADER}: the time as seconds since 1970, or as RFC 3339.`,
    );
  }
  if (Math.abs(now - at) > WINDOW_MS) {
    throw refused(
      "timestamp_outside_window",
      `${TIMESTAMP_HEADER} is more than 5 minutes away from this server's time, ${new Date(now).toISOString()}.`,
    );
  }
  return { signature: Buffer.from(hex, "hex"), timestamp };
}

/**
 * Verifies that whoever sent a body knows the secret. Signed is the body, or the timestamp as it was sent, a dot and the
 * body: with the latter nobody can send a body again under a later time.
 * @throws AppError 401 `signature_invalid`
 */
export function verify(secret: string, body: Uint8Array, { signature, timestamp }: Claim): void {
  const ofBody = createHmac("sha256", secret).update(body).digest();
  const ofBoth = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
  // Both, always: how long it takes tells nothing.
  const matches = [ofBody, ofBoth].map((expected) => timingSafeEqual(expected, signature));
  if (!matches.includes(true))
    throw refused(
      "signature_invalid",
      `${SIGNATURE_HEADER} is not what the trigger's secret makes of the body.`,
    );
}

/** Milliseconds since 1970; null: it is no time. Seconds, milliseconds or RFC 3339. */
function readTimestamp(text: string): number | null {
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  if (/^\d{12,14}$/.test(text)) return Number(text);
  return parseInstant(text)?.getTime() ?? null;
}

const refused = (code: string, message: string): AppError => new AppError(401, code, message);
