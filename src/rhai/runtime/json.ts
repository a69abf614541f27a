import { SMALL } from "./entries.ts";
import { normalizeInt } from "./int.ts";
import { JsonError } from "./json-error.ts";
import { parseJsonExactly } from "./json-parser.ts";
import { Tagged } from "./tagged.ts";
import { sortedKeys } from "./text.ts";
import { typeName } from "./type-name.ts";
import { Char, Float, RhaiArray, RhaiBlob, RhaiMap, type Value } from "./values.ts";

/** How deep arrays and objects may be nested, when reading and when writing. */
export const MAX_JSON_DEPTH = 512;

/** Data as `JSON.parse` answers it, with bigints besides. */
export type HostData =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly HostData[]
  | { readonly [key: string]: HostData };

/**
 * The value of a JSON text. Numbers without point and exponent are integers, exact up to the limits of i64 and
 * floats beyond; all others are floats, also `1.0`. Throws a JsonError that says what is wrong, and in which line and
 * column, also for nesting deeper than MAX_JSON_DEPTH.
 */
export function parseJson(text: string): Value {
  if (needsExactness(text)) return parseJsonExactly(text, MAX_JSON_DEPTH);
  let data: HostData;
  try {
    data = JSON.parse(text) as HostData;
  } catch {
    // Only for its error, which has a position.
    return parseJsonExactly(text, MAX_JSON_DEPTH);
  }
  return convert(data, MAX_JSON_DEPTH);
}

/**
 * The value of plain data: numbers without a fraction become integers where they are safe ones, all others floats;
 * null and undefined become (). Throws a JsonError for nesting deeper than MAX_JSON_DEPTH.
 */
export function fromHost(data: HostData): Value {
  return convert(data, MAX_JSON_DEPTH);
}

/**
 * The JSON text of a value. Integers are exact, floats keep a point or an exponent (`1.0`), blobs become base64, chars
 * strings, () null; keys keep the order in which the language lists them. Throws a JsonError that names the place of
 * what JSON cannot hold: NaN and infinities, functions, ranges, native objects, or nesting beyond MAX_JSON_DEPTH.
 * @param maxLength in UTF-16 units; what is longer is refused (containers that share storage can be far longer as
 *   text than in memory)
 */
export function toJson(value: Value, maxLength: number = Number.POSITIVE_INFINITY): string {
  if (typeof value === "string") return JSON.stringify(value);
  const out = new Text(maxLength);
  write(value, out, MAX_JSON_DEPTH, []);
  return out.text;
}

/** What is written so far. */
class Text {
  text = "";
  readonly #maxLength: number;
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }
  push(part: string): void {
    this.text += part;
    if (this.text.length > this.#maxLength) {
      throw new JsonError(`the value is longer than ${this.#maxLength} characters as JSON`);
    }
  }
}

/** True when `JSON.parse` would lose something: a float that looks like an integer, or an integer of 16 digits. */
function needsExactness(text: string): boolean {
  return /\d[.eE]|\d{16}|-0/.test(text);
}

function convert(data: HostData, depth: number): Value {
  if (data === null || data === undefined) return undefined;
  if (typeof data === "number") return Number.isSafeInteger(data) ? data + 0 : new Float(data);
  if (typeof data === "bigint") return normalizeInt(BigInt.asIntN(64, data));
  if (typeof data === "string") return data.isWellFormed() ? data : data.toWellFormed();
  if (typeof data === "boolean") return data;
  if (depth === 0) throw new JsonError(`nested deeper than ${MAX_JSON_DEPTH} levels`);
  if (Array.isArray(data)) return new RhaiArray(data.map((item: HostData) => convert(item, depth - 1)));
  return convertObject(data as Readonly<Record<string, HostData>>, depth - 1);
}

function convertObject(data: Readonly<Record<string, HostData>>, depth: number): RhaiMap {
  const keys = Object.keys(data);
  if (keys.length > SMALL) {
    const table = new Map<string, Value>();
    for (const key of keys) table.set(key.toWellFormed(), convert(data[key], depth));
    return RhaiMap.of(table);
  }
  const map = new RhaiMap();
  for (const key of keys) map.entries.setUsual(key.toWellFormed(), convert(data[key], depth));
  return map;
}

type Path = (string | number)[];

function write(value: Value, out: Text, depth: number, path: Path): void {
  if (typeof value === "string") out.push(JSON.stringify(value));
  else if (value === undefined) out.push("null");
  else if (typeof value !== "object") out.push(String(value));
  else if (value instanceof Float) out.push(floatText(value.value, path));
  else if (value instanceof Char) out.push(JSON.stringify(value.text));
  else if (value instanceof RhaiBlob) out.push(`"${Buffer.from(value.view()).toString("base64")}"`);
  else if (value instanceof Tagged) write(value.value, out, depth, path);
  else if (!(value instanceof RhaiArray || value instanceof RhaiMap)) {
    throw new JsonError(`${placeOf(path)} is of type ${typeName(value)}, which JSON cannot hold`);
  } else if (depth === 0)
    throw new JsonError(`${placeOf(path)} is nested deeper than ${MAX_JSON_DEPTH} levels`);
  else if (value instanceof RhaiArray) writeArray(value, out, depth, path);
  else writeMap(value, out, depth, path);
}

function writeArray(array: RhaiArray, out: Text, depth: number, path: Path): void {
  out.push("[");
  for (let i = 0; i < array.items.length; i++) {
    if (i > 0) out.push(",");
    path.push(i);
    write(array.items[i], out, depth - 1, path);
    path.pop();
  }
  out.push("]");
}

function writeMap(map: RhaiMap, out: Text, depth: number, path: Path): void {
  let separator = "{";
  for (const key of sortedKeys(map.entries)) {
    out.push(`${separator}${JSON.stringify(key)}:`);
    separator = ",";
    path.push(key);
    write(map.entries.get(key), out, depth - 1, path);
    path.pop();
  }
  out.push(map.entries.size === 0 ? "{}" : "}");
}

function floatText(value: number, path: Path): string {
  if (!Number.isFinite(value)) throw new JsonError(`${placeOf(path)} is ${value}, which JSON cannot hold`);
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function placeOf(path: Path): string {
  if (path.length === 0) return "the value";
  return path
    .map((step, i) => (typeof step === "number" ? `[${step}]` : `${i > 0 ? "." : ""}${step}`))
    .join("");
}
