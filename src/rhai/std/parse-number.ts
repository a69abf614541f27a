import { INT_MAX, INT_MIN, type Int, normalizeInt } from "../runtime/int.ts";
import { arithmeticError } from "./results.ts";
import { trim } from "./whitespace.ts";

/** The integer that a text spells in a base: one sign at most, then digits only. Throws ErrorArithmetic. */
export function parseIntText(text: string, radix: Int): Int {
  if (radix < 2 || radix > 36) throw arithmeticError(`Invalid radix: '${radix}'`);
  const trimmed = trim(text);
  const fail = (reason: string): never => {
    throw arithmeticError(`Error parsing integer number '${text}': ${reason}`);
  };
  if (trimmed === "") return fail("cannot parse integer from empty string");
  const sign = trimmed[0] === "-" ? -1 : 1;
  const digits = trimmed[0] === "-" || trimmed[0] === "+" ? trimmed.slice(1) : trimmed;
  if (digits === "") return fail("invalid digit found in string");
  const base = Number(radix);
  const largest = sign < 0 ? -INT_MIN : INT_MAX;
  let value: number | bigint = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digitOf(digits.charCodeAt(i));
    if (digit >= base) return fail("invalid digit found in string");
    if (typeof value === "number" && value <= SAFE_STEP) value = value * base + digit;
    else value = BigInt(value) * BigInt(base) + BigInt(digit);
    // As in Rust, what follows the digit that overflows is not looked at.
    if (value > largest) return fail(`number too ${sign < 0 ? "small" : "large"} to fit in target type`);
  }
  return normalizeInt(BigInt(value) * BigInt(sign));
}

/** The float that a text spells: Rust's grammar, which knows `inf`, `nan`, `.5` and `5.`. Throws ErrorArithmetic. */
export function parseFloatText(text: string): number {
  const trimmed = trim(text);
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return Number(trimmed);
  const named = /^([+-]?)(inf|infinity|nan)$/i.exec(trimmed);
  if (named === null) {
    const reason = trimmed === "" ? "cannot parse float from empty string" : "invalid float literal";
    throw arithmeticError(`Error parsing floating-point number '${text}': ${reason}`);
  }
  if (named[2]?.toLowerCase() === "nan") return NaN;
  return named[1] === "-" ? -Infinity : Infinity;
}

/** Up to here one more digit in base 36 keeps a number exact. */
const SAFE_STEP = 2 ** 47;

function digitOf(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48;
  const letter = unit | 32;
  return letter >= 97 && letter <= 122 ? letter - 87 : 99;
}
