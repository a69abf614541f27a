import { Float, RhaiArray, RhaiMap, toJson, typeName, type Value } from "../../rhai/index.ts";
import { invalid, type AppError } from "../../shared/errors.ts";
import { holdsNul } from "../json-text.ts";
import type { Condition, Path, Query, Scalar, SortKey } from "./filter.ts";

const MAX_SEGMENTS = 5;
const MAX_SORT_KEYS = 3;
const MAX_DEPTH = 4;
const MAX_CONDITIONS = 50;
const MAX_ALTERNATIVES = 20;
const MAX_VALUES = 1000;
const MAX_PATTERN = 256;
const MAX_JSON = 64 * 1024;

/** Operators of one field. */
const OPERATORS = [
  "$eq",
  "$ne",
  "$gt",
  "$gte",
  "$lt",
  "$lte",
  "$in",
  "$nin",
  "$exists",
  "$contains",
  "$regex",
  "$not",
] as const;
/** What may stand beside fields. */
const TOP = ["$and", "$or", "$nor", "$sort", "$limit", "$select", "$cursor"] as const;

/** 422 about one place of a filter (CONTRACT 4.2). */
export const invalidFilter = (field: string, why: string): AppError =>
  invalid("invalid_filter", `invalid filter: ${field}: ${why}`);

const unsupported = (name: string): AppError =>
  invalid(
    "unsupported_operator",
    `operator '${name.slice(0, 64)}' is not supported; there are ${[...OPERATORS, ...TOP].join(" ")}`,
  );

/** Reads a filter. @throws AppError 422 that names the place */
export function readFilter(filter: RhaiMap): Query {
  const budget = { conditions: 0 };
  const fields: [string, Value][] = [];
  const directives = new Map<string, Value>();
  for (const [name, value] of filter.entries) {
    if (name === "$sort" || name === "$limit" || name === "$select" || name === "$cursor")
      directives.set(name, value);
    else fields.push([name, value]);
  }
  return {
    where: readFields(fields, 1, budget),
    sort: readSort(directives.get("$sort")),
    limit: readLimit(directives.get("$limit")),
    select: readSelect(directives.get("$select")),
    cursor: readCursor(directives.get("$cursor")),
  };
}

interface Budget {
  conditions: number;
}

function readFields(fields: Iterable<readonly [string, Value]>, depth: number, budget: Budget): Condition {
  if (depth > MAX_DEPTH) throw invalidFilter("$and/$or/$nor", `filters may be nested ${MAX_DEPTH} deep`);
  const all: Condition[] = [];
  for (const [name, value] of fields) {
    if (name === "$and" || name === "$or" || name === "$nor")
      all.push(readAlternatives(name, value, depth, budget));
    else if (name.startsWith("$")) throw unsupported(name);
    else all.push(...readField(name, value, budget));
  }
  return { kind: "all", of: all };
}

function readAlternatives(name: string, value: Value, depth: number, budget: Budget): Condition {
  if (!(value instanceof RhaiArray))
    throw invalidFilter(name, `must be an array of filters, not ${shownType(value)}`);
  const { items } = value;
  if (items.length < 1 || items.length > MAX_ALTERNATIVES) {
    throw invalidFilter(name, `takes 1 to ${MAX_ALTERNATIVES} filters, not ${items.length}`);
  }
  const of = items.map((item) => {
    if (!(item instanceof RhaiMap))
      throw invalidFilter(name, `each must be a filter, not ${shownType(item)}`);
    return readFields(item.entries, depth + 1, budget);
  });
  if (name === "$and") return { kind: "all", of };
  const any: Condition = { kind: "any", of };
  return name === "$or" ? any : { kind: "not", of: any };
}

function readField(name: string, value: Value, budget: Budget): Condition[] {
  const path = readPath(name);
  // A map with an operator is a test; any other is a value.
  const isTest = value instanceof RhaiMap && [...value.entries.keys()].some((key) => key.startsWith("$"));
  if (!isTest) return [readOperator(path, "$eq", value, budget)];
  return readOperators(path, value, budget);
}

function readOperators(path: Path, operators: RhaiMap, budget: Budget): Condition[] {
  return [...operators.entries].map(([name, value]) => readOperator(path, name, value, budget));
}

function readOperator(path: Path, name: string, value: Value, budget: Budget): Condition {
  const field = path.join(".");
  if (++budget.conditions > MAX_CONDITIONS)
    throw invalidFilter(field, `a filter may have ${MAX_CONDITIONS} conditions`);
  switch (name) {
    case "$eq":
      return { kind: "equal", path, json: jsonOf(field, value) };
    case "$ne":
      return { kind: "not", of: { kind: "equal", path, json: jsonOf(field, value) } };
    case "$gt":
      return { kind: "order", path, than: ">", value: scalarOf(field, name, value) };
    case "$gte":
      return { kind: "order", path, than: ">=", value: scalarOf(field, name, value) };
    case "$lt":
      return { kind: "order", path, than: "<", value: scalarOf(field, name, value) };
    case "$lte":
      return { kind: "order", path, than: "<=", value: scalarOf(field, name, value) };
    case "$in":
      return { kind: "in", path, json: valuesOf(field, name, value) };
    case "$nin":
      return { kind: "not", of: { kind: "in", path, json: valuesOf(field, name, value) } };
    case "$exists":
      if (typeof value !== "boolean")
        throw invalidFilter(field, `$exists takes true or false, not ${shownType(value)}`);
      return value ? { kind: "exists", path } : { kind: "not", of: { kind: "exists", path } };
    case "$contains":
      return {
        kind: "contains",
        path,
        json: jsonOf(field, value),
        text: typeof value === "string" ? value : null,
      };
    case "$regex":
      if (typeof value !== "string")
        throw invalidFilter(field, `$regex takes a string, not ${shownType(value)}`);
      if (Buffer.byteLength(value) > MAX_PATTERN)
        throw invalidFilter(field, `a pattern may have ${MAX_PATTERN} bytes`);
      return { kind: "regex", path, pattern: value };
    case "$not":
      return readNot(path, value, budget);
    default:
      throw name.startsWith("$")
        ? unsupported(name)
        : invalidFilter(field, `"${name.slice(0, 64)}" stands beside operators, but is none`);
  }
}

function readNot(path: Path, value: Value, budget: Budget): Condition {
  const field = path.join(".");
  if (!(value instanceof RhaiMap) || value.entries.size !== 1) {
    throw invalidFilter(field, "$not takes a map with one operator");
  }
  const [inner] = readOperators(path, value, budget);
  if (inner === undefined) throw invalidFilter(field, "$not takes a map with one operator");
  return { kind: "not", of: inner };
}

/** A dotted path. @throws AppError 422 */
export function readPath(name: string): Path {
  const path = name.split(".");
  if (path.length > MAX_SEGMENTS)
    throw invalidFilter(name.slice(0, 128), `a path may have ${MAX_SEGMENTS} segments`);
  if (path.includes("")) throw invalidFilter(name.slice(0, 128) || '""', "a segment of the path is empty");
  if (name.startsWith("$"))
    throw invalidFilter(name.slice(0, 128), "the name of a field must not begin with $");
  if (name.includes("\0") || Buffer.byteLength(name) > 512)
    throw invalidFilter("path", "it may have 512 bytes, and no NUL");
  return path;
}

function jsonOf(field: string, value: Value): string {
  let json: string;
  try {
    json = toJson(value, MAX_JSON);
  } catch {
    throw invalidFilter(field, "the value cannot be written as JSON, or is too large");
  }
  if (holdsNul(json)) throw invalidFilter(field, "the value holds a NUL character");
  return json;
}

function scalarOf(field: string, name: string, value: Value): Scalar {
  if (typeof value === "string") return { type: "string", json: jsonOf(field, value) };
  if (typeof value === "boolean") return { type: "boolean", json: String(value) };
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Float) {
    return { type: "number", json: jsonOf(field, value) };
  }
  throw invalidFilter(field, `${name} takes a number, a string or a bool, not ${shownType(value)}`);
}

function valuesOf(field: string, name: string, value: Value): string[] {
  if (!(value instanceof RhaiArray))
    throw invalidFilter(field, `${name} takes an array, not ${shownType(value)}`);
  if (value.items.length > MAX_VALUES)
    throw invalidFilter(field, `${name} takes ${MAX_VALUES} values at most`);
  return value.items.map((item) => jsonOf(field, item));
}

function readSort(value: Value): SortKey[] {
  if (value === undefined) return [];
  if (!(value instanceof RhaiMap)) throw invalidFilter("$sort", `must be a map, not ${shownType(value)}`);
  if (value.entries.size > MAX_SORT_KEYS)
    throw invalidFilter("$sort", `takes ${MAX_SORT_KEYS} fields at most`);
  return [...value.entries].map(([name, direction]) => {
    if (direction === 1 || direction === "asc") return { path: readPath(name), descending: false };
    if (direction === -1 || direction === "desc") return { path: readPath(name), descending: true };
    throw invalidFilter("$sort", `${name.slice(0, 128)} must be 1, -1, "asc" or "desc"`);
  });
}

function readLimit(value: Value): number | null {
  if (value === undefined) return null;
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw invalidFilter("$limit", `must be an integer, not ${shownType(value)}`);
  }
  if (value < 1) throw invalidFilter("$limit", `must be at least 1, not ${value}`);
  return Number(value);
}

function readSelect(value: Value): Path[] | null {
  if (value === undefined) return null;
  if (!(value instanceof RhaiArray))
    throw invalidFilter("$select", `must be an array of fields, not ${shownType(value)}`);
  if (value.items.length > 100) throw invalidFilter("$select", "takes 100 fields at most");
  return value.items.map((item) => {
    if (typeof item !== "string")
      throw invalidFilter("$select", `each must be the name of a field, not ${shownType(item)}`);
    return readPath(item);
  });
}

function readCursor(value: Value): string | null {
  if (value === undefined) return null;
  if (typeof value !== "string") throw invalidFilter("$cursor", `must be a string, not ${shownType(value)}`);
  return value;
}

const shownType = (value: Value): string => (value === undefined ? "()" : typeName(value));
