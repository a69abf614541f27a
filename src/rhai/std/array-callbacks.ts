import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { copyValue, type FnPtr, type RhaiArray, type Value } from "../runtime/values.ts";
import { elementPlace, elementRound, type Eventual, loop, roundOf } from "./callbacks.ts";
import { CALLS_BACK, CHANGES_CALLING_BACK, declare } from "./define.ts";
import { requireFunction } from "./named-function.ts";
import { arrayResult } from "./results.ts";

const native = declare("array_basic");
const byName = declare("array_basic (deprecated by-name overloads)");

export const arrayCallbacks: readonly NativeFunction[] = [
  native(
    "for_each(array: array, map: Fn) -> ()",
    "Calls the function with each element as `this`.",
    forEach,
    CHANGES_CALLING_BACK,
  ),
  native(
    "map(array: array, map: Fn) -> array",
    "Answers the results of the function for all elements.",
    map,
    CALLS_BACK,
  ),
  byName(
    "map(array: array, mapper: string) -> array",
    "Answers the results of the function with that name for all elements.",
    (context: NativeContext, array: RhaiArray, name: string) => map(context, array, requireFunction(name)),
    CHANGES_CALLING_BACK,
  ),
  native(
    "filter(array: array, filter: Fn) -> array",
    "Answers the elements that the function accepts.",
    filter,
    CALLS_BACK,
  ),
  byName(
    "filter(array: array, filter_func: string) -> array",
    "Answers the elements that the function with that name accepts.",
    (context: NativeContext, array: RhaiArray, name: string) => filter(context, array, requireFunction(name)),
    CHANGES_CALLING_BACK,
  ),
  native(
    "some(array: array, filter: Fn) -> bool",
    "Tells whether the function accepts any element.",
    some,
    CALLS_BACK,
  ),
  byName(
    "some(array: array, filter: string) -> bool",
    "Tells whether the function with that name accepts any element.",
    (context: NativeContext, array: RhaiArray, name: string) => some(context, array, requireFunction(name)),
    CALLS_BACK,
  ),
  native(
    "all(array: array, filter: Fn) -> bool",
    "Tells whether the function accepts every element.",
    all,
    CALLS_BACK,
  ),
  byName(
    "all(array: array, filter: string) -> bool",
    "Tells whether the function with that name accepts every element.",
    (context: NativeContext, array: RhaiArray, name: string) => all(context, array, requireFunction(name)),
    CALLS_BACK,
  ),
  native(
    "zip(array1: array, array2: array, map: Fn) -> array",
    "Answers the results of the function for the pairs of elements, up to the end of the shorter array.",
    zip,
    CALLS_BACK,
  ),
];

/** The one among the callbacks of arrays that gets the index, not the element, as its only parameter. */
function forEach(context: NativeContext, array: RhaiArray, action: FnPtr): Eventual<Value> {
  array.writable();
  const round = roundOf(context, action, {
    caller: "for_each",
    fixed: 0,
    optional: 1,
    args: () => [],
    extras: (index) => [index],
    self: (index) => elementPlace(array, index),
  });
  return loop(
    0,
    () => array.items.length,
    round,
    () => false,
    () => undefined,
  );
}

function map(context: NativeContext, array: RhaiArray, mapper: FnPtr): Eventual<Value> {
  const results: Value[] = [];
  return loop(
    0,
    () => array.items.length,
    elementRound(context, mapper, "map", array),
    (result) => {
      results.push(result);
    },
    () => arrayResult(context, results),
  );
}

function filter(context: NativeContext, array: RhaiArray, accepts: FnPtr): Eventual<Value> {
  const accepted: Value[] = [];
  return loop(
    0,
    () => array.items.length,
    elementRound(context, accepts, "filter", array),
    (result, index) => {
      if (result === true) accepted.push(copyValue(array.items[index]));
    },
    () => arrayResult(context, accepted),
  );
}

function some(context: NativeContext, array: RhaiArray, accepts: FnPtr): Eventual<Value> {
  let any = false;
  return loop(
    0,
    () => array.items.length,
    elementRound(context, accepts, "some", array),
    (result) => (any = result === true),
    () => any,
  );
}

function all(context: NativeContext, array: RhaiArray, accepts: FnPtr): Eventual<Value> {
  let every = true;
  return loop(
    0,
    () => array.items.length,
    elementRound(context, accepts, "all", array),
    (result) => {
      every = result === true;
      return !every;
    },
    () => every,
  );
}

function zip(context: NativeContext, first: RhaiArray, second: RhaiArray, mapper: FnPtr): Eventual<Value> {
  const results: Value[] = [];
  const round = roundOf(context, mapper, {
    caller: "zip",
    fixed: 2,
    optional: 1,
    args: (index) => [copyValue(first.items[index]), copyValue(second.items[index])],
    extras: (index) => [index],
  });
  return loop(
    0,
    () => Math.min(first.items.length, second.items.length),
    round,
    (result) => {
      results.push(result);
    },
    () => arrayResult(context, results),
  );
}
