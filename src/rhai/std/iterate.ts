import { add, INT_MAX, type Int } from "../runtime/int.ts";
import type { NativeContext } from "../runtime/native.ts";
import { U8 } from "../runtime/u8.ts";
import { charOf, copyValue, HostValue, Range, RhaiArray, RhaiBlob, type Value } from "../runtime/values.ts";

/**
 * What `for item in value` goes through; null for values that cannot be iterated over (maps, numbers, …). Containers
 * are read as they are now, whatever the loop does to the variable that holds them.
 */
export function iterate(value: Value, _context: NativeContext): Iterator<Value> | null {
  if (typeof value === "string") return charsOf(value);
  if (value instanceof RhaiArray) return itemsOf(value.copy().items);
  if (value instanceof Range) return numbersOf(value);
  if (value instanceof RhaiBlob) return bytesOf(value.copy().view());
  return value instanceof HostValue ? value.iterate() : null;
}

function* charsOf(text: string): Iterator<Value> {
  for (const scalar of text) yield charOf(scalar);
}

function* itemsOf(items: readonly Value[]): Iterator<Value> {
  for (let i = 0; i < items.length; i++) yield copyValue(items[i]);
}

function* bytesOf(bytes: Uint8Array): Iterator<Value> {
  for (const byte of bytes) yield new U8(byte);
}

function* numbersOf(range: Range): Iterator<Value> {
  const { from, to, inclusive } = range;
  for (let at: Int = from; inclusive ? at <= to : at < to; at = add(at, 1)) {
    yield at;
    if (at === INT_MAX) return;
  }
}
