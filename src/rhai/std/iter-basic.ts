import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { length, slice } from "../runtime/text.ts";
import type { U8 } from "../runtime/u8.ts";
import { type Float, Range, type Value } from "../runtime/values.ts";
import { BITS, outOfBounds } from "./bit-field.ts";
import { declare, REFUSES_CONSTANTS, withGetter } from "./define.ts";
import { emptyableRangePart, exactIndex, offset } from "./indexing.ts";
import { Bits, ByteRange, ByteSteps, Chars, FloatSteps, IntSteps } from "./iterators.ts";

const native = declare("iter_basic");

const RANGE_TYPES = ["range", "range="] as const;

export const iterBasic: readonly NativeFunction[] = [
  native(
    "range(from: i64, to: i64) -> range",
    "Makes an exclusive range.",
    (_: NativeContext, from: Int, to: Int) => new Range(from, to, false),
  ),
  native(
    "range(from: i64, to: i64, step: i64) -> range",
    "Makes a sequence of integers at a distance.",
    (_: NativeContext, from: Int, to: Int, step: Int) => new IntSteps(from, to, step),
  ),
  native(
    "range(range: range, step: i64) -> range",
    "Makes a sequence of the integers of a range at a distance.",
    (_: NativeContext, range: Range, step: Int) => new IntSteps(range.from, range.to, step),
  ),
  native(
    "range(from: f64, to: f64, step: f64) -> range",
    "Makes a sequence of floats at a distance.",
    (_: NativeContext, from: Float, to: Float, step: Float) =>
      new FloatSteps(from.value, to.value, step.value),
  ),
  native(
    "range(from: u8, to: u8) -> any",
    "Makes an exclusive range of bytes.",
    (_: NativeContext, from: U8, to: U8) => new ByteRange(from.value, to.value),
  ),
  native(
    "range(from: u8, to: u8, step: u8) -> range",
    "Makes a sequence of bytes at a distance.",
    (_: NativeContext, from: U8, to: U8, step: U8) => new ByteSteps(from.value, to.value, step.value),
  ),
  native(
    "range(range: core::ops::range::Range<u8>, step: u8) -> range",
    "Makes a sequence of the bytes of a range at a distance.",
    (_: NativeContext, range: ByteRange, step: U8) => new ByteSteps(range.from, range.to, step.value),
  ),
  ...withGetter(
    native(
      "chars(string: string) -> range",
      "Goes through the characters.",
      (_: NativeContext, text: string) => new Chars(text),
    ),
  ),
  native(
    "chars(string: string, start: i64) -> range",
    "Goes through the characters from an index on.",
    (_: NativeContext, text: string, start: Int) => charsFrom(text, start, text.length),
  ),
  native(
    "chars(string: string, start: i64, len: i64) -> range",
    "Goes through some characters from an index on.",
    (_: NativeContext, text: string, start: Int, count: Int) => charsFrom(text, start, count),
  ),
  ...RANGE_TYPES.map((type) =>
    native(
      `chars(string: string, range: ${type}) -> range`,
      "Goes through the characters of a range.",
      (_: NativeContext, text: string, range: Range) => {
        const { start, count } = emptyableRangePart(range);
        return charsFrom(text, start, count);
      },
    ),
  ),
  ...withGetter(
    native(
      "bits(value: i64) -> range",
      "Goes through the bits, lowest first.",
      (_: NativeContext, value: Int) => bitsFrom(value, 0, BITS),
    ),
  ),
  native(
    "bits(value: i64, from: i64) -> range",
    "Goes through the bits from a position on.",
    (_: NativeContext, value: Int, from: Int) => bitsFrom(value, from, BITS),
  ),
  native(
    "bits(value: i64, from: i64, len: i64) -> range",
    "Goes through some bits from a position on.",
    (_: NativeContext, value: Int, from: Int, count: Int) => bitsFrom(value, from, count),
  ),
  ...RANGE_TYPES.map((type) =>
    native(
      `bits(value: i64, range: ${type}) -> range`,
      "Goes through the bits of a range.",
      (_: NativeContext, value: Int, range: Range) => {
        const { start, count } = emptyableRangePart(range);
        return bitsFrom(value, start, count);
      },
    ),
  ),
  ...property("start", "i64", "Answers the first number.", (range) => range.from),
  ...property("end", "i64", "Answers the number where it ends.", (range) => range.to),
  ...property("is_inclusive", "bool", "Tells whether the end belongs to it.", (range) => range.inclusive),
  ...property(
    "is_exclusive",
    "bool",
    "Tells whether the end does not belong to it.",
    (range) => !range.inclusive,
  ),
  ...property("is_empty", "bool", "Tells whether it holds no number.", (range) =>
    range.inclusive ? range.from > range.to : range.from >= range.to,
  ),
  ...RANGE_TYPES.map((type) =>
    native(
      `contains(range: ${type}, value: i64) -> bool`,
      "Tells whether the number lies within.",
      (_: NativeContext, range: Range, value: Int) =>
        value >= range.from && (range.inclusive ? value <= range.to : value < range.to),
      REFUSES_CONSTANTS,
    ),
  ),
];

function property(
  name: string,
  returns: string,
  doc: string,
  answer: (range: Range) => Value,
): NativeFunction[] {
  return RANGE_TYPES.flatMap((type) =>
    withGetter(
      native(`${name}(range: ${type}) -> ${returns}`, doc, (_: NativeContext, range: Range) => answer(range)),
    ),
  );
}

/** A negative start counts from the end, and stops at the first character. */
function charsFrom(text: string, start: Int, count: Int): Chars {
  const from = offset(length(text), start);
  return new Chars(slice(text, from, from + Number(count)));
}

function bitsFrom(value: Int, start: Int, count: Int): Bits {
  const from = exactIndex(BITS, start);
  if (from < 0) throw outOfBounds(start);
  return new Bits(BigInt(value) >> BigInt(from), Math.min(Math.max(Number(count), 0), BITS - from));
}
