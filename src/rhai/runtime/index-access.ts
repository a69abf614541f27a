import type { Pos } from "../syntax/position.ts";
import { callNatives, invokeMethod, type Result } from "./calls.ts";
import { arrayBounds, bitBounds, mismatch, noGetter, noIndexer, noSetter, stringBounds } from "./faults.ts";
import { toDisplayValue } from "./format.ts";
import { type Int, INT_MAX, normalizeInt } from "./int.ts";
import type { Run } from "./run.ts";
import * as text from "./text.ts";
import { retagged, Tagged, untagged } from "./tagged.ts";
import { rustTypeName } from "./type-name.ts";
import { Cell, Char, charOf, Range, RhaiArray, RhaiBlob, RhaiMap, type Value } from "./values.ts";

/**
 * `target[index]` and `target.property`, read and written. Reading answers what sits in the place (to be copied by
 * whoever keeps it); the places of strings, integers and blobs are computed, and written by `writeIndex`.
 */

const BITS = 64;

/** Whether indexing is built in, so that registered indexers do not count. */
export function isIndexable(target: Value): boolean {
  return (
    target instanceof RhaiArray ||
    target instanceof RhaiMap ||
    target instanceof RhaiBlob ||
    typeof target === "string" ||
    typeof target === "number" ||
    typeof target === "bigint" ||
    (target instanceof Tagged && isIndexable(target.value))
  );
}

/** `target[index]`. `pos` is the index expression's place, `opPos` the bracket's. */
export function readIndex(run: Run, target: Value, index: Value, pos: Pos, opPos: Pos): Value {
  if (target instanceof RhaiArray) {
    const { items } = target;
    return items[elementAt(items.length, index, pos)];
  }
  if (target instanceof RhaiMap) return target.entries.get(mapKey(index, pos));
  if (target instanceof RhaiBlob) return target.bytes[elementAt(target.length, index, pos)];
  if (typeof target === "string") return readString(target, index, pos);
  if (typeof target === "number" || typeof target === "bigint") {
    if (index instanceof Range) {
      const field = bitField(index, pos);
      // The topmost bit is taken for a sign, as the official one does.
      return normalizeInt((BigInt(target) & BigInt.asIntN(64, field.mask)) >> field.shift);
    }
    const bit = bitAt(index, pos);
    return (BigInt.asUintN(64, BigInt(target)) >> BigInt(bit)) % 2n === 1n;
  }
  if (target instanceof Tagged) return readIndex(run, target.value, index, pos, opPos);
  return indexer(run, target, index, opPos);
}

function indexer(run: Run, target: Value, index: Value, opPos: Pos): Value {
  const group = run.program.natives.group("index$get", 2);
  if ((group?.find2(target, index) ?? null) === null) throw noIndexer(target, index, null, opPos);
  return callNatives(run, group, "index$get", [target, index], opPos) as Value;
}

/** The storage index of an array or blob element. */
export function elementAt(length: number, index: Value, pos: Pos): number {
  if (typeof index === "number") {
    if (index >= 0) {
      if (index < length) return index;
    } else if (-index <= length) return length + index;
  } else if (index instanceof Tagged) return elementAt(length, index.value, pos);
  else if (typeof index !== "bigint") throw mismatch("i64", rustTypeName(index), pos);
  throw arrayBounds(length, index, pos);
}

export function mapKey(index: Value, pos: Pos): string {
  if (typeof index === "string") return index;
  if (index instanceof Tagged) return mapKey(index.value, pos);
  throw mismatch("string", rustTypeName(index), pos);
}

function readString(target: string, index: Value, pos: Pos): Value {
  if (index instanceof Tagged) return readString(target, index.value, pos);
  if (index instanceof Range) {
    const [start, end] = stringRange(target, index, pos);
    return text.slice(target, start, end);
  }
  const found = typeof index === "number" ? text.at(target, scalarAt(target, index)) : undefined;
  if (found !== undefined) return charOf(found);
  if (typeof index !== "number" && typeof index !== "bigint") throw mismatch("i64", rustTypeName(index), pos);
  throw stringBounds(text.length(target), index, pos);
}

const scalarAt = (target: string, index: number): number => (index < 0 ? text.length(target) + index : index);

/** The scalars from `start` to before `end` that a range selects. */
function stringRange(target: string, range: Range, pos: Pos): [number, number] {
  if (target === "") return [0, 0];
  const length = text.length(target);
  const from = clampedIndex(length, range.from, pos, false);
  const to = clampedIndex(length, range.to, pos, true);
  if (!range.inclusive) return [from, Math.max(to, from)];
  if (from === 0 && to >= length - 1) return [0, length];
  return [from, to > from ? to + 1 : from];
}

function clampedIndex(length: number, index: Int, pos: Pos, lenient: boolean): number {
  if (index >= 0) return Number(index);
  if (-Number(index) <= length) return length + Number(index);
  if (lenient) return 0;
  throw stringBounds(length, index, pos);
}

function bitAt(index: Value, pos: Pos): number {
  if (index instanceof Tagged) return bitAt(index.value, pos);
  if (typeof index !== "number" && typeof index !== "bigint") throw mismatch("i64", rustTypeName(index), pos);
  return bitNumber(index, pos, true);
}

function bitNumber(index: Int, pos: Pos, fromEnd: boolean): number {
  if (index >= 0 && index < BITS) return Number(index);
  if (fromEnd && index < 0 && -Number(index) <= BITS) return BITS + Number(index);
  throw bitBounds(index, pos);
}

interface BitField {
  /** In place, as an unsigned 64-bit number. */
  readonly mask: bigint;
  readonly shift: bigint;
}

function bitField(range: Range, pos: Pos): BitField {
  const open = range.to === INT_MAX;
  const from = bitNumber(range.from, pos, false);
  let count: number;
  if (range.inclusive) {
    count = (open ? BITS - 1 : bitNumber(range.to, pos, false)) - from + 1;
  } else {
    const to = open || range.to === BITS ? BITS : bitNumber(range.to, pos, false);
    count = to - from;
  }
  if (count <= 0) return { mask: 0n, shift: 0n };
  return { mask: ((1n << BigInt(count)) - 1n) << BigInt(from), shift: BigInt(from) };
}

/**
 * Stores `value` at `target[index]` and answers what the place of the target must hold from now on: the target
 * itself when it could be changed in place. `pos` is that of the index, `valuePos` that of the assignment.
 */
export function writeIndex(
  run: Run,
  target: Value,
  index: Value,
  value: Value,
  pos: Pos,
  opPos: Pos,
  valuePos: Pos,
): Value {
  if (target instanceof RhaiArray) {
    const at = elementAt(target.items.length, index, pos);
    target.writable()[at] = value;
    return target;
  }
  if (target instanceof RhaiMap) {
    const key = mapKey(index, pos);
    const entries = target.writable();
    if (!entries.has(key)) run.allocate(64 + key.length);
    entries.set(key, value);
    return target;
  }
  if (target instanceof RhaiBlob) {
    const at = elementAt(target.length, index, pos);
    if (value instanceof Tagged) return writeIndex(run, target, index, value.value, pos, opPos, valuePos);
    if (typeof value !== "number" && typeof value !== "bigint")
      throw mismatch("INT", rustTypeName(value), valuePos);
    target.writable()[at] = Number(BigInt.asUintN(8, BigInt(value)));
    return target;
  }
  if (typeof target === "string")
    return writeString(run, target, untagged(index), untagged(value), pos, valuePos);
  if (typeof target === "number" || typeof target === "bigint")
    return writeBits(target, untagged(index), untagged(value), pos, valuePos);
  if (target instanceof Tagged)
    return retagged(target, writeIndex(run, target.value, index, value, pos, opPos, valuePos));
  writeIndexer(run, new Cell(target), index, value, opPos);
  return target;
}

export function writeIndexer(run: Run, cell: Cell, index: Value, value: Value, opPos: Pos): Result {
  const overload = run.program.natives.group("index$set", 3)?.find([cell.value, index, value]) ?? null;
  if (overload === null) throw noIndexer(cell.value, index, value, opPos);
  return invokeMethod(run, overload, cell, [index, value], opPos);
}

function writeString(run: Run, target: string, index: Value, value: Value, pos: Pos, valuePos: Pos): string {
  let result: string;
  if (index instanceof Range) {
    const length = text.length(target);
    const [start] = stringRange(target, index, pos);
    const to = target === "" ? 0 : clampedIndex(length, index.to, pos, true);
    const end = index.inclusive && length > 0 ? Math.min(to, length - 1) + 1 : Math.min(to, length);
    const inserted =
      value instanceof Char ? value.text : typeof value === "string" ? value : toDisplayValue(value);
    result = text.slice(target, 0, start) + inserted + text.slice(target, end, length);
  } else {
    readString(target, index, pos);
    if (!(value instanceof Char)) throw mismatch("char", rustTypeName(value), valuePos);
    // Reading counts a negative index from the end; the official write-back takes its magnitude from the start.
    const at = Math.abs(Number(index));
    if (at >= text.length(target)) return target;
    result = text.slice(target, 0, at) + value.text + text.slice(target, at + 1, text.length(target));
  }
  run.allocate(result.length);
  if (run.sized) run.checkSizeAt(result, valuePos);
  return result;
}

function writeBits(target: Int, index: Value, value: Value, pos: Pos, valuePos: Pos): Int {
  const bits = BigInt.asUintN(64, BigInt(target));
  if (index instanceof Range) {
    const { mask, shift } = bitField(index, pos);
    if (typeof value !== "number" && typeof value !== "bigint")
      throw mismatch("integer", rustTypeName(value), valuePos);
    const field = (BigInt.asUintN(64, BigInt(value)) << shift) & mask;
    return normalizeInt(BigInt.asIntN(64, (bits & ~mask) | field));
  }
  const mask = 1n << BigInt(bitAt(index, pos));
  if (typeof value !== "boolean") throw mismatch("bool", rustTypeName(value), valuePos);
  return normalizeInt(BigInt.asIntN(64, value ? bits | mask : bits & ~mask));
}

/** `target.name`. A registered getter first, then an indexer by string. */
export function readProperty(run: Run, target: Value, name: string, pos: Pos, opPos: Pos): Value {
  if (target instanceof RhaiMap) return target.entries.get(name);
  const getter = run.program.natives.group(`get$${name}`, 1);
  if ((getter?.find1(target) ?? null) !== null)
    return callNatives(run, getter, `get$${name}`, [target], pos) as Value;
  const group = run.program.natives.group("index$get", 2);
  if ((group?.find2(target, name) ?? null) === null) throw noGetter(name, target, pos);
  return callNatives(run, group, "index$get", [target, name], opPos) as Value;
}

/** `cell.name = value` on anything but a map. */
export function writeProperty(
  run: Run,
  cell: Cell,
  name: string,
  value: Value,
  pos: Pos,
  opPos: Pos,
): Result {
  const overload = run.program.natives.group(`set$${name}`, 2)?.find2(cell.value, value) ?? null;
  if (overload !== null) return invokeMethod(run, overload, cell, [value], pos);
  const indexed = run.program.natives.group("index$set", 3)?.find([cell.value, name, value]) ?? null;
  if (indexed === null) throw noSetter(name, cell.value, value, pos);
  return invokeMethod(run, indexed, cell, [name, value], opPos);
}
