import * as int from "../runtime/int.ts";
import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { Float, type Value } from "../runtime/values.ts";
import { CHANGES, declare, withGetter } from "./define.ts";
import { floatPower } from "../runtime/float-power.ts";
import { arithmeticError } from "./results.ts";

const native = declare("arithmetic");

type IntOperation = (a: Int, b: Int) => Int;
type FloatOperation = (a: number, b: number) => number;

interface Operator {
  readonly name: string;
  readonly doc: string;
  readonly ints: IntOperation;
  readonly floats?: FloatOperation;
}

const OPERATORS: readonly Operator[] = [
  { name: "+", doc: "Adds two numbers.", ints: int.add, floats: (a, b) => a + b },
  { name: "-", doc: "Subtracts the second number from the first.", ints: int.sub, floats: (a, b) => a - b },
  { name: "*", doc: "Multiplies two numbers.", ints: int.mul, floats: (a, b) => a * b },
  { name: "/", doc: "Divides; integers are cut off towards zero.", ints: int.div, floats: (a, b) => a / b },
  {
    name: "%",
    doc: "Answers the remainder, with the sign of the first number.",
    ints: int.rem,
    floats: (a, b) => a % b,
  },
  {
    name: "**",
    doc: "Raises the first number to the power of the second.",
    ints: int.pow,
    floats: floatPower,
  },
  { name: "<<", doc: "Shifts the bits left; a negative count shifts right.", ints: int.shl },
  {
    name: ">>",
    doc: "Shifts the bits right, keeping the sign; a negative count shifts left.",
    ints: int.shr,
  },
  { name: "&", doc: "Answers the bits that both numbers have.", ints: int.and },
  { name: "|", doc: "Answers the bits that either number has.", ints: int.or },
  { name: "^", doc: "Answers the bits that exactly one of the numbers has.", ints: int.xor },
];

/** Operators on numbers: for ints, floats, and a mix of both, with the assignments made of them. */
const binary: readonly NativeFunction[] = OPERATORS.flatMap(({ name, doc, ints, floats }) => {
  const assigned = `Does the same as \`${name}\` and stores the result in the variable.`;
  const made = [
    native(`${name}(x: i64, y: i64) -> i64`, doc, (_: NativeContext, x: Int, y: Int) => ints(x, y)),
    native(
      `${name}=(x: i64, y: i64) -> ()`,
      assigned,
      (_: NativeContext, place: Ref, y: Int) => place.set(ints(intIn(place), y)),
      CHANGES,
    ),
  ];
  if (floats === undefined) return made;
  for (const [first, second] of [
    ["f64", "f64"],
    ["f64", "i64"],
    ["i64", "f64"],
  ]) {
    made.push(
      native(
        `${name}(x: ${first}, y: ${second}) -> f64`,
        doc,
        (_: NativeContext, x: Real, y: Real) => new Float(floats(real(x), real(y))),
      ),
    );
    if (first !== "f64") continue;
    made.push(
      native(
        `${name}=(x: f64, y: ${second}) -> ()`,
        assigned,
        (_: NativeContext, place: Ref, y: Real) => place.set(new Float(floats(floatIn(place), real(y)))),
        CHANGES,
      ),
    );
  }
  return made;
});

export const arithmetic: readonly NativeFunction[] = [
  ...binary,
  native("-(x: i64) -> i64", "Changes the sign.", (_: NativeContext, x: Int) => int.neg(x)),
  native("-(x: f64) -> f64", "Changes the sign.", (_: NativeContext, x: Float) => new Float(-x.value)),
  native("+(x: i64) -> i64", "Answers the number itself.", (_: NativeContext, x: Int) => x),
  native("+(x: f64) -> f64", "Answers the number itself.", (_: NativeContext, x: Float) => x),
  native("abs(x: i64) -> i64", "Answers the number without its sign.", (_: NativeContext, x: Int) =>
    int.abs(x),
  ),
  native(
    "abs(x: f64) -> f64",
    "Answers the number without its sign.",
    (_: NativeContext, x: Float) => new Float(Math.abs(x.value)),
    { bare: Math.abs },
  ),
  native("sign(x: i64) -> i64", "Answers -1, 0 or 1 by the sign of the number.", (_: NativeContext, x: Int) =>
    int.sign(x),
  ),
  native("sign(x: f64) -> i64", "Answers -1, 0 or 1 by the sign of the number.", signOfFloat),
  ...withGetter(
    native("is_zero(x: i64) -> bool", "Tells whether it is zero.", (_: NativeContext, x: Int) => x === 0),
  ),
  ...withGetter(
    native(
      "is_zero(x: f64) -> bool",
      "Tells whether it is zero.",
      (_: NativeContext, x: Float) => x.value === 0,
    ),
  ),
  ...withGetter(
    native("is_odd(x: i64) -> bool", "Tells whether it is odd.", (_: NativeContext, x: Int) => isOdd(x)),
  ),
  ...withGetter(
    native("is_even(x: i64) -> bool", "Tells whether it is even.", (_: NativeContext, x: Int) => !isOdd(x)),
  ),
];

/** An i64 or an f64. */
export type Real = Int | Float;

/** The number as a float. */
export function real(value: Real): number {
  return value instanceof Float ? value.value : Number(value);
}

function signOfFloat(_: NativeContext, x: Float): Value {
  if (Number.isNaN(x.value)) throw arithmeticError("Sign of NaN is undefined");
  return x.value > 0 ? 1 : x.value < 0 ? -1 : 0;
}

function isOdd(x: Int): boolean {
  return typeof x === "number" ? x % 2 !== 0 : (x & 1n) === 1n;
}

function intIn(place: Ref): Int {
  const value = place.get();
  return typeof value === "number" || typeof value === "bigint" ? value : 0;
}

function floatIn(place: Ref): number {
  const value = place.get();
  return value instanceof Float ? value.value : 0;
}
