import { NONE, type Pos } from "../syntax/position.ts";
import { constantAssigned, dataRace, fillPosition } from "./faults.ts";
import { elementAt, mapKey, readIndex, readProperty } from "./index-access.ts";
import type { NativeGroup } from "./natives.ts";
import type { Run } from "./run.ts";
import { Tagged } from "./tagged.ts";
import { Cell, Char, copyValue, Float, RhaiArray, RhaiBlob, RhaiMap, type Value } from "./values.ts";

/** Variables, elements and properties as generated code reads and changes them. Short, so that the JIT puts them in place of the calls. */

/** `target.name` of anything but a map. */
export function computedProp(
  run: Run,
  target: Value,
  name: string,
  getter: NativeGroup | null,
  pos: Pos,
  opPos: Pos,
): Value {
  const overload = getter === null ? null : getter.find1(target);
  if (overload === null) return readProperty(run, target, name, pos, opPos);
  run.callPos = pos;
  try {
    return overload.call(run, target) as Value;
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

/** `target.len`, as long as that is the standard one. */
export function len(run: Run, target: Value, getter: NativeGroup | null, pos: Pos, opPos: Pos): Value {
  if (target instanceof RhaiArray) return target.items.length;
  if (target instanceof RhaiBlob) return target.length;
  if (target instanceof RhaiMap) return target.entries.get("len");
  return computedProp(run, target, "len", getter, pos, opPos);
}

export function index(run: Run, target: Value, at: Value, pos: Pos, opPos: Pos): Value {
  if (target instanceof RhaiArray && typeof at === "number" && at >= 0 && at < target.items.length) {
    return target.items[at];
  }
  if (target instanceof RhaiBlob && typeof at === "number" && at >= 0 && at < target.length) {
    return target.bytes[at];
  }
  return readIndex(run, target, at, pos, opPos);
}

export function mutableIndex(target: Value, at: Value): Value {
  if (target instanceof RhaiArray && typeof at === "number") {
    if (target.owned && at >= 0) {
      // What is in there is about to change.
      target.measured = null;
      return target.items[at];
    }
    return target.writable()[at < 0 ? target.items.length + at : at];
  }
  return target instanceof RhaiMap && typeof at === "string" ? target.writable().get(at) : undefined;
}

/** The element that an operator is about to change. */
export function mutableElement(
  run: Run,
  target: RhaiArray | RhaiMap,
  at: Value,
  pos: Pos,
  assignPos: Pos,
): Value {
  if (target instanceof RhaiArray) {
    const { items } = target;
    if (target.owned && typeof at === "number" && at >= 0 && at < items.length) return items[at];
    return target.writable()[elementAt(items.length, at, pos)];
  }
  const key = mapKey(at, pos);
  return declared(run, target, key, target.writable().get(key), assignPos);
}

/**
 * `value`, which is what an operator is about to change in a property of a map that is its own. The property is there
 * from now on, even if the operator fails.
 */
export function declared(run: Run, target: RhaiMap, name: string, value: Value, assignPos: Pos): Value {
  if (value === undefined) declare(run, target, name, assignPos);
  return value;
}

function declare(run: Run, target: RhaiMap, name: string, assignPos: Pos): void {
  if (target.entries.has(name)) return;
  target.writable().set(name, undefined);
  addedProp(run, target, name, undefined, assignPos);
}

export function setIndex(
  run: Run,
  target: RhaiArray | RhaiMap,
  at: Value,
  value: Value,
  pos: Pos,
  assignPos: Pos,
  old: Value = undefined,
): void {
  if (target instanceof RhaiArray) {
    const { items } = target;
    if (target.owned && typeof at === "number" && at >= 0 && at < items.length) items[at] = value;
    else target.writable()[elementAt(items.length, at, pos)] = value;
    if (run.sized && hasSize(value)) {
      target.measured = null;
      run.checkGrown(target, assignPos);
    }
    return;
  }
  const key = mapKey(at, pos);
  setProp(run, target, key, value, assignPos, old);
}

/** `old` is what the property held, as far as the caller knows. */
export function setProp(
  run: Run,
  target: RhaiMap,
  name: string,
  value: Value,
  assignPos: Pos,
  old: Value = undefined,
): void {
  const entries = target.owned ? target.entries : target.writable();
  target.measured = null;
  const isNew = old === undefined && !entries.has(name);
  entries.set(name, value);
  if (isNew) addedProp(run, target, name, value, assignPos);
  else if (run.sized && hasSize(value)) run.checkGrown(target, assignPos);
}

/** Accounts for a property that was added. */
export function addedProp(run: Run, target: RhaiMap, name: string, value: Value, assignPos: Pos): void {
  run.allocate(96 + name.length);
  if (run.sized) run.checkGrown(target, assignPos, hasSize(value));
}

/** What `this` is bound to if it may be changed. */
export const changeable = (cell: Cell): Value => (cell.constant ? undefined : cell.value);

/** The value of a captured variable if it may be changed now. */
export const changeableCell = (cell: Cell): Value => (cell.constant || cell.locked ? undefined : cell.value);

export function changeableThis(cell: Cell, pos: Pos): Cell {
  if (cell.constant) throw constantAssigned("", pos);
  return cell;
}

export function changeableVariable(cell: Cell, name: string, pos: Pos): Cell {
  if (cell.locked) throw dataRace("", NONE);
  if (cell.constant) throw constantAssigned(name, pos);
  return cell;
}

export function fixed(value: Value): Cell {
  const cell = new Cell(value);
  cell.constant = true;
  return cell;
}

/** Whether a value adds more than itself to the size of a container. */
export function hasSize(value: Value): boolean {
  if (typeof value !== "object") return typeof value === "string";
  return !(value instanceof Float || value instanceof Char);
}

/** Reads a captured variable. */
export function rd(cell: Cell): Value {
  if (cell.locked) throw dataRace("", NONE);
  return cell.value;
}

/** The value as a new variable holds it: like any copy, but a string leaves its tag behind. */
export function kept(value: Value): Value {
  if (typeof value !== "object") return value;
  return value instanceof Tagged && typeof value.value === "string" ? value.value : copyValue(value);
}

/** The value as a second place may hold it. */
export function cp(value: Value): Value {
  return typeof value === "object" ? copyValue(value) : value;
}
