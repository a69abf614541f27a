import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { U8 } from "../runtime/u8.ts";
import { Float, type Value } from "../runtime/values.ts";
import { declare, withGetter } from "./define.ts";
import { arithmeticError } from "./results.ts";

/** Bytes as the iteration over a blob yields them: a number type of their own that goes from 0 to 255. */

const arithmeticNative = declare("arithmetic");
const logicNative = declare("logic");
const mathNative = declare("math_basic");
const stringNative = declare("string_basic");

type Operation = (a: number, b: number) => number;

const CHECKED: readonly (readonly [name: string, failure: string, operation: Operation])[] = [
  ["+", "Addition overflow", (a, b) => a + b],
  ["-", "Subtraction overflow", (a, b) => a - b],
  ["*", "Multiplication overflow", (a, b) => a * b],
  ["%", "Modulo division by zero or overflow", (a, b) => a % b],
  ["&", "", (a, b) => a & b],
  ["|", "", (a, b) => a | b],
  ["^", "", (a, b) => a ^ b],
];

const COMPARED: readonly (readonly [name: string, comparison: (a: number, b: number) => boolean])[] = [
  ["==", (a, b) => a === b],
  ["!=", (a, b) => a !== b],
  ["<", (a, b) => a < b],
  ["<=", (a, b) => a <= b],
  [">", (a, b) => a > b],
  [">=", (a, b) => a >= b],
];

const WRITTEN: readonly (readonly [name: string, radix: number])[] = [
  ["to_hex", 16],
  ["to_octal", 8],
  ["to_binary", 2],
];

export const arithmeticU8: readonly NativeFunction[] = [
  ...CHECKED.map(([name, failure, operation]) =>
    arithmeticNative(`${name}(x: u8, y: u8) -> u8`, "The same for bytes.", (_: NativeContext, x: U8, y: U8) =>
      checked(operation(x.value, y.value), `${failure}: ${x.value} ${name} ${y.value}`),
    ),
  ),
  arithmeticNative("/(x: u8, y: u8) -> u8", "Divides bytes.", (_: NativeContext, x: U8, y: U8) => {
    if (y.value === 0) throw arithmeticError(`Division by zero: ${x.value} / 0`);
    return new U8(Math.floor(x.value / y.value));
  }),
  arithmeticNative("**(x: u8, y: i64) -> u8", "Raises a byte to a power.", power),
  arithmeticNative(
    "<<(x: u8, y: i64) -> u8",
    "Shifts the bits of a byte left.",
    (_: NativeContext, x: U8, y: Int) => shifted(x.value, Number(y)),
  ),
  arithmeticNative(
    ">>(x: u8, y: i64) -> u8",
    "Shifts the bits of a byte right.",
    (_: NativeContext, x: U8, y: Int) => shifted(x.value, -Number(y)),
  ),
  ...property("is_zero", "Tells whether it is zero.", (value) => value === 0),
  ...property("is_odd", "Tells whether it is odd.", (value) => value % 2 === 1),
  ...property("is_even", "Tells whether it is even.", (value) => value % 2 === 0),
  ...COMPARED.map(([name, comparison]) =>
    logicNative(`${name}(x: u8, y: u8) -> bool`, "Compares bytes.", (_: NativeContext, x: U8, y: U8) =>
      comparison(x.value, y.value),
    ),
  ),
  logicNative("max(x: u8, y: u8) -> u8", "Answers the larger byte.", (_: NativeContext, x: U8, y: U8) =>
    x.value >= y.value ? x : y,
  ),
  logicNative("min(x: u8, y: u8) -> u8", "Answers the smaller byte.", (_: NativeContext, x: U8, y: U8) =>
    x.value <= y.value ? x : y,
  ),
  mathNative("to_int(x: u8) -> i64", "Answers the byte as an integer.", (_: NativeContext, x: U8) => x.value),
  mathNative(
    "to_float(x: u8) -> f64",
    "Answers the byte as a float.",
    (_: NativeContext, x: U8) => new Float(x.value),
  ),
  ...WRITTEN.map(([name, radix]) =>
    stringNative(
      `${name}(value: u8) -> string`,
      `Writes the byte in base ${radix}.`,
      (_: NativeContext, x: U8) => x.value.toString(radix),
    ),
  ),
];

function property(name: string, doc: string, test: (value: number) => boolean): NativeFunction[] {
  return withGetter(
    arithmeticNative(`${name}(x: u8) -> bool`, doc, (_: NativeContext, x: U8) => test(x.value)),
  );
}

function checked(value: number, failure: string): Value {
  // A remainder of zero is NaN and fails here too.
  if (!(value >= 0 && value <= 255)) throw arithmeticError(failure);
  return new U8(value);
}

function power(_: NativeContext, x: U8, y: Int): Value {
  if (y > 0xffff_ffff) throw arithmeticError(`Exponential overflow: ${x.value} ** ${y}`);
  if (y < 0) throw arithmeticError(`Integer raised to a negative power: ${x.value} ** ${y}`);
  return checked(x.value ** Number(y), `Exponential overflow: ${x.value} ** ${y}`);
}

/** A byte shifted left by a count, or right by a negative one; counts of the whole width are not the same to both. */
function shifted(value: number, count: number): Value {
  if (count >= 8) return new U8(0);
  if (count >= 0) return new U8((value << count) & 0xff);
  // A shift right by too much is done with what the count leaves when divided by 8.
  return new U8(count <= -8 ? value >> 7 : value >> -count);
}
