import { Entries } from "../runtime/entries.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { sortedKeys } from "../runtime/text.ts";
import { copyValue, type FnPtr, type RhaiMap, type Value } from "../runtime/values.ts";
import { type Eventual, loop, rescue, roundOf, type Round } from "./callbacks.ts";
import { CALLS_BACK, CHANGES, CHANGES_CALLING_BACK, declare, withAliases } from "./define.ts";
import { arrayResult, chargeItems, checkEntries, mapGrew, mapResult, writableEntries } from "./results.ts";

const native = declare("map_basic");

export const mapBasic: readonly NativeFunction[] = [
  native(
    "len(map: map) -> i64",
    "Answers the number of properties.",
    (_: NativeContext, map: RhaiMap) => map.entries.size,
  ),
  native(
    "is_empty(map: map) -> bool",
    "Tells whether it has no properties.",
    (_: NativeContext, map: RhaiMap) => map.entries.size === 0,
  ),
  native(
    "contains(map: map, property: string) -> bool",
    "Tells whether it has a property of this name.",
    (_: NativeContext, map: RhaiMap, name: string) => map.entries.has(name),
  ),
  native(
    "get(map: map, property: string) -> any",
    "Answers a copy of a property, or () when there is none.",
    (_: NativeContext, map: RhaiMap, name: string) => copyValue(map.entries.get(name)),
  ),
  native("set(map: map, property: string, value: any) -> ()", "Adds or replaces a property.", set, {
    ...CHANGES,
    keeps: [2],
  }),
  native("clear(map: map) -> ()", "Removes all properties.", clear, CHANGES),
  native("remove(map: map, property: string) -> any", "Removes and answers a property.", remove, CHANGES),
  ...withAliases(
    native(
      "mixin(map: map, map2: map) -> ()",
      "Adds all properties of another map, replacing its own.",
      mixin,
      CHANGES,
    ),
    "+=",
  ),
  native("+(map1: map, map2: map) -> map", "Answers the properties of both; those of the second win.", merge),
  native(
    "fill_with(map: map, map2: map) -> ()",
    "Adds the properties of another map that it lacks.",
    fillWith,
    CHANGES,
  ),
  native(
    "keys(map: map) -> array",
    "Answers the names of all properties.",
    (context: NativeContext, map: RhaiMap) => arrayResult(context, sortedKeys(map.entries)),
  ),
  native(
    "values(map: map) -> array",
    "Answers the values of all properties, in the order of their names.",
    (context: NativeContext, map: RhaiMap) =>
      arrayResult(
        context,
        sortedKeys(map.entries).map((key) => copyValue(map.entries.get(key))),
      ),
  ),
  native(
    "map(map: map, mapper: Fn) -> map",
    "Answers a map of the results of the function.",
    mapValues,
    CALLS_BACK,
  ),
  native(
    "filter(map: map, filter: Fn) -> map",
    "Answers the properties that the function accepts.",
    filter,
    CALLS_BACK,
  ),
  native(
    "drain(map: map, filter: Fn) -> map",
    "Removes and answers the properties that the function accepts.",
    (context: NativeContext, map: RhaiMap, accepts: FnPtr) => removeWhere(context, map, accepts, "drain"),
    CHANGES_CALLING_BACK,
  ),
  native(
    "retain(map: map, filter: Fn) -> map",
    "Removes and answers the properties that the function does not accept.",
    (context: NativeContext, map: RhaiMap, accepts: FnPtr) => removeWhere(context, map, accepts, "retain"),
    CHANGES_CALLING_BACK,
  ),
];

function set(context: NativeContext, map: RhaiMap, name: string, value: Value): void {
  const isNew = !map.entries.has(name);
  if (isNew) checkEntries(context, map.entries.size + 1);
  writableEntries(context, map).set(name, value);
  if (isNew) mapGrew(context, map, 1);
}

function clear(_: NativeContext, map: RhaiMap): void {
  map.entries = new Entries();
  map.owned = true;
}

function remove(context: NativeContext, map: RhaiMap, name: string): Value {
  if (!map.entries.has(name)) return undefined;
  const entries = writableEntries(context, map);
  const value = entries.get(name);
  entries.delete(name);
  return value;
}

function mixin(context: NativeContext, map: RhaiMap, added: RhaiMap): void {
  if (added.entries.size === 0) return;
  chargeItems(context, added.entries.size);
  const entries = writableEntries(context, map);
  for (const [key, value] of added.entries) entries.setUsual(key, copyValue(value));
  mapGrew(context, map, added.entries.size);
}

function merge(context: NativeContext, first: RhaiMap, second: RhaiMap): Value {
  const merged = first.copy();
  mixin(context, merged, second);
  return merged;
}

function fillWith(context: NativeContext, map: RhaiMap, added: RhaiMap): void {
  if (added.entries.size === 0) return;
  chargeItems(context, added.entries.size);
  const entries = writableEntries(context, map);
  for (const [key, value] of added.entries) if (!entries.has(key)) entries.setUsual(key, copyValue(value));
  mapGrew(context, map, added.entries.size);
}

function mapValues(context: NativeContext, map: RhaiMap, mapper: FnPtr): Eventual<Value> {
  const keys = sortedKeys(map.entries);
  const results = new Map<string, Value>();
  return loop(
    0,
    () => keys.length,
    // The official one names `filter` here too.
    entryRound(context, mapper, "filter", map, keys),
    (result, index) => {
      results.set(keys[index] ?? "", result);
    },
    () => mapResult(context, results),
  );
}

function filter(context: NativeContext, map: RhaiMap, accepts: FnPtr): Eventual<Value> {
  const keys = sortedKeys(map.entries);
  const accepted = new Map<string, Value>();
  return loop(
    0,
    () => keys.length,
    entryRound(context, accepts, "filter", map, keys),
    (result, index) => {
      const key = keys[index] ?? "";
      if (result === true) accepted.set(key, copyValue(map.entries.get(key)));
    },
    () => mapResult(context, accepted),
  );
}

/** When the function fails midway, what it had removed until then is lost, and so is the property it failed on. */
function removeWhere(
  context: NativeContext,
  map: RhaiMap,
  accepts: FnPtr,
  caller: "drain" | "retain",
): Eventual<Value> {
  const keys = sortedKeys(map.entries);
  const entries = writableEntries(context, map);
  const removed = new Map<string, Value>();
  let next = 0;
  return rescue(
    () =>
      loop(
        0,
        () => keys.length,
        entryRound(context, accepts, caller, map, keys),
        (result, index) => {
          next = index + 1;
          if ((result === true) !== (caller === "drain")) return;
          const key = keys[index] ?? "";
          removed.set(key, entries.get(key));
          entries.delete(key);
        },
        () => mapResult(context, removed),
      ),
    (error) => {
      entries.delete(keys[next] ?? "");
      throw error;
    },
  );
}

/** Callbacks of maps get the key, with the value as `this` or as second parameter. */
function entryRound(
  context: NativeContext,
  callback: FnPtr,
  caller: string,
  map: RhaiMap,
  keys: readonly string[],
): Round {
  if (callback.target === null || context.arityOf(callback) === 1) map.writable();
  const keyAt = (index: number): string => keys[index] ?? "";
  return roundOf(context, callback, {
    caller,
    fixed: 1,
    optional: 0,
    args: (index) => [keyAt(index)],
    extras: () => [],
    self: (index) => ({
      get: () => map.entries.get(keyAt(index)),
      set: (value) => {
        map.writable().set(keyAt(index), value);
      },
    }),
    item: (index) => copyValue(map.entries.get(keyAt(index))),
  });
}
