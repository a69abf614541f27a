import { RhaiError } from "../runtime/errors.ts";
import type { Entries } from "../runtime/entries.ts";
import type { NativeContext, Ref } from "../runtime/native.ts";
import { RhaiArray, RhaiBlob, RhaiMap, type Value } from "../runtime/values.ts";

/** Estimated bytes of one array element, of one map entry, and of a container besides what it holds. */
const ITEM_BYTES = 16;
const ENTRY_BYTES = 64;
const CONTAINER_BYTES = 64;

/** Work on this many units of text or bytes counts as one operation. */
const UNITS_PER_OPERATION = 256;

/** Moving this many elements counts as one operation. */
const ITEMS_PER_OPERATION = 8;

/** Charges for looking through a text or a blob of a size in units or bytes. */
export function chargeUnits(context: NativeContext, units: number): void {
  if (units >= UNITS_PER_OPERATION) context.charge(Math.floor(units / UNITS_PER_OPERATION));
}

/** Charges for copying or moving a number of elements. */
export function chargeItems(context: NativeContext, items: number): void {
  if (items >= ITEMS_PER_OPERATION) context.charge(Math.floor(items / ITEMS_PER_OPERATION));
}

/** A new string: accounted for, and within the limit of its size. */
export function textResult(context: NativeContext, text: string): string {
  chargeUnits(context, text.length);
  context.allocate(text.length * 2);
  return context.checkSize(text);
}

/** A new array of these elements, which become its own. */
export function arrayResult(context: NativeContext, items: Value[]): RhaiArray {
  chargeItems(context, items.length);
  context.allocate(CONTAINER_BYTES + items.length * ITEM_BYTES);
  return context.checkSize(new RhaiArray(items));
}

/** A new map of these entries, which become its own. */
export function mapResult(context: NativeContext, entries: Map<string, Value>): RhaiMap {
  chargeItems(context, entries.size);
  context.allocate(CONTAINER_BYTES + entries.size * ENTRY_BYTES);
  return context.checkSize(RhaiMap.of(entries));
}

/** A new blob of these bytes, which become its own. */
export function blobResult(context: NativeContext, bytes: Uint8Array): RhaiBlob {
  chargeUnits(context, bytes.length);
  context.allocate(CONTAINER_BYTES + bytes.length);
  return context.checkSize(new RhaiBlob(bytes));
}

/** The elements of an array that is about to be changed. Copying shared storage is charged for. */
export function writableItems(context: NativeContext, array: RhaiArray): Value[] {
  if (!array.owned) {
    chargeItems(context, array.items.length);
    context.allocate(array.items.length * ITEM_BYTES);
  }
  return array.writable();
}

/** The entries of a map that is about to be changed. */
export function writableEntries(context: NativeContext, map: RhaiMap): Entries {
  if (!map.owned) {
    chargeItems(context, map.entries.size);
    context.allocate(map.entries.size * ENTRY_BYTES);
  }
  return map.writable();
}

/** The bytes of a blob that is about to be changed. */
export function writableBytes(context: NativeContext, blob: RhaiBlob, capacity = blob.length): Uint8Array {
  if (!blob.owned || blob.bytes.length < capacity) {
    chargeUnits(context, capacity);
    context.allocate(capacity);
  }
  return blob.writable(capacity);
}

/**
 * Called after an array grew by some elements. Counting all that is nested takes time in proportion to the array, so
 * large ones are counted whole only at every eighth of each doubling; their own length is checked always.
 */
export function arrayGrew(context: NativeContext, array: RhaiArray, by: number): void {
  const length = array.items.length;
  context.allocate(by * ITEM_BYTES);
  checkLength(context, length);
  if (length <= 64 || by > 1 || length % (2 ** (31 - Math.clz32(length)) / 8) === 0) context.checkSize(array);
}

/** Called after a map grew by at most some entries; see arrayGrew. */
export function mapGrew(context: NativeContext, map: RhaiMap, by: number): void {
  const size = map.entries.size;
  context.allocate(by * ENTRY_BYTES);
  checkEntries(context, size);
  if (size <= 64 || by > 1 || size % (2 ** (31 - Math.clz32(size)) / 8) === 0) context.checkSize(map);
}

/** Refuses a map of so many entries. */
export function checkEntries(context: NativeContext, size: number): void {
  const limit = context.limits.maxMapSize;
  if (limit > 0 && size > limit) throw tooLarge("Size of object map");
}

/** Refuses an array or blob of so many elements before any memory is taken for it. */
export function checkLength(context: NativeContext, length: number, what = "Size of array/BLOB"): void {
  const limit = context.limits.maxArraySize;
  if (limit > 0 && length > limit) throw tooLarge(what);
}

/** Refuses a string of so many bytes before any memory is taken for it. */
export function checkTextLength(context: NativeContext, bytes: number): void {
  const limit = context.limits.maxStringSize;
  // Without a limit, what the engine could not build at all is still refused.
  if (bytes > (limit > 0 ? limit : MAX_TEXT)) throw tooLarge("Length of string");
}

/** Just below the longest string that the JavaScript engine can hold. */
const MAX_TEXT = 2 ** 30;

export function tooLarge(what: string): RhaiError {
  return new RhaiError("ErrorDataTooLarge", `${what} too large`);
}

export function arithmeticError(text: string): RhaiError {
  return new RhaiError("ErrorArithmetic", text);
}

/** The string in a place that is known to hold one. */
export function textIn(place: Ref): string {
  const value = place.get();
  return typeof value === "string" ? value : "";
}
