import type { Randomness } from "./sessions.ts";

/** Letters and digits that are not mistaken for one another: 31 of them, so 20 carry 99 bits. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";

export const systemRandomness: Randomness = (length) => crypto.getRandomValues(new Uint8Array(length));

/** A password that a person can type: `abcde-fghjk-mnpqr-stuvw`. */
export function randomPassword(randomness: Randomness = systemRandomness): string {
  let text = "";
  while (text.length < 20) {
    for (const byte of randomness(32)) {
      // 248 is the largest multiple of 31 below 256; bytes beyond would favour the first letters.
      if (byte < 248 && text.length < 20) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text.replace(/(.{5})(?=.)/g, "$1-");
}
