import { type Int, INT_MAX, intFromFloat } from "../runtime/int.ts";
import { decimal } from "../runtime/format.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { Float, type Value } from "../runtime/values.ts";
import { declare, withGetter } from "./define.ts";
import { parseFloatText, parseIntText } from "./parse-number.ts";
import { arithmeticError } from "./results.ts";

const native = declare("math_basic");

const FUNCTIONS: readonly (readonly [string, string, (x: number) => number])[] = [
  ["sin", "Answers the sine of an angle in radians.", Math.sin],
  ["cos", "Answers the cosine of an angle in radians.", Math.cos],
  ["tan", "Answers the tangent of an angle in radians.", Math.tan],
  ["sinh", "Answers the hyperbolic sine.", Math.sinh],
  ["cosh", "Answers the hyperbolic cosine.", Math.cosh],
  ["tanh", "Answers the hyperbolic tangent.", Math.tanh],
  ["asin", "Answers the arc sine in radians.", Math.asin],
  ["acos", "Answers the arc cosine in radians.", Math.acos],
  ["atan", "Answers the arc tangent in radians.", Math.atan],
  ["asinh", "Answers the inverse hyperbolic sine.", asinh],
  ["acosh", "Answers the inverse hyperbolic cosine.", acosh],
  ["atanh", "Answers the inverse hyperbolic tangent.", atanh],
  ["to_radians", "Turns degrees into radians.", (x) => x * (Math.PI / 180)],
  ["to_degrees", "Turns radians into degrees.", (x) => x * 57.29577951308232],
  ["sqrt", "Answers the square root.", Math.sqrt],
  ["exp", "Answers e to the power of the number.", Math.exp],
  ["ln", "Answers the natural logarithm.", Math.log],
  ["log", "Answers the logarithm to base 10.", Math.log10],
];

const PROPERTIES: readonly (readonly [string, string, (x: number) => number])[] = [
  ["floor", "Rounds down to a whole float.", Math.floor],
  ["ceiling", "Rounds up to a whole float.", Math.ceil],
  ["round", "Rounds to the nearest whole float, halves away from zero.", round],
  ["int", "Cuts off the fraction; the result is a float still.", Math.trunc],
  ["fraction", "Answers what follows the point, with the sign of the number.", (x) => x - Math.trunc(x)],
];

const TESTS: readonly (readonly [string, string, (x: number) => boolean])[] = [
  ["is_nan", "Tells whether it is not a number.", Number.isNaN],
  ["is_finite", "Tells whether it is neither infinite nor NaN.", Number.isFinite],
  ["is_infinite", "Tells whether it is infinite.", (x) => x === Infinity || x === -Infinity],
];

function ofFloat(name: string, doc: string, compute: (x: number) => number): NativeFunction {
  const call = (_: NativeContext, x: Float): Float => new Float(compute(x.value));
  return native(`${name}(x: f64) -> f64`, doc, call, { bare: compute });
}

export const mathBasic: readonly NativeFunction[] = [
  ...FUNCTIONS.map(([name, doc, compute]) => ofFloat(name, doc, compute)),
  ...PROPERTIES.flatMap(([name, doc, compute]) => withGetter(ofFloat(name, doc, compute))),
  ...TESTS.flatMap(([name, doc, test]) =>
    withGetter(
      native(`${name}(x: f64) -> bool`, doc, (_: NativeContext, x: Float) => test(x.value), { bare: test }),
    ),
  ),
  native(
    "atan(x: f64, y: f64) -> f64",
    "Answers the angle of a point; its y coordinate comes first.",
    (_: NativeContext, y: Float, x: Float) => new Float(Math.atan2(y.value, x.value)),
    { bare: Math.atan2 },
  ),
  native(
    "hypot(x: f64, y: f64) -> f64",
    "Answers the length of the hypotenuse.",
    (_: NativeContext, x: Float, y: Float) => new Float(Math.hypot(x.value, y.value)),
    { bare: Math.hypot },
  ),
  native(
    "log(x: f64, base: f64) -> f64",
    "Answers the logarithm to a base.",
    (_: NativeContext, x: Float, base: Float) => new Float(Math.log(x.value) / Math.log(base.value)),
  ),
  native("E() -> f64", "Answers Euler's number.", () => new Float(Math.E)),
  native(
    "PI() -> f64",
    "Answers the ratio of a circle's circumference to its diameter.",
    () => new Float(Math.PI),
  ),
  native("to_int(x: i64) -> i64", "Answers the number itself.", (_: NativeContext, x: Int) => x),
  native("to_int(x: f64) -> i64", "Cuts off the fraction.", (_: NativeContext, x: Float) => toInt(x.value)),
  native("to_float(x: f64) -> f64", "Answers the number itself.", (_: NativeContext, x: Float) => x, {
    bare: Number,
  }),
  native(
    "to_float(x: i64) -> f64",
    "Answers the number as a float.",
    (_: NativeContext, x: Int) => new Float(Number(x)),
    { bare: Number },
  ),
  native("parse_int(string: string) -> i64", "Reads a decimal integer.", (_: NativeContext, text: string) =>
    parseIntText(text, 10),
  ),
  native(
    "parse_int(string: string, radix: i64) -> i64",
    "Reads an integer written in some base from 2 to 36.",
    (_: NativeContext, text: string, radix: Int) => parseIntText(text, radix),
  ),
  native(
    "parse_float(string: string) -> f64",
    "Reads a float.",
    (_: NativeContext, text: string) => new Float(parseFloatText(text)),
  ),
];

/** NaN gives 0; 2^63, which is what the largest integer is as a float, gives the largest integer. */
function toInt(value: number): Value {
  if (Number.isNaN(value)) return 0;
  if (value === 2 ** 63) return INT_MAX;
  const whole = intFromFloat(value);
  if (whole === null) throw arithmeticError(`Integer overflow: to_int(${fullDigits(value)})`);
  return whole;
}

function fullDigits(value: number): string {
  return Number.isFinite(value) ? decimal(value) : value > 0 ? "inf" : "-inf";
}

function round(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}

/** The three inverse hyperbolic functions are computed as Rust's library does, which differs in the last digits. */
function asinh(x: number): number {
  const magnitude = Math.abs(x);
  const inverse = 1 / magnitude;
  const result = Math.log1p(magnitude + magnitude / (Math.hypot(1, inverse) + inverse));
  return x < 0 || Object.is(x, -0) ? -result : result;
}

function acosh(x: number): number {
  return x < 1 ? NaN : Math.log(x + Math.sqrt(x - 1) * Math.sqrt(x + 1));
}

function atanh(x: number): number {
  return 0.5 * Math.log1p((2 * x) / (1 - x));
}
