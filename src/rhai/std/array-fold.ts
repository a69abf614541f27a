import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { copyValue, type FnPtr, type RhaiArray, type Value } from "../runtime/values.ts";
import { elementPlace, type Eventual, loop, roundOf } from "./callbacks.ts";
import { CALLS_BACK, declare, type Effects } from "./define.ts";
import { requireFunction } from "./named-function.ts";

const native = declare("array_basic");
const byName = declare("array_basic (deprecated by-name overloads)");

const WITH_INITIAL: Effects = { ...CALLS_BACK, keeps: [2] };

const TEXTS = {
  reduce: "Combines all elements with the function, from the first on",
  reduce_rev: "Combines all elements with the function, from the last on",
};

export const arrayFold: readonly NativeFunction[] = (["reduce", "reduce_rev"] as const).flatMap((name) => {
  const text = TEXTS[name];
  const reversed = name === "reduce_rev";
  return [
    native(
      `${name}(array: array, reducer: Fn) -> any`,
      `${text}; begins with ().`,
      (context: NativeContext, array: RhaiArray, reducer: FnPtr) =>
        fold(context, array, reducer, undefined, reversed),
      CALLS_BACK,
    ),
    native(
      `${name}(array: array, reducer: Fn, initial: any) -> any`,
      `${text}; begins with the value given.`,
      (context: NativeContext, array: RhaiArray, reducer: FnPtr, initial: Value) =>
        fold(context, array, reducer, initial, reversed),
      WITH_INITIAL,
    ),
    byName(
      `${name}(array: array, reducer: string) -> any`,
      `${text} with that name; begins with ().`,
      (context: NativeContext, array: RhaiArray, reducer: string) =>
        fold(context, array, requireFunction(reducer), undefined, reversed),
      CALLS_BACK,
    ),
    byName(
      `${name}(array: array, reducer: string, initial: any) -> any`,
      `${text} with that name; begins with the value given.`,
      (context: NativeContext, array: RhaiArray, reducer: string, initial: Value) =>
        fold(context, array, requireFunction(reducer), initial, reversed),
      WITH_INITIAL,
    ),
  ];
});

/** The reducer gets what was combined so far, then the element (or finds it in `this`), then its index. */
function fold(
  context: NativeContext,
  array: RhaiArray,
  reducer: FnPtr,
  initial: Value,
  reversed: boolean,
): Eventual<Value> {
  let combined = initial;
  const length = array.items.length;
  const place = (round: number): number => (reversed ? length - 1 - round : round);
  if (reducer.target === null || context.arityOf(reducer) === 1) array.writable();
  const round = roundOf(context, reducer, {
    caller: reversed ? "reduce_rev" : "reduce",
    fixed: 1,
    optional: 1,
    args: () => [combined],
    extras: (at) => [place(at)],
    self: (at) => elementPlace(array, place(at)),
    item: (at) => copyValue(array.items[place(at)]),
  });
  return loop(
    0,
    () => length,
    round,
    (result) => {
      combined = result;
    },
    () => combined,
  );
}
