import * as equality from "../runtime/equality.ts";
import { INT_MAX, type Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { Float, Range, type Value } from "../runtime/values.ts";
import { type Real, real } from "./arithmetic.ts";
import { CHANGES, declare } from "./define.ts";

const native = declare("logic");
const builtin = declare("builtin operator (evaluator)");

const COMPARISONS: readonly (readonly [
  string,
  string,
  (a: Value, b: Value, meter?: equality.Meter) => boolean,
])[] = [
  ["==", "Tells whether the values are equal.", equality.equals],
  ["!=", "Tells whether the values differ.", equality.notEquals],
  ["<", "Tells whether the first value is smaller.", equality.less],
  ["<=", "Tells whether the first value is not larger.", equality.lessEqual],
  [">", "Tells whether the first value is larger.", equality.greater],
  [">=", "Tells whether the first value is not smaller.", equality.greaterEqual],
];

const BOOL_OPERATORS: readonly (readonly [string, string, (a: boolean, b: boolean) => boolean])[] = [
  ["&", "Tells whether both are true, looking at both.", (a, b) => a && b],
  ["|", "Tells whether either is true, looking at both.", (a, b) => a || b],
  ["^", "Tells whether exactly one is true.", (a, b) => a !== b],
];

export const logic: readonly NativeFunction[] = [
  ...COMPARISONS.map(([name, doc, compare]) =>
    builtin(`${name}(x: any, y: any) -> bool`, doc, (context: NativeContext, x: Value, y: Value) =>
      compare(x, y, context),
    ),
  ),
  ...BOOL_OPERATORS.flatMap(([name, doc, operation]) => [
    builtin(`${name}(x: bool, y: bool) -> bool`, doc, (_: NativeContext, x: boolean, y: boolean) =>
      operation(x, y),
    ),
    builtin(
      `${name}=(x: bool, y: bool) -> ()`,
      `Does the same as \`${name}\` and stores the result in the variable.`,
      (_: NativeContext, place: Ref, y: boolean) => place.set(operation(place.get() === true, y)),
      CHANGES,
    ),
  ]),
  native("!(x: bool) -> bool", "Answers the opposite.", (_: NativeContext, x: boolean) => !x),
  ...range("..", false),
  ...range("..=", true),
  native("max(x: i64, y: i64) -> i64", "Answers the larger number.", (_: NativeContext, x: Int, y: Int) =>
    x >= y ? x : y,
  ),
  native("min(x: i64, y: i64) -> i64", "Answers the smaller number.", (_: NativeContext, x: Int, y: Int) =>
    x <= y ? x : y,
  ),
  ...[
    ["f64", "f64"],
    ["f64", "i64"],
    ["i64", "f64"],
  ].flatMap(([first, second]) => [
    native(`max(x: ${first}, y: ${second}) -> f64`, "Answers the larger number, as a float.", maxOfFloats),
    native(`min(x: ${first}, y: ${second}) -> f64`, "Answers the smaller number, as a float.", minOfFloats),
  ]),
];

/** Where one is NaN, the second wins. */
function maxOfFloats(_: NativeContext, x: Real, y: Real): Value {
  return new Float(real(x) >= real(y) ? real(x) : real(y));
}

function minOfFloats(_: NativeContext, x: Real, y: Real): Value {
  return new Float(real(x) <= real(y) ? real(x) : real(y));
}

function range(name: string, inclusive: boolean): NativeFunction[] {
  const doc =
    "Makes a range; without an end it reaches to the largest integer, without a start it begins at 0.";
  return [
    builtin(
      `${name}(x: i64, y: i64) -> range`,
      doc,
      (_: NativeContext, x: Int, y: Int) => new Range(x, y, inclusive),
    ),
    builtin(
      `${name}(x: i64, y: ()) -> range`,
      doc,
      (_: NativeContext, x: Int) => new Range(x, INT_MAX, inclusive),
    ),
    builtin(
      `${name}(x: (), y: i64) -> range`,
      doc,
      (_: NativeContext, _start: undefined, y: Int) => new Range(0, y, inclusive),
    ),
  ];
}
