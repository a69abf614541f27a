import { elementsEqual } from "../runtime/equality.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import type { FnPtr, RhaiArray, Value } from "../runtime/values.ts";
import { elementRound, type Eventual, loop, rescue } from "./callbacks.ts";
import { CHANGES, CHANGES_CALLING_BACK, declare } from "./define.ts";
import { requireFunction } from "./named-function.ts";
import { arrayResult, chargeItems, writableItems } from "./results.ts";
import { callSwallowing, isSwallowed } from "./swallowed.ts";

const native = declare("array_basic");
const byName = declare("array_basic (deprecated by-name overloads)");

export const arrayRemoval: readonly NativeFunction[] = [
  native(
    "drain(array: array, filter: Fn) -> array",
    "Removes and answers the elements that the function accepts.",
    (context: NativeContext, array: RhaiArray, filter: FnPtr) => removeWhere(context, array, filter, "drain"),
    CHANGES_CALLING_BACK,
  ),
  byName(
    "drain(array: array, filter: string) -> array",
    "Removes and answers the elements that the function with that name accepts.",
    (context: NativeContext, array: RhaiArray, filter: string) =>
      removeWhere(context, array, requireFunction(filter), "drain"),
    CHANGES_CALLING_BACK,
  ),
  native(
    "retain(array: array, filter: Fn) -> array",
    "Removes and answers the elements that the function does not accept.",
    (context: NativeContext, array: RhaiArray, filter: FnPtr) =>
      removeWhere(context, array, filter, "retain"),
    CHANGES_CALLING_BACK,
  ),
  byName(
    "retain(array: array, filter: string) -> array",
    "Removes and answers the elements that the function with that name does not accept.",
    (context: NativeContext, array: RhaiArray, filter: string) =>
      removeWhere(context, array, requireFunction(filter), "retain"),
    CHANGES_CALLING_BACK,
  ),
  native("dedup(array: array) -> ()", "Removes elements that equal the one before.", dedup, CHANGES),
  native(
    "dedup(array: array, comparer: Fn) -> ()",
    "Removes elements that the function finds equal to the one before.",
    dedupBy,
    CHANGES_CALLING_BACK,
  ),
  byName(
    "dedup(array: array, comparer: string) -> ()",
    "Removes elements that the function with that name finds equal to the one before.",
    (context: NativeContext, array: RhaiArray, comparer: string) =>
      dedupBy(context, array, requireFunction(comparer)),
    CHANGES_CALLING_BACK,
  ),
];

/** When the function fails midway, what it had removed until then is lost. */
function removeWhere(
  context: NativeContext,
  array: RhaiArray,
  filter: FnPtr,
  caller: "drain" | "retain",
): Eventual<Value> {
  const items = writableItems(context, array);
  const removed: Value[] = [];
  let kept = 0;
  let next = 0;
  const close = (): void => {
    items.splice(kept, next - kept);
  };
  return rescue(
    () =>
      loop(
        0,
        () => items.length,
        elementRound(context, filter, caller, array),
        (result, index) => {
          if ((result === true) === (caller === "drain")) removed.push(items[index]);
          else items[kept++] = items[index];
          next = index + 1;
        },
        () => {
          close();
          return arrayResult(context, removed);
        },
      ),
    (error) => {
      close();
      throw error;
    },
  );
}

/** Elements that cannot be compared are different. */
function dedup(context: NativeContext, array: RhaiArray): void {
  if (array.items.length < 2) return;
  const items = writableItems(context, array);
  chargeItems(context, items.length);
  let kept = 1;
  for (let i = 1; i < items.length; i++) {
    if (!sameOrNothing(context, items[kept - 1], items[i])) items[kept++] = items[i];
  }
  items.length = kept;
}

function sameOrNothing(context: NativeContext, a: Value, b: Value): boolean {
  try {
    return elementsEqual(a, b, context);
  } catch (error) {
    if (isSwallowed(error)) return false;
    throw error;
  }
}

function dedupBy(context: NativeContext, array: RhaiArray, comparer: FnPtr): Eventual<Value> {
  if (array.items.length < 2) return undefined;
  const items = writableItems(context, array);
  let kept = 1;
  return loop(
    1,
    () => items.length,
    (index) => callSwallowing(context, comparer, [items[kept - 1], items[index]]),
    (same, index) => {
      if (same !== true) items[kept++] = items[index];
    },
    () => {
      items.length = kept;
      return undefined;
    },
  );
}
