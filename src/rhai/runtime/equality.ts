import { NONE } from "../syntax/position.ts";
import type { Entries } from "./entries.ts";
import { RhaiError } from "./errors.ts";
import { compareText, sortedKeys } from "./text.ts";
import { Tagged, untagged } from "./tagged.ts";
import { signature, typeName } from "./type-name.ts";
import { U8 } from "./u8.ts";
import { Char, Float, FnPtr, HostValue, Range, RhaiArray, RhaiBlob, RhaiMap, type Value } from "./values.ts";

/**
 * `a == b`. Values of different types are unequal, except that int and float, and char and string, compare by
 * content. Throws ErrorFunctionNotFound for two values of one type that has no `==` (functions, …), also deep inside.
 */
export function equals(a: Value, b: Value, meter?: Meter): boolean {
  if (typeof a !== "object" && typeof b !== "object") return a === b;
  if (isNumber(a) && isNumber(b)) return floatEquals(toFloat(a), toFloat(b));
  if (isText(a) && isText(b)) return textOf(a) === textOf(b);
  if (a instanceof RhaiArray && b instanceof RhaiArray) return arraysEqual(a.items, b.items, meter);
  if (a instanceof RhaiMap && b instanceof RhaiMap) return mapsEqual(a.entries, b.entries, meter);
  if (a instanceof RhaiBlob && b instanceof RhaiBlob) return blobsEqual(a, b);
  if (a instanceof Range && b instanceof Range && a.inclusive === b.inclusive) {
    return a.from === b.from && a.to === b.to;
  }
  if (a instanceof U8 && b instanceof U8) return a.value === b.value;
  if (isComparable(a)) {
    const order = a.compareTo(b);
    if (order !== null) return order === 0;
  }
  return differ("==", a, b);
}

/** `a != b`. Not always the opposite of `==`: with a NaN or an infinity both are false. */
export function notEquals(a: Value, b: Value, meter?: Meter): boolean {
  if (typeof a !== "object" && typeof b !== "object") return a !== b;
  if (isNumber(a) && isNumber(b)) return floatDiffers(toFloat(a), toFloat(b));
  if (a instanceof Range && b instanceof Range && a.inclusive !== b.inclusive) return true;
  if (lacksOperators(a, b)) throw noOperator("!=", a, b);
  return !equals(a, b, meter);
}

export function less(a: Value, b: Value): boolean {
  return ordered("<", a, b);
}

export function lessEqual(a: Value, b: Value): boolean {
  return ordered("<=", a, b);
}

export function greater(a: Value, b: Value): boolean {
  return ordered(">", a, b);
}

export function greaterEqual(a: Value, b: Value): boolean {
  return ordered(">=", a, b);
}

/**
 * `==` as contains, index_of and the comparison of containers use it on elements: values of different types that
 * have no `==` are unequal instead of an error.
 */
export function elementsEqual(a: Value, b: Value, meter?: Meter): boolean {
  return lacksOperators(a, b) && typeName(a) !== typeName(b) ? false : equals(a, b, meter);
}

/** Largest relative difference at which two floats count as equal. */
const EPSILON = Number.EPSILON;

/**
 * Float `==`: the difference relative to the larger magnitude is within 2.22e-16. False with NaN and infinities, except
 * that NaN equals 0.
 */
export function floatEquals(x: number, y: number): boolean {
  return Math.abs(x - y) / scale(x, y) <= EPSILON || isNanAgainstZero(x, y);
}

/** Float `!=`. */
export function floatDiffers(x: number, y: number): boolean {
  return Math.abs(x - y) / scale(x, y) > EPSILON;
}

/** Float `<`. */
export function floatLess(x: number, y: number): boolean {
  return (y - x) / scale(x, y) > EPSILON;
}

/** Float `<=`. */
export function floatLessEqual(x: number, y: number): boolean {
  return (y - x) / scale(x, y) > -EPSILON || isNanAgainstZero(x, y);
}

export const floatGreater = (x: number, y: number): boolean => floatLess(y, x);

export const floatGreaterEqual = (x: number, y: number): boolean => floatLessEqual(y, x);

/** Counts the work of comparing containers; a NativeContext is one. */
export interface Meter {
  charge(operations: number): void;
}

/** A native object that has an order: `compareTo` answers null for what it cannot be compared with. */
export interface Comparable {
  compareTo(other: Value): number | null;
}

type Comparison = "<" | "<=" | ">" | ">=";

function ordered(operator: Comparison, a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) {
    if (a instanceof Float || b instanceof Float) return floatOrdered(operator, toFloat(a), toFloat(b));
    return holds(operator, a < b ? -1 : a > b ? 1 : 0);
  }
  if (isText(a) && isText(b)) return holds(operator, compareText(textOf(a), textOf(b)));
  if (typeof a === "boolean" && typeof b === "boolean") return holds(operator, Number(a) - Number(b));
  if (a === undefined && b === undefined) return false;
  if (a instanceof U8 && b instanceof U8) return holds(operator, a.value - b.value);
  if (isComparable(a)) {
    const order = a.compareTo(b);
    if (order !== null) return holds(operator, order);
  }
  return differ(operator, a, b);
}

function floatOrdered(operator: Comparison, x: number, y: number): boolean {
  switch (operator) {
    case "<":
      return floatLess(x, y);
    case "<=":
      return floatLessEqual(x, y);
    case ">":
      return floatLess(y, x);
    case ">=":
      return floatLessEqual(y, x);
  }
}

function holds(operator: Comparison, order: number): boolean {
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/** False for values of different types; an error for those of one type, and for unrelated number types. */
function differ(operator: Comparison | "==", a: Value, b: Value): boolean {
  if (a instanceof Tagged || b instanceof Tagged) {
    const [x, y] = [untagged(a), untagged(b)];
    return operator === "==" ? equals(x, y) : ordered(operator, x, y);
  }
  if (typeName(a) === typeName(b) || lacksOperators(a, b)) throw noOperator(operator, a, b);
  return false;
}

/** True for pairs that no comparison is made for, not even the one that tells apart values of different types. */
function lacksOperators(a: Value, b: Value): boolean {
  if (a instanceof Range) return b instanceof Range && a.inclusive !== b.inclusive;
  if (a instanceof U8) return isNumber(b);
  // An oversight of the official one, the other way round they are just different.
  if (a instanceof RhaiBlob && b instanceof Char) return true;
  if (b instanceof U8) return isNumber(a);
  if (a instanceof FnPtr) return b instanceof FnPtr;
  if (a instanceof Tagged) return false;
  return a instanceof HostValue && !isComparable(a) && typeName(a) === typeName(b);
}

function noOperator(operator: string, a: Value, b: Value): RhaiError {
  const called = signature(operator, [a, b]);
  return new RhaiError("ErrorFunctionNotFound", `Function not found: ${called}`, NONE, { function: called });
}

function arraysEqual(a: readonly Value[], b: readonly Value[], meter?: Meter): boolean {
  if (a.length !== b.length) return false;
  meter?.charge((a.length + 3) >>> 2);
  for (let i = 0; i < a.length; i++) if (!elementsEqual(a[i], b[i], meter)) return false;
  return true;
}

/** Unlike in arrays, two kinds of range as values are an error, and the order of keys decides which error comes. */
function mapsEqual(a: Entries, b: Entries, meter?: Meter): boolean {
  if (a.size !== b.size) return false;
  meter?.charge((a.size + 1) >>> 1);
  for (const key of sortedKeys(a)) {
    if (!b.has(key) || !equals(a.get(key), b.get(key), meter)) return false;
  }
  return true;
}

function blobsEqual(a: RhaiBlob, b: RhaiBlob): boolean {
  return a.length === b.length && Buffer.compare(a.view(), b.view()) === 0;
}

/** The official scale is 0 then, which counts as equality of two zeros. */
function isNanAgainstZero(x: number, y: number): boolean {
  return (Number.isNaN(x) && y === 0) || (x === 0 && Number.isNaN(y));
}

function scale(x: number, y: number): number {
  return x * y === 0 ? 1 : Math.max(Math.abs(x), Math.abs(y));
}

function isNumber(value: Value): value is number | bigint | Float {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Float;
}

function isText(value: Value): value is string | Char {
  return typeof value === "string" || value instanceof Char;
}

function textOf(value: string | Char): string {
  return typeof value === "string" ? value : value.text;
}

function toFloat(value: number | bigint | Float): number {
  return value instanceof Float ? value.value : Number(value);
}

function isComparable(value: Value): value is Value & Comparable {
  return typeof value === "object" && "compareTo" in value;
}
