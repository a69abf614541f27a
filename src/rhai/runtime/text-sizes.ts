import { byteLength } from "./text.ts";

/** Strings of fewer units than this are measured each time. */
export const LONG_TEXT = 4096;

/** As many growing strings as scripts usually work on side by side. */
const REMEMBERED = 4;

/** Texts up to this length are gone through here, which is faster than a call of the host's function. */
const SHORT = 64;

/** A string and the bytes of its UTF-8 form. */
interface Known {
  text: string;
  bytes: number;
}

/** Shorter than any string that is looked for, so that it is never found nor changed. */
const NOTHING: Known = { text: "", bytes: 0 };

/**
 * The bytes of long strings last made or measured. Concatenation makes strings that are stored as trees until someone
 * looks at their characters; with this their size is known without looking, so that appending takes constant time.
 * Strings are told apart by length first: comparing two of different length costs nothing.
 */
export class TextSizes {
  /** Made when they are needed: most runs have no long strings. */
  readonly #known: Known[] = [];
  /** The one last used. */
  #last: Known = NOTHING;
  #next = REMEMBERED - 1;

  /** Bytes of the UTF-8 form. */
  bytesOf(text: string): number {
    if (text.length < LONG_TEXT) return text.length <= SHORT ? shortBytes(text) : byteLength(text);
    return this.#entry(text).bytes;
  }

  /** Notes the size of `text`, which is `a` followed by `b`, and answers it. */
  joined(text: string, a: string, b: string): number {
    const bytes = this.bytesOf(a) + this.bytesOf(b);
    if (text.length < LONG_TEXT) return bytes;
    // A string that has grown takes the place of the one it was made from.
    const longer = a.length < b.length ? b : a;
    const entry = this.#last.text.length === longer.length ? this.#last : this.#oldest();
    entry.text = text;
    entry.bytes = bytes;
    this.#last = entry;
    return bytes;
  }

  #entry(text: string): Known {
    if (this.#last.text.length === text.length && this.#last.text === text) return this.#last;
    let entry = this.#known.find((known) => known.text.length === text.length && known.text === text);
    if (entry === undefined) {
      entry = this.#oldest();
      entry.text = text;
      entry.bytes = byteLength(text);
    }
    this.#last = entry;
    return entry;
  }

  #oldest(): Known {
    this.#next = (this.#next + 1) % REMEMBERED;
    const entry = this.#known[this.#next];
    if (entry !== undefined) return entry;
    const added = { text: "", bytes: 0 };
    this.#known[this.#next] = added;
    return added;
  }
}

function shortBytes(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return byteLength(text);
  return text.length;
}
