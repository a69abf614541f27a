import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { type Range, RhaiBlob, type Value } from "../runtime/values.ts";
import { CHANGES, declare, type Effects, REFUSES_CONSTANTS } from "./define.ts";
import { offset, part, rangePart } from "./indexing.ts";
import { blobResult, checkLength, chargeUnits, writableBytes } from "./results.ts";

const native = declare("blob_basic");

/** A function on `count` bytes from `start`, which may also be given as a range; `value` is its last parameter. */
export type OnBytes = (context: NativeContext, blob: RhaiBlob, start: Int, count: Int, value: Value) => Value;

export const blobSlices: readonly NativeFunction[] = [
  ...onBytes(
    "splice",
    ", replace: blob",
    "()",
    "Replaces a part by the bytes of another blob.",
    splice,
    CHANGES,
  ),
  ...onBytes("extract", "", "blob", "Copies a part.", extract, REFUSES_CONSTANTS),
  native(
    "extract(blob: blob, start: i64) -> blob",
    "Copies all bytes from an index on.",
    (context: NativeContext, blob: RhaiBlob, start: Int) => extract(context, blob, start, blob.length),
    REFUSES_CONSTANTS,
  ),
  native(
    "split(blob: blob, index: i64) -> blob",
    "Removes and answers all bytes from an index on.",
    split,
    CHANGES,
  ),
  ...onBytes("drain", "", "blob", "Removes and answers a part.", drain, CHANGES),
  ...onBytes("retain", "", "blob", "Keeps only a part and answers what was removed.", retain, CHANGES),
];

/** The three forms of a function on a part: by start and length, and by the two kinds of range. */
export function onBytes(
  name: string,
  rest: string,
  returns: string,
  doc: string,
  work: OnBytes,
  effects: Effects,
): NativeFunction[] {
  const byRange = (context: NativeContext, blob: RhaiBlob, range: Range, value: Value) => {
    const { start, count } = rangePart(range);
    return work(context, blob, start, count, value);
  };
  return [
    native(`${name}(blob: blob, start: i64, len: i64${rest}) -> ${returns}`, doc, work, effects),
    native(`${name}(blob: blob, range: range${rest}) -> ${returns}`, doc, byRange, effects),
    native(`${name}(blob: blob, range: range=${rest}) -> ${returns}`, doc, byRange, effects),
  ];
}

/** Where nothing is selected, the new bytes go to the end. */
function splice(context: NativeContext, blob: RhaiBlob, start: Int, count: Int, replace: Value): Value {
  if (!(replace instanceof RhaiBlob)) return undefined;
  const chosen = part(blob.length, start, count);
  const from = chosen.length === 0 ? blob.length : chosen.start;
  const to = from + chosen.length;
  const length = blob.length - chosen.length + replace.length;
  checkLength(context, length);
  chargeUnits(context, blob.length + replace.length);
  const added = replace.view().slice();
  const bytes = writableBytes(context, blob, length);
  bytes.copyWithin(from + added.length, to, blob.length);
  bytes.set(added, from);
  blob.length = length;
  return undefined;
}

function extract(context: NativeContext, blob: RhaiBlob, start: Int, count: Int): Value {
  const chosen = part(blob.length, start, count);
  return blobResult(context, blob.bytes.slice(chosen.start, chosen.start + chosen.length));
}

function split(context: NativeContext, blob: RhaiBlob, index: Int): Value {
  const at = offset(blob.length, index);
  const tail = blob.bytes.slice(at, blob.length);
  blob.length = at;
  return blobResult(context, tail);
}

function drain(context: NativeContext, blob: RhaiBlob, start: Int, count: Int): Value {
  const chosen = part(blob.length, start, count);
  const end = chosen.start + chosen.length;
  const removed = blob.bytes.slice(chosen.start, end);
  if (chosen.length > 0) {
    chargeUnits(context, blob.length);
    writableBytes(context, blob).copyWithin(chosen.start, end, blob.length);
    blob.length -= chosen.length;
  }
  return blobResult(context, removed);
}

/** A start past the end selects nothing, and so removes everything; a count of 0 or less does nothing. */
function retain(context: NativeContext, blob: RhaiBlob, start: Int, count: Int): Value {
  if (count <= 0) return blobResult(context, new Uint8Array(0));
  const chosen = part(blob.length, start, count);
  const end = chosen.start + chosen.length;
  chargeUnits(context, blob.length);
  const removed = Buffer.concat([
    blob.bytes.subarray(0, chosen.start),
    blob.bytes.subarray(end, blob.length),
  ]);
  writableBytes(context, blob).copyWithin(0, chosen.start, end);
  blob.length = chosen.length;
  return blobResult(context, new Uint8Array(removed));
}
