import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** What was sealed: useless without the key, and only good for the place that it was sealed for. */
export interface Sealed {
  /** 96 bits, new for each seal. */
  readonly nonce: Uint8Array;
  /** With the tag (16 bytes) at its end. */
  readonly ciphertext: Uint8Array;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals bytes with AES-256-GCM.
 * @param key 32 bytes
 * @param place what belongs to it without being secret (the associated data): it opens with the same text only
 */
export function seal(key: Uint8Array, plain: Uint8Array, place: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(place));
  return { nonce, ciphertext: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}

/** @throws Error for another key, another place, or bytes that were changed */
export function open(key: Uint8Array, { nonce, ciphertext }: Sealed, place: string): Buffer {
  const text = ciphertext.subarray(0, -TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place))
    .setAuthTag(ciphertext.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(text), decipher.final()]);
}
