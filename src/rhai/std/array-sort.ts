import { NONE } from "../syntax/position.ts";
import { RhaiError } from "../runtime/errors.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { compareText } from "../runtime/text.ts";
import { rustTypeName, typeName } from "../runtime/type-name.ts";
import type { Char, Float, RhaiArray } from "../runtime/values.ts";
import { copyValue, type FnPtr, type Value } from "../runtime/values.ts";
import type { Eventual } from "./callbacks.ts";
import { CHANGES, CHANGES_CALLING_BACK, declare, REFUSES_CONSTANTS, withAliases } from "./define.ts";
import { requireFunction } from "./named-function.ts";
import { arrayResult, chargeItems, writableItems } from "./results.ts";
import { stableSort, stableSortNow } from "./stable-sort.ts";
import { callSwallowing, isSwallowed } from "./swallowed.ts";

const native = declare("array_basic");
const byName = declare("array_basic (deprecated by-name overloads)");

export const arraySort: readonly NativeFunction[] = [
  native(
    "sort(array: array) -> ()",
    "Sorts elements of one simple type, smallest first.",
    (context: NativeContext, array: RhaiArray) => sort(context, array, 1),
    CHANGES,
  ),
  native(
    "sort_desc(array: array) -> ()",
    "Sorts elements of one simple type, largest first.",
    (context: NativeContext, array: RhaiArray) => sort(context, array, -1),
    CHANGES,
  ),
  ...withAliases(
    native(
      "sort(array: array, comparer: Fn) -> ()",
      "Sorts by a function that answers an integer, or true for two elements in order.",
      sortBy,
      CHANGES_CALLING_BACK,
    ),
    "sort_by",
  ),
  byName(
    "sort(array: array, comparer: string) -> ()",
    "Sorts by the function with that name.",
    (context: NativeContext, array: RhaiArray, comparer: string) =>
      sortBy(context, array, requireFunction(comparer)),
    CHANGES_CALLING_BACK,
  ),
  native(
    "order(array: array) -> array",
    "Answers the elements sorted, smallest first.",
    (context: NativeContext, array: RhaiArray) => ordered(context, array, 1),
    REFUSES_CONSTANTS,
  ),
  native(
    "order_desc(array: array) -> array",
    "Answers the elements sorted, largest first.",
    (context: NativeContext, array: RhaiArray) => ordered(context, array, -1),
    REFUSES_CONSTANTS,
  ),
  ...withAliases(
    native(
      "order(array: array, comparer: Fn) -> array",
      "Answers the elements sorted by a function.",
      (context: NativeContext, array: RhaiArray, comparer: FnPtr) => {
        const copy = arrayResult(context, array.items.map(copyValue));
        const sorted = sortBy(context, copy, comparer);
        return sorted instanceof Promise ? sorted.then(() => copy) : copy;
      },
      { ...REFUSES_CONSTANTS, callsBack: true },
    ),
    "order_by",
  ),
];

function ordered(context: NativeContext, array: RhaiArray, direction: 1 | -1): Value {
  const copy = arrayResult(context, array.items.map(copyValue));
  sort(context, copy, direction);
  return copy;
}

function sort(context: NativeContext, array: RhaiArray, direction: 1 | -1): void {
  const { items } = array;
  if (items.length < 2) return;
  const type = typeName(items[0]);
  chargeItems(context, items.length);
  if (items.some((item) => typeName(item) !== type)) {
    throw unsortable("elements of different types cannot be sorted");
  }
  if (type === "()") return;
  const compare = COMPARERS[type];
  if (compare === undefined) throw unsortable(`elements of ${rustTypeName(items[0])} cannot be sorted`);
  let comparisons = 0;
  writableItems(context, array).sort((a, b) => {
    if ((++comparisons & 1023) === 0) context.charge(512);
    return direction * compare(a, b);
  });
}

/** The order of two values of one type; floats that cannot be compared count as equal. */
const COMPARERS: Readonly<Record<string, (a: Value, b: Value) => number>> = {
  i64: (a, b) => compareNumbers(a as number, b as number),
  f64: (a, b) => compareNumbers((a as Float).value, (b as Float).value),
  string: (a, b) => compareText(a as string, b as string),
  char: (a, b) => compareText((a as Char).text, (b as Char).text),
  bool: (a, b) => Number(a) - Number(b),
};

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function unsortable(text: string): RhaiError {
  return new RhaiError("ErrorFunctionNotFound", `Function not found: ${text}`, NONE, { function: text });
}

/**
 * Where a comparer fails, or answers neither an integer nor a bool, the official one goes by what its build calls the
 * types. Ours has settled on one such order; values of one type stay as they are.
 */
const TYPE_ORDER: readonly string[] = [
  "i64",
  "f64",
  "range",
  "array",
  "Fn",
  "range=",
  "map",
  "string",
  "char",
  "()",
  "bool",
  "blob",
];

const byType = (a: Value, b: Value): number =>
  TYPE_ORDER.indexOf(typeName(a)) - TYPE_ORDER.indexOf(typeName(b));

function sortBy(context: NativeContext, array: RhaiArray, comparer: FnPtr): Eventual<Value> {
  if (array.items.length < 2) return undefined;
  const put = (sorted: Value[]): undefined => {
    array.items = sorted;
    array.owned = true;
  };
  const items = writableItems(context, array);
  if (comparer.target?.suspends === false) {
    return put(stableSortNow(items, (a, b) => orderOf(orderedBy(context, comparer, a, b), a, b)));
  }
  const sorted = stableSort(items, (a, b) => {
    const answer = callSwallowing(context, comparer, [a, b]);
    return answer instanceof Promise ? answer.then((order) => orderOf(order, a, b)) : orderOf(answer, a, b);
  });
  return sorted instanceof Promise ? sorted.then(put) : put(sorted);
}

/** callSwallowing for a comparer that never suspends. */
function orderedBy(context: NativeContext, comparer: FnPtr, a: Value, b: Value): Value {
  try {
    return context.call(comparer, [a, b]) as Value;
  } catch (error) {
    if (isSwallowed(error)) return undefined;
    throw error;
  }
}

function orderOf(answer: Value, a: Value, b: Value): number {
  if (typeof answer === "number") return answer;
  if (typeof answer === "boolean") return answer ? -1 : 1;
  return typeof answer === "bigint" ? (answer < 0 ? -1 : 1) : byType(a, b);
}
