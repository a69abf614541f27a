import { isHexDigit, isUnicodeSpace, utf8Length } from "./characters.ts";
import type { Cursor } from "./cursor.ts";
import { NONE, type Pos } from "./position.ts";
import {
  literalTooLarge,
  malformedEscape,
  type Problem,
  unexpectedInput,
  UNTERMINATED_STRING,
} from "./problems.ts";

export interface StringFailure {
  readonly problem: Problem;
  readonly pos: Pos;
}

export interface StringText {
  readonly text: string;
  /** It ends at a hole `${`: the dollar is taken, the brace is next. */
  readonly interpolated: boolean;
  /** Place of its first character; NONE if it is empty. */
  readonly first: Pos;
  /** The source ended before the text did. */
  readonly open: boolean;
}

export type StringResult = StringText | StringFailure;

export const isFailure = (result: StringResult): result is StringFailure => "problem" in result;

const tooLong = (limit: number, pos: Pos): StringFailure => ({
  problem: literalTooLarge("Length of string", limit),
  pos,
});

const QUOTE = 34;
const HASH = 35;
const DOLLAR = 36;
const BACKSLASH = 92;
const BRACE = 123;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Reads the rest of a text in which nothing is escaped but a doubled back-tick and `\${`: what follows the opening
 * back-tick, or the brace that closes a hole.
 * @param limit largest number of bytes in UTF-8; 0 for no limit.
 */
export const lexTemplate = (cursor: Cursor, limit: number): StringResult => {
  const TICK = 96;
  const start = cursor.position();
  const { source } = cursor;
  let first = NONE;
  let text = "";
  let from = cursor.offset;
  let bytes = 0;

  const flush = (end: number): void => {
    if (end > from) text += source.slice(from, end);
  };

  for (;;) {
    const at = cursor.offset;
    let code = cursor.next();
    if (code < 0) {
      flush(at);
      if (limit > 0 && bytes > limit) return tooLong(limit, start);
      return { text, interpolated: false, first, open: true };
    }
    if (code === DOLLAR && cursor.peek() === BRACE) {
      flush(at);
      if (limit > 0 && bytes > limit) return tooLong(limit, start);
      return { text, interpolated: true, first, open: false };
    }
    if (code === BACKSLASH && source.startsWith("${", cursor.offset)) {
      // The official scanner does not count the dollar.
      flush(at);
      from = cursor.offset;
      cursor.take();
      code = DOLLAR;
    }
    if (limit > 0 && bytes > limit) return tooLong(limit, start);
    if (code === TICK) {
      flush(at);
      if (cursor.peek() !== TICK) return { text, interpolated: false, first, open: false };
      from = cursor.offset;
      cursor.next();
    }
    if (first === NONE) first = cursor.position();
    if (code === CARRIAGE_RETURN && cursor.peek() === LINE_FEED) {
      flush(at);
      from = cursor.offset;
      continue;
    }
    if (code === LINE_FEED) cursor.newLine();
    bytes += utf8Length(code);
  }
};

/**
 * Reads the rest of a text in `"` or `'` (only the former may run on over lines that end in a backslash).
 * @param limit largest number of bytes in UTF-8; 0 for no limit.
 */
export const lexQuoted = (cursor: Cursor, quote: number, limit: number): StringResult => {
  const start = cursor.position();
  const startColumn = cursor.column;
  const { source } = cursor;
  let first = NONE;
  let text = "";
  let from = cursor.offset;
  let bytes = 0;
  let escaped = false;
  /** White space is dropped up to here after a continued line. */
  let skipBefore = 0;

  /** Takes the run of plain characters before `end` into the text; the next run begins after the cursor. */
  const flush = (end: number): void => {
    if (end > from) text += source.slice(from, end);
    from = cursor.offset;
  };
  const append = (character: string, code: number): void => {
    text += character;
    bytes += utf8Length(code);
    escaped = false;
    from = cursor.offset;
  };

  for (;;) {
    const at = cursor.offset;
    const code = cursor.next();
    if (code < 0) return { problem: UNTERMINATED_STRING, pos: start };
    if (limit > 0 && bytes > limit) return tooLong(limit, start);
    if (code === quote && !escaped) {
      flush(at);
      if (cursor.peek() !== quote) return { text, interpolated: false, first, open: false };
      // A doubled quote stands for one.
      cursor.next();
      if (first === NONE) first = cursor.position();
      append(String.fromCharCode(quote), quote);
      skipBefore = 0;
      continue;
    }
    if (first === NONE) first = cursor.position();

    if (code === CARRIAGE_RETURN && cursor.peek() === LINE_FEED) {
      flush(at);
    } else if (code === LINE_FEED) {
      if (!escaped || quote !== QUOTE) return { problem: UNTERMINATED_STRING, pos: start };
      escaped = false;
      cursor.newLine();
      from = cursor.offset;
      skipBefore = startColumn + 1;
    } else if (escaped) {
      const character = String.fromCodePoint(code);
      const plain = ESCAPES.get(character) ?? (code === quote ? character : undefined);
      if (plain !== undefined) {
        append(plain, 1);
        continue;
      }
      const length = HEX_LENGTHS.get(character);
      if (length === undefined) return { problem: malformedEscape(`\\${character}`), pos: cursor.position() };
      const scalar = hexEscape(cursor, `\\${character}`, length);
      if (typeof scalar !== "number") return scalar;
      append(String.fromCodePoint(scalar), scalar);
    } else if (code === BACKSLASH) {
      flush(at);
      escaped = true;
    } else if (skipBefore > 0 && cursor.column < skipBefore && isUnicodeSpace(code)) {
      from = cursor.offset;
    } else {
      skipBefore = 0;
      bytes += utf8Length(code);
    }
  }
};

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["r", "\r"],
  ["n", "\n"],
  ["t", "\t"],
  ["\\", "\\"],
]);

const HEX_LENGTHS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/** Reads exactly `length` hexadecimal digits that name a Unicode scalar value. */
const hexEscape = (cursor: Cursor, introduction: string, length: number): number | StringFailure => {
  let sequence = introduction;
  let value = 0;
  for (let count = 0; count < length; count++) {
    const code = cursor.next();
    if (code < 0) return { problem: malformedEscape(sequence), pos: cursor.position() };
    sequence += String.fromCodePoint(code);
    if (!isHexDigit(code)) return { problem: malformedEscape(sequence), pos: cursor.position() };
    value = value * 16 + Number.parseInt(String.fromCharCode(code), 16);
  }
  const surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value > 0x10ffff || surrogate) return { problem: malformedEscape(sequence), pos: cursor.position() };
  return value;
};

/**
 * Reads a raw text `#"…"#` whose first hash is taken: nothing is escaped, and it ends at a quote with as many hashes.
 * @param limit largest number of bytes in UTF-8; 0 for no limit.
 */
export const lexRaw = (cursor: Cursor, limit: number): StringResult => {
  const start = cursor.position();
  const { source } = cursor;
  let hashes = 1;
  while (cursor.peek() === HASH) {
    cursor.next();
    hashes++;
  }
  const opening = cursor.next();
  if (opening < 0) return { problem: UNTERMINATED_STRING, pos: start };
  if (opening !== QUOTE) return { problem: unexpectedInput(String.fromCodePoint(opening)), pos: start };

  const from = cursor.offset;
  let bytes = 0;
  /** Hashes seen since the last quote; -1 when the last character was neither. */
  let seen = -1;
  for (;;) {
    const code = cursor.next();
    if (code < 0) return { text: source.slice(from), interpolated: false, first: NONE, open: true };
    if (code === QUOTE) {
      // A quote that did not close the text belongs to it, with its hashes.
      if (seen >= 0) bytes += 1 + seen;
      seen = 0;
    } else if (code === HASH && seen >= 0) {
      seen++;
      if (seen === hashes) {
        const text = source.slice(from, cursor.offset - hashes - 1);
        return { text, interpolated: false, first: NONE, open: false };
      }
    } else {
      // The official scanner does not count a line end directly behind such a quote.
      if (seen >= 0) bytes += 1 + seen;
      else if (code === LINE_FEED) cursor.newLine();
      bytes += utf8Length(code);
      seen = -1;
    }
    if (limit > 0 && bytes > limit) return tooLong(limit, start);
  }
};
