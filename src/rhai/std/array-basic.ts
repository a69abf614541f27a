import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { copyValue, RhaiArray, type Value } from "../runtime/values.ts";
import { arrayCallbacks } from "./array-callbacks.ts";
import { arrayFold } from "./array-fold.ts";
import { arrayRemoval } from "./array-removal.ts";
import { arraySearch } from "./array-search.ts";
import { arraySlices } from "./array-slices.ts";
import { arraySort } from "./array-sort.ts";
import { CHANGES, declare, type Effects, REFUSES_CONSTANTS, withGetter } from "./define.ts";
import { exactIndex, offset } from "./indexing.ts";
import { arrayGrew, arrayResult, chargeItems, checkLength, writableItems } from "./results.ts";

const native = declare("array_basic");

const STORES_SECOND: Effects = { ...CHANGES, keeps: [1] };
const STORES_THIRD: Effects = { ...CHANGES, keeps: [2] };

const elements: readonly NativeFunction[] = [
  ...withGetter(
    native(
      "len(array: array) -> i64",
      "Answers the number of elements.",
      (_: NativeContext, array: RhaiArray) => array.items.length,
    ),
  ),
  ...withGetter(
    native(
      "is_empty(array: array) -> bool",
      "Tells whether it has no elements.",
      (_: NativeContext, array: RhaiArray) => array.items.length === 0,
    ),
  ),
  native(
    "get(array: array, index: i64) -> any",
    "Answers a copy of an element, or () past the end.",
    get,
    REFUSES_CONSTANTS,
  ),
  native(
    "set(array: array, index: i64, value: any) -> ()",
    "Replaces an element; does nothing past the end.",
    set,
    STORES_THIRD,
  ),
  native("push(array: array, item: any) -> ()", "Adds an element at the end.", push, STORES_SECOND),
  native("+=(array: array, item: any) -> ()", "Adds an element at the end.", push, STORES_SECOND),
  native(
    "append(array: array, new_array: array) -> ()",
    "Adds all elements of another array at the end.",
    append,
    CHANGES,
  ),
  native(
    "+=(array: array, new_array: array) -> ()",
    "Adds all elements of another array at the end.",
    append,
    CHANGES,
  ),
  native("+(array1: array, array2: array) -> array", "Answers the elements of both arrays in one.", concat),
  native(
    "insert(array: array, index: i64, item: any) -> ()",
    "Puts an element before the one at the index.",
    insert,
    STORES_THIRD,
  ),
  native(
    "pad(array: array, len: i64, item: any) -> ()",
    "Adds copies of an element up to a length.",
    pad,
    STORES_THIRD,
  ),
  native("pop(array: array) -> any", "Removes and answers the last element.", pop, CHANGES),
  native("shift(array: array) -> any", "Removes and answers the first element.", shift, CHANGES),
  native("remove(array: array, index: i64) -> any", "Removes and answers an element.", remove, CHANGES),
  native("clear(array: array) -> ()", "Removes all elements.", clear, CHANGES),
  native("truncate(array: array, len: i64) -> ()", "Keeps only the first elements.", truncate, CHANGES),
  native("chop(array: array, len: i64) -> ()", "Keeps only the last elements.", chop, CHANGES),
  native("reverse(array: array) -> ()", "Turns the order of the elements round.", reverse, CHANGES),
];

/** All functions of the official array package. */
export const arrayBasic: readonly NativeFunction[] = [
  ...elements,
  ...arraySlices,
  ...arraySearch,
  ...arrayCallbacks,
  ...arrayFold,
  ...arrayRemoval,
  ...arraySort,
];

function get(_: NativeContext, array: RhaiArray, index: Int): Value {
  return copyValue(array.items[offset(array.items.length, index)]);
}

function set(context: NativeContext, array: RhaiArray, index: Int, value: Value): void {
  const at = offset(array.items.length, index);
  if (at < array.items.length) writableItems(context, array)[at] = value;
}

function push(context: NativeContext, array: RhaiArray, item: Value): void {
  checkLength(context, array.items.length + 1);
  writableItems(context, array).push(item);
  arrayGrew(context, array, 1);
}

function append(context: NativeContext, array: RhaiArray, added: RhaiArray): void {
  const count = added.items.length;
  if (count === 0) return;
  checkLength(context, array.items.length + count);
  chargeItems(context, count);
  const copies = added.items.map(copyValue);
  const items = writableItems(context, array);
  for (const item of copies) items.push(item);
  arrayGrew(context, array, count);
}

function concat(context: NativeContext, first: RhaiArray, second: RhaiArray): Value {
  checkLength(context, first.items.length + second.items.length);
  return arrayResult(context, [...first.items.map(copyValue), ...second.items.map(copyValue)]);
}

function insert(context: NativeContext, array: RhaiArray, index: Int, item: Value): void {
  checkLength(context, array.items.length + 1);
  const items = writableItems(context, array);
  const at = offset(items.length, index);
  chargeItems(context, items.length - at);
  items.splice(at, 0, item);
  arrayGrew(context, array, 1);
}

function pad(context: NativeContext, array: RhaiArray, length: Int, item: Value): void {
  const added = Number(length) - array.items.length;
  if (added <= 0) return;
  checkLength(context, Number(length));
  // What the filler holds counts once for every copy.
  if (item instanceof RhaiArray) checkLength(context, Number(length) + added * item.items.length);
  chargeItems(context, added);
  const items = writableItems(context, array);
  for (let i = 0; i < added; i++) items.push(copyValue(item));
  arrayGrew(context, array, added);
}

function pop(context: NativeContext, array: RhaiArray): Value {
  return array.items.length === 0 ? undefined : writableItems(context, array).pop();
}

function shift(context: NativeContext, array: RhaiArray): Value {
  if (array.items.length === 0) return undefined;
  chargeItems(context, array.items.length);
  return writableItems(context, array).shift();
}

function remove(context: NativeContext, array: RhaiArray, index: Int): Value {
  const at = exactIndex(array.items.length, index);
  if (at < 0) return undefined;
  chargeItems(context, array.items.length - at);
  return writableItems(context, array).splice(at, 1)[0];
}

function clear(_: NativeContext, array: RhaiArray): void {
  array.items = [];
  array.owned = true;
}

function truncate(context: NativeContext, array: RhaiArray, length: Int): void {
  const kept = Math.max(Number(length), 0);
  if (kept < array.items.length) writableItems(context, array).length = kept;
}

function chop(context: NativeContext, array: RhaiArray, length: Int): void {
  const kept = Math.max(Number(length), 0);
  const items = array.items;
  if (kept >= items.length) return;
  chargeItems(context, items.length);
  writableItems(context, array).splice(0, items.length - kept);
}

function reverse(context: NativeContext, array: RhaiArray): void {
  chargeItems(context, array.items.length);
  writableItems(context, array).reverse();
}
