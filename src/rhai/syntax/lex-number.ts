import { isDigit, isHexDigit, isLetter } from "./characters.ts";
import type { Cursor } from "./cursor.ts";
import { malformedNumber, type Problem } from "./problems.ts";

export type NumberToken =
  | { readonly kind: "Int" | "Float"; readonly text: string; readonly value: number | bigint }
  | { readonly kind: "Error"; readonly problem: Problem };

const SEPARATOR = 95;
const PERIOD = 46;

const isOctalDigit = (code: number): boolean => code >= 48 && code <= 55;
const isBinaryDigit = (code: number): boolean => code === 48 || code === 49;

/**
 * Reads a number whose first digit is next. `negated` means that a minus stands directly before it and belongs to
 * it: the only way to write the smallest integer. A number ends at the first character that does not fit; an integer
 * beyond 64 bits becomes a float.
 */
export const lexNumber = (cursor: Cursor, negated: boolean): NumberToken => {
  const first = cursor.next();
  let digits = String.fromCharCode(first);
  let radix = 0;
  let valid = isDigit;
  let hasPoint = false;
  let hasExponent = false;

  for (;;) {
    const code = cursor.peek();
    if (code === SEPARATOR) {
      cursor.next();
    } else if (valid(code)) {
      digits += String.fromCharCode(cursor.next());
    } else if (code === PERIOD && !hasPoint && radix === 0) {
      const after = cursor.source.codePointAt(cursor.offset + 1) ?? -1;
      // `1.x` is a property, `1._` and `1..` are no fraction either; a period before anything else makes a float.
      if (after < 0 || after === SEPARATOR || after === PERIOD || isLetter(after)) break;
      cursor.next();
      digits += isDigit(after) ? "." : ".0";
      hasPoint = true;
    } else if ((code === 101 || code === 69) && !hasExponent && radix === 0) {
      const after = cursor.source.charCodeAt(cursor.offset + 1);
      const signed = after === 43 || after === 45;
      if (!signed && !isDigit(after)) break;
      cursor.next();
      digits += "e";
      if (signed) digits += String.fromCharCode(cursor.next());
      hasExponent = true;
      hasPoint = true;
    } else if (first === 48 && digits.length === 1 && radix === 0 && radixOf(code) > 0) {
      digits += String.fromCharCode(cursor.next());
      radix = radixOf(code);
      valid = radix === 16 ? isHexDigit : radix === 8 ? isOctalDigit : isBinaryDigit;
    } else {
      break;
    }
  }

  const text = negated ? `-${digits}` : digits;
  return radix === 0 ? decimal(text) : bits(text.slice(2), radix);
};

const radixOf = (code: number): 0 | 2 | 8 | 16 => {
  switch (String.fromCharCode(code)) {
    case "x":
    case "X":
      return 16;
    case "o":
    case "O":
      return 8;
    case "b":
    case "B":
      return 2;
    default:
      return 0;
  }
};

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** A bigint as the tree holds it: a number while that is exact. */
export const compact = (value: bigint): number | bigint => {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
};

const decimal = (text: string): NumberToken => {
  if (/^-?\d+$/.test(text)) {
    // Longer ones overflow for certain unless they are padded; BigInt of a huge text would take quadratic time.
    const trimmed = text.replace(/^(-?)0+(?=\d)/, "$1");
    if (trimmed.length <= 16) {
      const value = Number(trimmed);
      if (Number.isSafeInteger(value)) return { kind: "Int", text, value: value === 0 ? 0 : value };
    }
    if (trimmed.length <= 20) {
      const value = BigInt(trimmed);
      if (value >= MIN && value <= MAX) return { kind: "Int", text, value: compact(value) };
    }
  } else if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) {
    return { kind: "Error", problem: malformedNumber(text) };
  }
  return { kind: "Float", text, value: Number(text) };
};

/** Digits of another base are a pattern of 64 bits, so the upper half is negative. */
const bits = (digits: string, radix: number): NumberToken => {
  const malformed: NumberToken = { kind: "Error", problem: malformedNumber(digits) };
  const trimmed = digits.replace(/^0+(?=.)/, "");
  // A sign leaves a stray `x`, `o` or `b` in front, which the official parser stumbles over too.
  if (trimmed === "" || trimmed.length > 64 || !/^[0-9a-fA-F]+$/.test(trimmed)) return malformed;
  if (radix < 16 && !/^[0-7]+$/.test(trimmed)) return malformed;
  const value = BigInt(`${radix === 16 ? "0x" : radix === 8 ? "0o" : "0b"}${trimmed}`);
  if (value >= 2n ** 64n) return malformed;
  return { kind: "Int", text: digits, value: compact(BigInt.asIntN(64, value)) };
};
