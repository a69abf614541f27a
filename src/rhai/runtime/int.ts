import { RhaiError } from "./errors.ts";

/** An i64: a number while it is a safe integer (never -0), a bigint beyond. Every function here answers this form. */
export type Int = number | bigint;

export const INT_MIN = -9223372036854775808n;
export const INT_MAX = 9223372036854775807n;

/** The largest float below 2^63. */
const NEAR_MAX = 9223372036854774784;

const SAFE = Number.MAX_SAFE_INTEGER;
const U32_MAX = 0xffff_ffff;
const TWO_32 = 0x1_0000_0000;

/** The canonical form of an integer that is known to lie within i64. */
export function normalizeInt(value: bigint): Int {
  const near = Number(value);
  return near >= -SAFE && near <= SAFE ? near : value;
}

/** The canonical form of the low 64 bits of any integer, as a signed number. */
export function wrapInt(value: bigint): Int {
  return normalizeInt(BigInt.asIntN(64, value));
}

/** The integer a float holds once its fraction is cut off, or null when that is outside i64 (or NaN). */
export function intFromFloat(value: number): Int | null {
  const whole = Math.trunc(value);
  if (whole >= -SAFE && whole <= SAFE) return whole + 0;
  // 2^63 itself is not an i64, but -2^63 is.
  if (!(whole >= -9223372036854775808 && whole < 9223372036854775808)) return null;
  return normalizeInt(BigInt(whole));
}

/** a + b. Throws ErrorArithmetic beyond i64, like all operations below that can leave it. */
export function add(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum <= SAFE && sum >= -SAFE) return sum;
  }
  const sum = (typeof a === "bigint" ? a : BigInt(a)) + (typeof b === "bigint" ? b : BigInt(b));
  return bounded(sum) ?? fail(`Addition overflow: ${a} + ${b}`);
}

export function sub(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (difference <= SAFE && difference >= -SAFE) return difference;
  }
  const difference = (typeof a === "bigint" ? a : BigInt(a)) - (typeof b === "bigint" ? b : BigInt(b));
  return bounded(difference) ?? fail(`Subtraction overflow: ${a} - ${b}`);
}

export function mul(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    // A rounded product is never below 2^53, so what passes is exact; adding 0 turns -0 into 0.
    if (product <= SAFE && product >= -SAFE) return product + 0;
  }
  const product = (typeof a === "bigint" ? a : BigInt(a)) * (typeof b === "bigint" ? b : BigInt(b));
  return bounded(product) ?? fail(`Multiplication overflow: ${a} * ${b}`);
}

/** The quotient, cut off towards zero. */
export function div(a: Int, b: Int): Int {
  if (b === 0) return fail(`Division by zero: ${a} / 0`);
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b) + 0;
  const quotient = BigInt(a) / BigInt(b);
  return bounded(quotient) ?? fail(`Division overflow: ${a} / ${b}`);
}

/** The remainder; it has the sign of `a`. */
export function rem(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number" && b !== 0) return (a % b) + 0;
  if (b === 0 || (b === -1 && a === INT_MIN)) {
    return fail(`Modulo division by zero or overflow: ${a} % ${b}`);
  }
  return normalizeInt(BigInt(a) % BigInt(b));
}

export function pow(a: Int, b: Int): Int {
  if (b > U32_MAX) return fail(`Exponential overflow: ${a} ** ${b}`);
  if (b < 0) return fail(`Integer raised to a negative power: ${a} ** ${b}`);
  if (b === 0 || a === 1) return 1;
  if (a === 0) return 0;
  let exponent = Number(b);
  if (a === -1) return exponent % 2 === 0 ? 1 : -1;
  if (exponent > 63) return fail(`Exponential overflow: ${a} ** ${b}`);
  if (typeof a === "number") {
    let result = 1;
    let base = a;
    while (true) {
      if (exponent % 2 === 1) result *= base;
      exponent = Math.floor(exponent / 2);
      if (exponent === 0) break;
      base *= base;
    }
    // Every factor is at most the result, so a safe result had exact steps.
    if (result <= SAFE && result >= -SAFE) return result;
  }
  const result = BigInt(a) ** BigInt(b);
  return bounded(result) ?? fail(`Exponential overflow: ${a} ** ${b}`);
}

export function neg(a: Int): Int {
  if (typeof a === "number") return 0 - a;
  return a === INT_MIN ? fail(`Negation overflow: -${a}`) : -a;
}

export function abs(a: Int): Int {
  return a < 0 ? neg(a) : a;
}

/** -1, 0 or 1. */
export function sign(a: Int): number {
  return a > 0 ? 1 : a < 0 ? -1 : 0;
}

/** a << b in 64 bits. A negative count shifts the other way; 64 or more leaves 0. */
export function shl(a: Int, b: Int): Int {
  if (b < 0) return shr(a, negatedCount(b));
  if (b > 63) return 0;
  if (typeof a === "number") {
    const shifted = a * 2 ** Number(b);
    if (shifted <= SAFE && shifted >= -SAFE) return shifted;
  }
  return wrapInt(BigInt(a) << BigInt(b));
}

/** Arithmetic a >> b. A negative count shifts the other way; 64 or more leaves the sign. */
export function shr(a: Int, b: Int): Int {
  if (b < 0) return shl(a, negatedCount(b));
  if (b > 63) return a < 0 ? -1 : 0;
  if (typeof a === "number") return Math.floor(a / 2 ** Number(b));
  return normalizeInt(a >> BigInt(b));
}

export function and(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    if ((a | 0) === a && (b | 0) === b) return a & b;
    return join(high(a) & high(b), a & b);
  }
  return normalizeInt(BigInt(a) & BigInt(b));
}

export function or(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    if ((a | 0) === a && (b | 0) === b) return a | b;
    return join(high(a) | high(b), a | b);
  }
  return normalizeInt(BigInt(a) | BigInt(b));
}

export function xor(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    if ((a | 0) === a && (b | 0) === b) return a ^ b;
    return join(high(a) ^ high(b), a ^ b);
  }
  return normalizeInt(BigInt(a) ^ BigInt(b));
}

/** The canonical form of an integer if it lies within i64, else null. */
function bounded(value: bigint): Int | null {
  // A float of a bigint compares faster than the bigint, and none beyond 2^53 is rounded to less.
  const near = Number(value);
  if (near < NEAR_MAX && near > -NEAR_MAX) return near <= SAFE && near >= -SAFE ? near : value;
  return value >= INT_MIN && value <= INT_MAX ? value : null;
}

function negatedCount(count: Int): Int {
  return count === INT_MIN ? INT_MAX : neg(count);
}

/** The bits of a safe integer above the lowest 32, sign extended. */
function high(value: number): number {
  return Math.floor(value / TWO_32);
}

function join(highBits: number, lowBits: number): Int {
  const value = highBits * TWO_32 + (lowBits >>> 0);
  // -2^53 is exact but not canonical as a number.
  return value >= -SAFE ? value : BigInt(value);
}

/** Never returns. The official errors of built-in integer operators carry no position. */
function fail(text: string): never {
  throw new RhaiError("ErrorArithmetic", text);
}
