import { NONE } from "../syntax/position.ts";
import type { Entries } from "./entries.ts";
import { RhaiError } from "./errors.ts";
import { INT_MAX } from "./int.ts";
import { sortedKeys } from "./text.ts";
import { Tagged } from "./tagged.ts";
import { hostTypeName } from "./type-name.ts";
import {
  Cell,
  Char,
  Float,
  FnPtr,
  HostValue,
  Range,
  RhaiArray,
  RhaiBlob,
  RhaiMap,
  type Value,
} from "./values.ts";

/**
 * The text of a value in `print`, `to_string`, interpolation and string `+`.
 *
 * `limit` is the length (in UTF-16 units, 0 for none) beyond which ErrorDataTooLarge is thrown while writing: shared
 * containers can make a text far longer than the memory they take.
 */
export function display(value: Value, limit = 0): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    case "undefined":
      return "";
    default:
      if (value instanceof Float) return displayFloat(value.value);
      if (value instanceof Char) return value.text;
      return value instanceof Tagged ? display(value.value, limit) : write(value, SCRIPT, limit);
  }
}

/** The text of a value in `debug`, `to_debug` and inside printed containers. Chars are bare there. */
export function debugText(value: Value, limit = 0): string {
  return write(value, SCRIPT, limit);
}

/** The form that the official interpreter shows to its host: chars in quotes, function pointers with curried values. */
export function toDebugValue(value: Value, limit = 0): string {
  return write(value, HOST, limit);
}

/** The text that the official interpreter's host gets for a value: `display`, with what is nested as `toDebugValue`. */
export function toDisplayValue(value: Value, limit = 0): string {
  if (value instanceof Tagged) return toDisplayValue(value.value, limit);
  const nested = value instanceof RhaiArray || value instanceof RhaiMap || value instanceof HostValue;
  return nested ? write(value, HOST, limit) : display(value, limit);
}

/**
 * A float in `print`. Exponents begin where a 32-bit 1e13 and 1e-13, widened, end; the sign of zero is lost.
 */
export function displayFloat(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude === 0) return "0.0";
  if (magnitude > LARGE || magnitude < SMALL) return exponential(value);
  if (Number.isNaN(value)) return "NaN";
  return Number.isInteger(value) ? `${value}.0` : decimal(value);
}

/** A float inside of containers and in `to_debug`: exponents from 1e16 up and below 1e-4. */
export function debugFloat(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  if (Number.isNaN(value)) return "NaN";
  if (magnitude >= 1e16 || magnitude < 1e-4) return exponential(value);
  return Number.isInteger(value) ? `${value}.0` : shortest(value);
}

/** A string in quotes, with escapes for what cannot be seen. */
export function quote(text: string): string {
  return `"${text.replace(STRING_ESCAPES, escape)}"`;
}

/** A char in quotes. */
export function quoteChar(text: string): string {
  return `'${text.replace(CHAR_ESCAPES, escape)}'`;
}

/** A float in full digits, without an exponent. */
export function decimal(value: number): string {
  const text = shortest(value);
  const split = text.indexOf("e");
  if (split < 0) return text;
  const digits = text.slice(0, split).replace("-", "").replace(".", "");
  const exponent = Number(text.slice(split + 1));
  const sign = value < 0 ? "-" : "";
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return sign + digits.padEnd(exponent + 1, "0");
}

const LARGE = Math.fround(1e13);
const SMALL = Math.fround(1e-13);

const INVISIBLE = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Grapheme_Extend}[\p{Zs}--[ ]]`;
const STRING_ESCAPES = new RegExp(String.raw`[\\"${INVISIBLE}]`, "gv");
const CHAR_ESCAPES = new RegExp(String.raw`[\\'${INVISIBLE}]`, "gv");
const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\t": "\\t",
  "\r": "\\r",
  "\n": "\\n",
  "\\": "\\\\",
  '"': '\\"',
  "'": "\\'",
};

function escape(scalar: string): string {
  return NAMED_ESCAPES[scalar] ?? `\\u{${(scalar.codePointAt(0) ?? 0).toString(16)}}`;
}

function exponential(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const text = value.toExponential().replace("+", "");
  const split = text.indexOf("e");
  return upFromTie(value, text.slice(0, split)) + text.slice(split);
}

/** The shortest digits that read back as the number, in JavaScript's notation. */
function shortest(value: number): string {
  const text = String(value);
  return text.includes("e") ? text : upFromTie(value, text);
}

/**
 * Of two shortest texts that are equally close to a number, JavaScript takes the one that ends in an even digit, Rust the
 * larger one. `digits` is the former; answers the latter. Only numbers with few binary places can lie in the middle, as
 * all digits of their exact value are but one more than the shortest.
 */
function upFromTie(value: number, digits: string): string {
  if (!Number.isInteger(value * 2 ** 26)) return digits;
  const count = digits.replace(/^-?0*\.?0*|\./g, "").length;
  if (count < 15) return digits;
  const exact = Math.abs(value)
    .toPrecision(count + 12)
    .replace(/e.*|\./g, "")
    .replace(/^0+/, "");
  const chosen = digits.replace(/[-.]/g, "").replace(/^0+/, "");
  if (!exact.startsWith(chosen) || !/^50*$/.test(exact.slice(count))) return digits;
  return digits.slice(0, -1) + String(Number(digits.at(-1)) + 1);
}

/** How the two forms of nested values differ. */
interface Style {
  readonly host: boolean;
}

const SCRIPT: Style = { host: false };
const HOST: Style = { host: true };

/** Longest text where the host sets no limit, in UTF-16 units: shared data can be written without end. */
const MAX_TEXT = 0x1000_0000;

/** Text under construction: pieces are joined at the end. */
class Writer {
  readonly pieces: string[] = [];
  length = 0;
  readonly limit: number;
  /** Captured variables that are being written, to stop at a cycle. */
  readonly open = new Set<Cell>();
  constructor(limit: number) {
    this.limit = limit > 0 ? limit : MAX_TEXT;
  }
  add(text: string): void {
    this.pieces.push(text);
    this.length += text.length;
    if (this.length > this.limit) {
      throw new RhaiError("ErrorDataTooLarge", "Length of string too large", NONE);
    }
  }
}

function write(value: Value, style: Style, limit: number): string {
  const out = new Writer(limit);
  writeNested(out, value, style);
  return out.pieces.length === 1 ? (out.pieces[0] ?? "") : out.pieces.join("");
}

function writeNested(out: Writer, value: Value, style: Style): void {
  if (typeof value === "string") out.add(quote(value));
  else if (value === undefined) out.add("()");
  else if (typeof value !== "object") out.add(String(value));
  else if (value instanceof Float) out.add(debugFloat(value.value));
  else if (value instanceof RhaiArray) writeArray(out, value.items, style);
  else if (value instanceof RhaiMap) writeMap(out, value.entries, style);
  else if (value instanceof Char) out.add(style.host ? quoteChar(value.text) : value.text);
  else if (value instanceof RhaiBlob) writeBlob(out, value);
  else if (value instanceof Range) out.add(rangeText(value));
  else if (value instanceof FnPtr) writeFunction(out, value, style);
  else if (value instanceof Tagged) writeNested(out, value.value, style);
  else if (value instanceof HostValue)
    out.add(style.host && "hostName" in value ? hostTypeName(value) : value.display());
}

function writeArray(out: Writer, items: readonly Value[], style: Style): void {
  out.add("[");
  for (let i = 0; i < items.length; i++) {
    if (i > 0) out.add(", ");
    writeNested(out, items[i], style);
  }
  out.add("]");
}

function writeMap(out: Writer, entries: Entries, style: Style): void {
  out.add("#{");
  let first = true;
  for (const key of sortedKeys(entries)) {
    out.add(`${first ? "" : ", "}${quote(key)}: `);
    first = false;
    writeNested(out, entries.get(key), style);
  }
  out.add("}");
}

/** Hexadecimal, in groups of eight bytes. */
function writeBlob(out: Writer, blob: RhaiBlob): void {
  const bytes = Buffer.from(blob.bytes.buffer, blob.bytes.byteOffset, blob.length);
  out.add("[");
  for (let at = 0; at < bytes.length; at += 8) {
    out.add((at > 0 ? " " : "") + bytes.toString("hex", at, Math.min(at + 8, bytes.length)));
  }
  out.add("]");
}

function writeFunction(out: Writer, fn: FnPtr, style: Style): void {
  if (!style.host) {
    out.add(`Fn(${fn.name})`);
    return;
  }
  out.add(`Fn${fn.target === null ? "" : "*"}${fn.linked ? "+" : ""}(${quote(fn.name)}`);
  for (const curried of fn.curried) {
    out.add(", ");
    if (!(curried instanceof Cell)) writeNested(out, curried, style);
    else if (out.open.has(curried)) out.add("<shared>");
    else {
      out.open.add(curried);
      writeNested(out, curried.value, style);
      out.add(" (shared)");
    }
  }
  out.add(")");
}

/** An end at the largest integer is how an open range is kept. */
function rangeText(range: Range): string {
  const end = range.to === INT_MAX ? "" : String(range.to);
  return `${range.from}..${range.inclusive ? "=" : ""}${end}`;
}
