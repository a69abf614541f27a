import type { Pos } from "../syntax/position.ts";
import { RhaiError } from "./errors.ts";
import { fillPosition } from "./faults.ts";
import { normalizeInt } from "./int.ts";
import { binary } from "./operators.ts";
import type { Run } from "./run.ts";
import { untagged } from "./tagged.ts";
import { scalars } from "./text.ts";
import { U8 } from "./u8.ts";
import { charOf, HostValue, Range, RhaiBlob, type Value } from "./values.ts";

/** The iterator behind `for x in value`; generated code goes through arrays and small ranges by itself. */
export function iterate(_run: Run, given: Value, pos: Pos): Iterator<Value> {
  const value = untagged(given);
  if (typeof value === "string") return scalars(value).map(charOf).values();
  if (value instanceof Range) return rangeItems(value);
  if (value instanceof RhaiBlob) return Array.from(value.view(), (byte) => new U8(byte)).values();
  const iterator = value instanceof HostValue ? value.iterate() : null;
  if (iterator === null) throw new RhaiError("ErrorFor", "For loop expects iterable type", pos);
  return iterator;
}

/** The end of a range that begins at a small number. Nobody gets as far as where numbers end. */
export function rangeEnd(run: Run, op: string, from: number, to: Value, pos: Pos): number {
  const range = binary(run, op, from, to, pos) as Range;
  return Math.min(Number(range.to), Number.MAX_SAFE_INTEGER);
}

function* rangeItems(range: Range): Generator<Value> {
  const end = BigInt(range.to) + (range.inclusive ? 1n : 0n);
  for (let value = BigInt(range.from); value < end; value++) yield normalizeInt(value);
}

/** Takes the next item. An error of the iterator without a place gets that of the loop. */
export function nextItem(iterator: Iterator<Value>, pos: Pos): IteratorResult<Value> {
  try {
    return iterator.next();
  } catch (error) {
    throw fillPosition(error, pos);
  }
}
