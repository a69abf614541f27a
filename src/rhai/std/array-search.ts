import { elementsEqual } from "../runtime/equality.ts";
import { RhaiError } from "../runtime/errors.ts";
import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { copyValue, type FnPtr, type RhaiArray, type Value } from "../runtime/values.ts";
import { elementRound, type Eventual, isMissing, loop, rescue } from "./callbacks.ts";
import { CALLS_BACK, declare } from "./define.ts";
import { namedFunction } from "./named-function.ts";
import { offset } from "./indexing.ts";

const native = declare("array_basic");

export const arraySearch: readonly NativeFunction[] = [
  native(
    "contains(array: array, value: any) -> bool",
    "Tells whether an element equals the value.",
    (context: NativeContext, array: RhaiArray, value: Value) => findValue(context, array, value, 0) >= 0,
  ),
  native(
    "index_of(array: array, value: any) -> i64",
    "Answers the index of the first element that equals the value, or -1.",
    (context: NativeContext, array: RhaiArray, value: Value) => findValue(context, array, value, 0),
  ),
  native(
    "index_of(array: array, value: any, start: i64) -> i64",
    "Answers the index of the first element from a start on that equals the value, or -1.",
    findValue,
  ),
  native(
    "index_of(array: array, filter: Fn) -> i64",
    "Answers the index of the first element that the function accepts, or -1.",
    (context: NativeContext, array: RhaiArray, filter: FnPtr) => findAccepted(context, array, filter, 0),
    CALLS_BACK,
  ),
  native(
    "index_of(array: array, filter: Fn, start: i64) -> i64",
    "Answers the index of the first element from a start on that the function accepts, or -1.",
    findAccepted,
    CALLS_BACK,
  ),
  native(
    "index_of(array: array, filter: string) -> i64",
    "Looks with the function of that name, or for the string itself when there is none.",
    (context: NativeContext, array: RhaiArray, name: string) => findByName(context, array, name, 0),
    CALLS_BACK,
  ),
  native(
    "index_of(array: array, filter: string, start: i64) -> i64",
    "Looks with the function of that name from a start on, or for the string itself when there is none.",
    findByName,
    CALLS_BACK,
  ),
  native(
    "find(array: array, filter: Fn) -> any",
    "Answers the first element that the function accepts, or ().",
    (context: NativeContext, array: RhaiArray, filter: FnPtr) => find(context, array, filter, 0),
    CALLS_BACK,
  ),
  native(
    "find(array: array, filter: Fn, start: i64) -> any",
    "Answers the first element from a start on that the function accepts, or ().",
    find,
    CALLS_BACK,
  ),
  native(
    "find_map(array: array, filter: Fn) -> any",
    "Answers the first result of the function that is not ().",
    (context: NativeContext, array: RhaiArray, filter: FnPtr) => findMapped(context, array, filter, 0),
    CALLS_BACK,
  ),
  native(
    "find_map(array: array, filter: Fn, start: i64) -> any",
    "Answers the first result of the function, from a start on, that is not ().",
    findMapped,
    CALLS_BACK,
  ),
];

function findValue(context: NativeContext, array: RhaiArray, value: Value, start: Int): number {
  const { items } = array;
  for (let i = offset(items.length, start); i < items.length; i++) {
    if ((i & 63) === 63) context.charge(16);
    if (elementsEqual(items[i], value, context)) return i;
  }
  return -1;
}

function findAccepted(context: NativeContext, array: RhaiArray, filter: FnPtr, start: Int): Eventual<Value> {
  let found = -1;
  return loop(
    offset(array.items.length, start),
    () => array.items.length,
    elementRound(context, filter, "index_of", array),
    (accepted, index) => {
      if (accepted === true) found = index;
      return accepted === true;
    },
    () => found,
  );
}

function findByName(context: NativeContext, array: RhaiArray, name: string, start: Int): Eventual<Value> {
  if (array.items.length === 0) return -1;
  const filter = namedFunction(name);
  const asValue = () => findValue(context, array, name, start);
  if (filter instanceof RhaiError) return asValue();
  return rescue(
    () => findAccepted(context, array, filter, start),
    (error) => {
      const inner = error instanceof RhaiError && error.kind === "ErrorInFunctionCall" ? error.inner : error;
      if (isMissing(inner, name)) return asValue();
      throw error;
    },
  );
}

function find(context: NativeContext, array: RhaiArray, filter: FnPtr, start: Int): Eventual<Value> {
  const element = (index: Value): Value =>
    typeof index === "number" ? copyValue(array.items[index]) : undefined;
  const index = findAccepted(context, array, filter, start);
  return index instanceof Promise ? index.then(element) : element(index);
}

function findMapped(context: NativeContext, array: RhaiArray, filter: FnPtr, start: Int): Eventual<Value> {
  let found: Value;
  return loop(
    offset(array.items.length, start),
    () => array.items.length,
    elementRound(context, filter, "find_map", array),
    (result) => {
      found = result;
      return result !== undefined;
    },
    () => found,
  );
}
