import { NONE, type Pos } from "../syntax/position.ts";
import { completed, invoke, invokeMethod, type Result } from "./calls.ts";
import { dispatchMethod } from "./chain.ts";
import { fillPosition, functionNotFound } from "./faults.ts";
import type { NativeGroup, Overload } from "./natives.ts";
import { hasSize } from "./places.ts";
import type { Run } from "./run.ts";
import {
  Cell,
  type CompiledFunction,
  copyValue,
  FnPtr,
  type RhaiArray,
  RhaiMap,
  type Value,
} from "./values.ts";

/** Calls of natives, in forms for few arguments. */

export function native1(run: Run, group: NativeGroup, a: Value, pos: Pos): Result {
  const overload = group.find1(a);
  if (overload === null) throw functionNotFound(group.name, [a], pos);
  if (overload.mutates) return invoke(run, overload, [a], pos);
  run.callPos = pos;
  try {
    const result = overload.call(run, a);
    return run.sized || overload.callsBack ? completed(run, overload, result, null, pos) : result;
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

export function native2(run: Run, group: NativeGroup, a: Value, b: Value, pos: Pos): Result {
  const overload = group.find2(a, b);
  if (overload === null) throw functionNotFound(group.name, [a, b], pos);
  if (overload.mutates) return invoke(run, overload, [a, b], pos);
  run.callPos = pos;
  try {
    const result = overload.call(run, a, b);
    return run.sized || overload.callsBack ? completed(run, overload, result, null, pos) : result;
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

export function nativeN(run: Run, group: NativeGroup, args: Value[], pos: Pos): Result {
  const overload = group.find(args);
  if (overload === null) throw functionNotFound(group.name, args, pos);
  return invoke(run, overload, args, pos);
}

/** A native in function style that changes the variable given as first argument. */
export function mutate(run: Run, group: NativeGroup, cell: Cell, args: Value[], pos: Pos): Result {
  const overload = group.find([cell.value, ...args]);
  if (overload === null) throw functionNotFound(group.name, [cell.value, ...args], pos);
  // A constant or captured variable is copied first, so that the call is no error and changes nothing.
  if (cell.constant || cell.shared)
    return invokeMethod(run, overload, new Cell(copyValue(cell.value)), args, pos);
  return invokeMethod(run, overload, cell, args, pos);
}

/** Whether a method call means a function that is a property of the map. */
export const fnProp = (target: Value, name: string): boolean =>
  target instanceof RhaiMap && target.entries.get(name) instanceof FnPtr;

/** The function that a property of a map holds if it takes just these arguments; null leaves it to the long way. */
export function ownFn(property: Value, count: number): CompiledFunction | null {
  if (!(property instanceof FnPtr) || property.curried.length > 0) return null;
  return property.target?.arity === count ? property.target : null;
}

/** Natives as methods that leave the target alone. */
export function method0(run: Run, group: NativeGroup, target: Value, pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, [], pos);
  return native1(run, group, target, pos);
}

export function method1(run: Run, group: NativeGroup, target: Value, a: Value, pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, [a], pos);
  return native2(run, group, target, a, pos);
}

export function method2(run: Run, group: NativeGroup, target: Value, a: Value, b: Value, pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, [a, b], pos);
  return nativeN(run, group, [target, a, b], pos);
}

export function methodN(run: Run, group: NativeGroup, target: Value, args: Value[], pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, args, pos);
  return nativeN(run, group, [target, ...args], pos);
}

export function bound(run: Run, group: NativeGroup, target: RhaiMap, args: Value[], pos: Pos): Result {
  return dispatchMethod(
    run,
    run.program.site(group.name, args.length),
    new Cell(target),
    args.map(copyValue),
    pos,
    NONE,
  );
}

/** Natives as methods on an array that they may change where it is. */
export function change0(run: Run, group: NativeGroup, target: RhaiArray, pos: Pos): Result {
  return changed(run, group, target, pos, group.find1(target), []);
}

export function change1(run: Run, group: NativeGroup, target: RhaiArray, a: Value, pos: Pos): Result {
  const overload = group.find2(target, a);
  if (overload === null) throw functionNotFound(group.name, [target, a], pos);
  return changeBy1(run, overload, target, a, pos);
}

/** The same where the overload is known. */
export function changeBy0(run: Run, overload: Overload, target: RhaiArray, pos: Pos): Result {
  run.callPos = pos;
  try {
    const result = overload.call(run, target);
    return completed(run, overload, result, overload.mutates ? new Cell(target) : null, pos);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

export function changeBy1(run: Run, overload: Overload, target: RhaiArray, a: Value, pos: Pos): Result {
  run.callPos = pos;
  try {
    const result = overload.call(run, target, a);
    if (overload.callsBack)
      return completed(run, overload, result, overload.mutates ? new Cell(target) : null, pos);
    if (run.sized) {
      if (overload.mutates) run.checkGrown(target, pos, hasSize(a));
      if (typeof result === "string") run.checkSizeAt(result, pos);
    }
    return result;
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

export function change2(
  run: Run,
  group: NativeGroup,
  target: RhaiArray,
  a: Value,
  b: Value,
  pos: Pos,
): Result {
  return changed(run, group, target, pos, group.find([target, a, b]), [a, b]);
}

export function changeN(run: Run, group: NativeGroup, target: RhaiArray, args: Value[], pos: Pos): Result {
  return changed(run, group, target, pos, group.find([target, ...args]), args);
}

export function changed(
  run: Run,
  group: NativeGroup,
  target: RhaiArray,
  pos: Pos,
  overload: ReturnType<NativeGroup["find"]>,
  args: Value[],
): Result {
  if (overload === null) throw functionNotFound(group.name, [target, ...args], pos);
  run.callPos = pos;
  try {
    const result = overload.call(run, target, ...args);
    return completed(run, overload, result, overload.mutates ? new Cell(target) : null, pos);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}
