import { Float, parseJson, RhaiArray, RhaiMap, type Value } from "../../rhai/index.ts";
import type { Condition, Path } from "./filter.ts";

/** Tests a text against a pattern. */
export type MatchPattern = (pattern: string, text: string) => boolean;

/** Whether a document's data fulfils a condition: what the SQL of `conditionSql` says, and regular expressions besides. */
export function matches(condition: Condition, data: Value, matchPattern: MatchPattern): boolean {
  switch (condition.kind) {
    case "all":
      return condition.of.every((inner) => matches(inner, data, matchPattern));
    case "any":
      return condition.of.some((inner) => matches(inner, data, matchPattern));
    case "not":
      return !matches(condition.of, data, matchPattern);
    case "equal":
      return equal(at(data, condition.path), parseJson(condition.json));
    case "in":
      return condition.json.some((json) => equal(at(data, condition.path), parseJson(json)));
    case "order":
      return inOrder(at(data, condition.path), condition.than, parseJson(condition.value.json));
    case "exists":
      return exists(data, condition.path);
    case "contains":
      return contains(at(data, condition.path), parseJson(condition.json));
    case "regex": {
      const value = at(data, condition.path);
      return typeof value === "string" && matchPattern(condition.pattern, value);
    }
  }
}

/** Undefined for null and for what is missing. */
function at(data: Value, path: Path): Value {
  let value = data;
  for (const segment of path) {
    if (value instanceof RhaiMap) value = value.entries.get(segment);
    else if (value instanceof RhaiArray && /^\d+$/.test(segment)) value = value.items[Number(segment)];
    else return undefined;
  }
  return value;
}

function exists(data: Value, path: Path): boolean {
  const parent = at(data, path.slice(0, -1));
  const last = path.at(-1) ?? "";
  if (parent instanceof RhaiMap) return parent.entries.has(last);
  return parent instanceof RhaiArray && /^\d+$/.test(last) && Number(last) < parent.items.length;
}

const isNumber = (value: Value): value is number | bigint | Float =>
  typeof value === "number" || typeof value === "bigint" || value instanceof Float;

const plain = (value: number | bigint | Float): number | bigint =>
  value instanceof Float ? value.value : value;

/** As jsonb has it: numbers by their value, whatever their kind. */
function equal(a: Value, b: Value): boolean {
  // oxlint-disable-next-line eqeqeq -- compares a number with a bigint by value, exactly
  if (isNumber(a) && isNumber(b)) return plain(a) == plain(b);
  if (a instanceof RhaiArray && b instanceof RhaiArray) {
    return a.items.length === b.items.length && a.items.every((item, index) => equal(item, b.items[index]));
  }
  if (a instanceof RhaiMap && b instanceof RhaiMap) {
    if (a.entries.size !== b.entries.size) return false;
    for (const [key, value] of a.entries)
      if (!b.entries.has(key) || !equal(value, b.entries.get(key))) return false;
    return true;
  }
  return a === b;
}

function inOrder(value: Value, than: "<" | "<=" | ">" | ">=", bound: Value): boolean {
  const order = compare(value, bound);
  if (order === null) return false;
  if (order === 0) return than === "<=" || than === ">=";
  return order < 0 === than.startsWith("<");
}

/** Null: they are not of one type that has an order. */
function compare(a: Value, b: Value): number | null {
  if (isNumber(a) && isNumber(b)) return plain(a) < plain(b) ? -1 : plain(a) > plain(b) ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  return null;
}

function contains(value: Value, wanted: Value): boolean {
  if (value instanceof RhaiArray) return value.items.some((item) => equal(item, wanted));
  return typeof value === "string" && typeof wanted === "string" && value.includes(wanted);
}
