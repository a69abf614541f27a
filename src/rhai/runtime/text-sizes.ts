import { byteLength } from "./text.ts";

/** Strings of fewer units than this are measured each time. */
export const LONG_TEXT = 4096;

/** As many growing strings as scripts usually work on side by side. */
const REMEMBERED = 4;

/**
 * The bytes of long strings last made or measured. Concatenation makes strings that are stored as trees until someone
 * looks at their characters; with this their size is known without looking, so that appending takes constant time.
 * Strings are told apart by length first: comparing two of different length costs nothing.
 */
export class TextSizes {
  readonly #texts: string[] = Array.from({ length: REMEMBERED }, () => "");
  readonly #bytes: number[] = Array.from({ length: REMEMBERED }, () => 0);
  #next = 0;

  /** Bytes of the UTF-8 form. */
  bytesOf(text: string): number {
    if (text.length < LONG_TEXT) return byteLength(text);
    for (let i = 0; i < REMEMBERED; i++) {
      const known = this.#texts[i];
      if (known !== undefined && known.length === text.length && known === text) return this.#bytes[i] ?? 0;
    }
    const bytes = byteLength(text);
    this.#remember(text, bytes, "");
    return bytes;
  }

  /** Notes the size of `text`, which is `a` followed by `b`, and answers it. */
  joined(text: string, a: string, b: string): number {
    const bytes = this.bytesOf(a) + this.bytesOf(b);
    if (text.length >= LONG_TEXT) this.#remember(text, bytes, a.length < b.length ? b : a);
    return bytes;
  }

  /** A string that has grown takes the place of the one it was made from. */
  #remember(text: string, bytes: number, grownFrom: string): void {
    const { length } = grownFrom;
    let at = length < LONG_TEXT ? -1 : this.#texts.findIndex((known) => known.length === length);
    if (at < 0) {
      at = this.#next;
      this.#next = (at + 1) % REMEMBERED;
    }
    this.#texts[at] = text;
    this.#bytes[at] = bytes;
  }
}
