/**
 * Strings as sequences of Unicode scalar values. JavaScript counts UTF-16 units, which is the same thing as long as
 * a string holds no surrogates; that is looked up once for the string last used, so `s[i]` in a loop costs O(1).
 */

const SURROGATE = /[\ud800-\udfff]/;

/** Below this many units a scan is cheaper than the cache. */
const SHORT = 12;

/** From this many units on, texts are compared by the engine where it may. */
const LONG = 1024;

/** Every 64th scalar of a string with surrogates has its offset kept. */
const STRIDE = 64;

/** What is known of a string. */
interface Known {
  /** Offsets (in units) of scalars 0, STRIDE, 2 * STRIDE …; null when the string holds no surrogates. */
  readonly offsets: Uint32Array | null;
  readonly length: number;
}

/**
 * The strings last looked at; a few, since loops often compare two or three. A map tells strings apart by their hash,
 * which the engine computes once for each, where `===` would go through long ones that differ late.
 */
const cache = new Map<string, Known>();
const CACHED = 8;

let lastText = "";
let lastKnown: Known = { offsets: null, length: 0 };

/** True when every scalar of the string is one UTF-16 unit. */
export function isBasic(text: string): boolean {
  if (text.length < SHORT) return !SURROGATE.test(text);
  return look(text).offsets === null;
}

/** Number of scalar values. */
export function length(text: string): number {
  if (text.length < SHORT) return SURROGATE.test(text) ? count(text) : text.length;
  return look(text).length;
}

/** The scalar at an index from 0, as a string of one scalar; undefined outside of the string. */
export function at(text: string, index: number): string | undefined {
  if (index < 0) return undefined;
  const offset = offsetOf(text, index);
  if (offset >= text.length) return undefined;
  const unit = text.charCodeAt(offset);
  return unit >= 0xd800 && unit < 0xdc00 ? text.slice(offset, offset + 2) : text.charAt(offset);
}

/** The scalars from `start` to before `end`; both are cut to the string. */
export function slice(text: string, start: number, end: number): string {
  const first = Math.max(start, 0);
  if (end <= first) return "";
  const from = offsetOf(text, first);
  return text.slice(from, offsetOf(text, end));
}

/** The UTF-16 offset of the scalar at an index; the end of the string for indices beyond it. */
export function offsetOf(text: string, index: number): number {
  if (text.length < SHORT) {
    if (!SURROGATE.test(text)) return Math.min(index, text.length);
    return advance(text, 0, index);
  }
  const known = look(text);
  if (known.offsets === null) return Math.min(index, text.length);
  if (index >= known.length) return text.length;
  const block = Math.floor(index / STRIDE);
  return advance(text, known.offsets[block] ?? 0, index - block * STRIDE);
}

/** The index of the scalar at a UTF-16 offset. */
export function indexOfOffset(text: string, offset: number): number {
  return isBasic(text) ? offset : count(text.slice(0, offset));
}

/** All scalars, each as a string. */
export function scalars(text: string): string[] {
  return isBasic(text) ? text.split("") : Array.from(text);
}

/** Bytes of the UTF-8 form. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** Order by scalar values, which is the order of the UTF-8 bytes: negative, 0 or positive. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  // Where each scalar is one unit, the order that is built in is the same and much faster.
  if (shared >= LONG && isBasic(a) && isBasic(b)) return a < b ? -1 : 1;
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const highX = x >= 0xd800 && x <= 0xdfff;
    const highY = y >= 0xd800 && y <= 0xdfff;
    // A surrogate belongs to a scalar above all those of one unit.
    return highX === highY ? x - y : highX ? 1 : -1;
  }
  return a.length - b.length;
}

/** The keys of a map as the language lists them: in the order of their UTF-8 bytes. */
export function sortedKeys(entries: { keys(): string[] }): string[] {
  const keys = entries.keys();
  for (let i = 1; i < keys.length; i++) {
    if (compareText(keys[i - 1] ?? "", keys[i] ?? "") <= 0) continue;
    // Where each scalar is one unit, the order that is built in is the same and much faster.
    return keys.some((key) => SURROGATE.test(key)) ? keys.sort(compareText) : keys.sort();
  }
  return keys;
}

function look(text: string): Known {
  const end = text.length - 1;
  if (
    lastText.length === text.length &&
    lastText.charCodeAt(end) === text.charCodeAt(end) &&
    lastText === text
  ) {
    // Of two equal strings the one in use is kept: the same object compares at once, another one in linear time.
    lastText = text;
    return lastKnown;
  }
  let known = cache.get(text);
  if (known === undefined) {
    const offsets = SURROGATE.test(text) ? offsetsOf(text) : null;
    known = { offsets, length: offsets === null ? text.length : count(text) };
    if (cache.size >= CACHED) cache.delete(cache.keys().next().value ?? "");
  } else {
    cache.delete(text);
  }
  cache.set(text, known);
  lastText = text;
  lastKnown = known;
  return known;
}

function offsetsOf(text: string): Uint32Array {
  const offsets = new Uint32Array(Math.floor(text.length / STRIDE) + 1);
  let scalar = 0;
  for (let offset = 0; offset < text.length; scalar++) {
    if (scalar % STRIDE === 0) offsets[scalar / STRIDE] = offset;
    offset += width(text, offset);
  }
  return offsets;
}

function advance(text: string, from: number, scalarCount: number): number {
  let offset = from;
  for (let i = 0; i < scalarCount && offset < text.length; i++) offset += width(text, offset);
  return Math.min(offset, text.length);
}

function width(text: string, offset: number): number {
  const unit = text.charCodeAt(offset);
  return unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
}

function count(text: string): number {
  let scalar = 0;
  for (let offset = 0; offset < text.length; scalar++) offset += width(text, offset);
  return scalar;
}
