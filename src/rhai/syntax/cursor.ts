import { position, type Pos } from "./position.ts";

/**
 * Reads a source text by code points and counts places as the official scanner does. Moving on in the text and
 * moving on in the count are apart on purpose: the official scanner forgets to count a few characters, and
 * positions in its messages show it.
 */
export class Cursor {
  readonly source: string;
  /** Next character, in UTF-16 code units. */
  offset = 0;
  private line = 1;
  /** Characters of the line taken so far. */
  column = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** The next code point without taking it; -1 at the end. */
  peek(): number {
    const code = this.source.charCodeAt(this.offset);
    if (code < 0xd800) return code;
    return this.source.codePointAt(this.offset) ?? -1;
  }

  /** Takes the next code point without counting it; -1 at the end. */
  take(): number {
    const code = this.peek();
    if (code >= 0) this.offset += code > 0xffff ? 2 : 1;
    return code;
  }

  /** Takes and counts the next code point; -1 at the end, where nothing is counted. */
  next(): number {
    const code = this.take();
    if (code >= 0) this.column++;
    return code;
  }

  /** Takes and counts `length` code units that are known to be ASCII and on one line. */
  skip(length: number): void {
    this.offset += length;
    this.column += length;
  }

  newLine(): void {
    this.line++;
    this.column = 0;
  }

  position(): Pos {
    return position(this.line, this.column);
  }
}
