import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { copyValue, type Range, RhaiArray, type Value } from "../runtime/values.ts";
import { CHANGES, declare, type Effects, REFUSES_CONSTANTS } from "./define.ts";
import { offset, part, rangePart } from "./indexing.ts";
import { arrayGrew, arrayResult, chargeItems, checkLength, writableItems } from "./results.ts";

const native = declare("array_basic");

/** A function on `count` elements from `start`, which may also be given as a range; `value` is its last parameter. */
type OnPart = (context: NativeContext, array: RhaiArray, start: Int, count: Int, value: Value) => Value;

export const arraySlices: readonly NativeFunction[] = [
  ...onPart(
    "splice",
    ", replace: array",
    "()",
    "Replaces a part by the elements of another array.",
    splice,
    CHANGES,
  ),
  ...onPart("extract", "", "array", "Copies a part.", extract, REFUSES_CONSTANTS),
  native(
    "extract(array: array, start: i64) -> array",
    "Copies all elements from an index on.",
    (context: NativeContext, array: RhaiArray, start: Int) =>
      extract(context, array, start, array.items.length),
    REFUSES_CONSTANTS,
  ),
  native(
    "split(array: array, index: i64) -> array",
    "Removes and answers all elements from an index on.",
    split,
    CHANGES,
  ),
  ...onPart("drain", "", "array", "Removes and answers a part.", drain, CHANGES),
  ...onPart("retain", "", "array", "Keeps only a part and answers what was removed.", retain, CHANGES),
];

function onPart(
  name: string,
  rest: string,
  returns: string,
  doc: string,
  work: OnPart,
  effects: Effects,
): NativeFunction[] {
  const byRange = (context: NativeContext, array: RhaiArray, range: Range, value: Value) => {
    const { start, count } = rangePart(range);
    return work(context, array, start, count, value);
  };
  return [
    native(`${name}(array: array, start: i64, len: i64${rest}) -> ${returns}`, doc, work, effects),
    native(`${name}(array: array, range: range${rest}) -> ${returns}`, doc, byRange, effects),
    native(`${name}(array: array, range: range=${rest}) -> ${returns}`, doc, byRange, effects),
  ];
}

function splice(context: NativeContext, array: RhaiArray, start: Int, count: Int, replace: Value): Value {
  if (!(replace instanceof RhaiArray)) return undefined;
  const length = array.items.length;
  const chosen = part(length, start, count);
  checkLength(context, length - chosen.length + replace.items.length);
  chargeItems(context, length + replace.items.length);
  const copies = replace.items.map(copyValue);
  const items = writableItems(context, array);
  const tail = items.splice(chosen.start);
  for (const item of copies) items.push(item);
  for (let i = chosen.length; i < tail.length; i++) items.push(tail[i]);
  arrayGrew(context, array, copies.length);
  return undefined;
}

function extract(context: NativeContext, array: RhaiArray, start: Int, count: Int): Value {
  const chosen = part(array.items.length, start, count);
  return arrayResult(context, array.items.slice(chosen.start, chosen.start + chosen.length).map(copyValue));
}

function split(context: NativeContext, array: RhaiArray, index: Int): Value {
  const at = offset(array.items.length, index);
  if (at >= array.items.length) return arrayResult(context, []);
  return arrayResult(context, writableItems(context, array).splice(at));
}

function drain(context: NativeContext, array: RhaiArray, start: Int, count: Int): Value {
  const chosen = part(array.items.length, start, count);
  if (chosen.length === 0) return arrayResult(context, []);
  chargeItems(context, array.items.length);
  return arrayResult(context, writableItems(context, array).splice(chosen.start, chosen.length));
}

function retain(context: NativeContext, array: RhaiArray, start: Int, count: Int): Value {
  const chosen = part(array.items.length, start, count);
  if (chosen.length === 0) return arrayResult(context, []);
  chargeItems(context, array.items.length);
  const items = writableItems(context, array);
  const tail = items.splice(chosen.start + chosen.length);
  const removed = items.splice(0, chosen.start);
  for (const item of tail) removed.push(item);
  return arrayResult(context, removed);
}
