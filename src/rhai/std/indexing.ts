import type { Int } from "../runtime/int.ts";
import type { Range } from "../runtime/values.ts";

/** A part of a sequence: `length` elements from `start`. */
export interface Part {
  readonly start: number;
  readonly length: number;
}

/**
 * The part that `start` and `count` select in a sequence. A negative start counts from the end and stops at the
 * first element; a start beyond the end selects nothing, at the end; the count is cut to what is there.
 */
export function part(length: number, start: Int, count: Int): Part {
  const from = offset(length, start);
  return { start: from, length: Math.min(Math.max(Number(count), 0), length - from) };
}

/** The start alone: `length` when it lies beyond the end. */
export function offset(length: number, start: Int): number {
  return start < 0 ? Math.max(length + Number(start), 0) : Math.min(Number(start), length);
}

/** The exact index, counted from the end when negative; -1 when there is no such element. */
export function exactIndex(length: number, index: Int): number {
  const at = index < 0 ? length + Number(index) : Number(index);
  return at >= 0 && at < length ? at : -1;
}

/**
 * Start and count that a range stands for in slicing functions. A negative start means 0; an inclusive range that
 * ends before its start still covers one element.
 */
export function rangePart(range: Range): { start: number; count: number } {
  const start = Math.max(Number(range.from), 0);
  const end = Math.max(Number(range.to), start);
  return { start, count: range.inclusive ? end - start + 1 : end - start };
}

/** The same for bits and characters, where an inclusive range that ends before its start is empty. */
export function emptyableRangePart(range: Range): { start: number; count: number } {
  const start = Math.max(Number(range.from), 0);
  const count = range.inclusive
    ? Math.max(Number(range.to), start - 1) - start + 1
    : Math.max(Number(range.to), start) - start;
  return { start, count };
}
