import { INT_MAX, type Int, wrapInt } from "../runtime/int.ts";
import { RhaiError } from "../runtime/errors.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import type { Range, Value } from "../runtime/values.ts";
import { CHANGES, declare } from "./define.ts";
import { emptyableRangePart, exactIndex } from "./indexing.ts";

const native = declare("bit_field");

/** Bits of an integer. */
export const BITS = 64;

export const bitField: readonly NativeFunction[] = [
  native(
    "get_bit(value: i64, bit: i64) -> bool",
    "Tells whether a bit is set; negative positions count from the most significant bit.",
    (_: NativeContext, value: Int, bit: Int) => getBit(value, bit),
  ),
  native(
    "set_bit(value: i64, bit: i64, new_value: bool) -> ()",
    "Sets or clears a bit; negative positions count from the most significant bit.",
    (_: NativeContext, place: Ref, bit: Int, on: boolean) => place.set(withBit(intIn(place), bit, on)),
    CHANGES,
  ),
  native(
    "get_bits(value: i64, start: i64, bits: i64) -> i64",
    "Answers some bits as a number of their own.",
    (_: NativeContext, value: Int, start: Int, count: Int) => getBits(value, start, count),
  ),
  ...["range", "range="].map((type) =>
    native(
      `get_bits(value: i64, range: ${type}) -> i64`,
      "Answers the bits of a range as a number of their own.",
      (_: NativeContext, value: Int, range: Range) => getBitsOf(value, range),
    ),
  ),
  native(
    "set_bits(value: i64, bit: i64, bits: i64, new_value: i64) -> ()",
    "Replaces some bits by the lowest ones of another number.",
    (_: NativeContext, place: Ref, start: Int, count: Int, bits: Int) =>
      place.set(withBits(intIn(place), start, count, bits)),
    CHANGES,
  ),
  ...["range", "range="].map((type) =>
    native(
      `set_bits(value: i64, range: ${type}, new_value: i64) -> ()`,
      "Replaces the bits of a range by the lowest ones of another number.",
      (_: NativeContext, place: Ref, range: Range, bits: Int) =>
        place.set(withBitsOf(intIn(place), range, bits)),
      CHANGES,
    ),
  ),
];

/** Whether a bit is set. Throws ErrorBitFieldBounds outside of -64..=63. */
export function getBit(value: Int, bit: Int): boolean {
  return ((BigInt(value) >> BigInt(requireBit(bit))) & 1n) === 1n;
}

/** The number with one bit set or cleared. */
export function withBit(value: Int, bit: Int, on: boolean): Int {
  const mask = 1n << BigInt(requireBit(bit));
  return wrapInt(on ? BigInt(value) | mask : BigInt(value) & ~mask);
}

/** `count` bits from `start` on as a number; the count is cut to what is there. */
export function getBits(value: Int, start: Int, count: Int): Int {
  if (count <= 0) return 0;
  const at = requireBit(start);
  const bits = Math.min(Number(count), BITS - at);
  if (bits === BITS) return value;
  return wrapInt((BigInt(value) >> BigInt(at)) & maskOf(bits));
}

/** The number with `count` bits from `start` on taken from the lowest of `bits`. */
export function withBits(value: Int, start: Int, count: Int, bits: Int): Int {
  if (count <= 0) return value;
  const at = requireBit(start);
  const width = Math.min(Number(count), BITS - at);
  if (width === BITS) return bits;
  const mask = maskOf(width);
  return wrapInt((BigInt(value) & ~(mask << BigInt(at))) | ((BigInt(bits) & mask) << BigInt(at)));
}

/** getBits for a range; an inclusive one may not reach beyond the last bit, an exclusive one is cut. */
export function getBitsOf(value: Int, range: Range): Int {
  const { start, count } = bitsOf(range);
  return getBits(value, start, count);
}

/** withBits for a range. */
export function withBitsOf(value: Int, range: Range, bits: Int): Int {
  const { start, count } = bitsOf(range);
  return withBits(value, start, count, bits);
}

function bitsOf(range: Range): { start: Int; count: number } {
  const { start, count } = emptyableRangePart(range);
  if (range.inclusive) {
    const last = start + count - 1;
    if (last >= BITS) throw outOfBounds(range.to > start ? range.to : last);
  }
  return { start, count };
}

function maskOf(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

function requireBit(bit: Int): number {
  const at = exactIndex(BITS, bit);
  if (at < 0) throw outOfBounds(bit);
  return at;
}

/** The official error for a bit that an integer does not have. */
export function outOfBounds(bit: Int): RhaiError {
  const text = `Bit-field index ${bit} out of bounds: only ${BITS} bits in bit-field`;
  return new RhaiError("ErrorBitFieldBounds", text, 0, { index: bit, length: BITS });
}

function intIn(place: Ref): Int {
  const value: Value = place.get();
  return typeof value === "number" || typeof value === "bigint" ? value : INT_MAX;
}
