import type { Pos } from "../syntax/position.ts";
import { dataRace, fillPosition, functionNotFound, impureOnConstant, mismatch } from "./faults.ts";
import type { NativeGroup, Overload } from "./natives.ts";
import type { MethodSite } from "./program.ts";
import type { Run } from "./run.ts";
import { Tagged } from "./tagged.ts";
import { typeName } from "./type-name.ts";
import {
  Cell,
  type CompiledFunction,
  copyValue,
  FnPtr,
  HostValue,
  RhaiArray,
  RhaiBlob,
  RhaiMap,
  type Value,
} from "./values.ts";

export type Result = Value | Promise<Value>;

/** The calling convention of generated functions: run, call position, `this` (or null), then the arguments. */
export type Code = (run: Run, pos: Pos, self: Cell | null, ...args: (Value | Cell)[]) => Result;

export const codeOf = (fn: CompiledFunction): Code => fn.code as unknown as Code;

/** Values that can be changed in place, so that whoever holds the object sees the change. */
export function isContainer(value: Value): value is RhaiArray | RhaiMap | RhaiBlob | HostValue {
  return (
    value instanceof RhaiArray ||
    value instanceof RhaiMap ||
    value instanceof RhaiBlob ||
    (value instanceof HostValue && !(value instanceof Tagged))
  );
}

/** Runs an overload whose first argument, if it changes it, lives in `cell`. */
export function invokeMethod(
  run: Run,
  overload: Overload,
  cell: Cell,
  args: readonly Value[],
  pos: Pos,
): Result {
  if (!overload.pure && cell.constant) throw impureOnConstant(overload.fn.name, pos);
  const target = cell.value;
  run.callPos = pos;
  try {
    const result = overload.call(run, overload.mutates && !isContainer(target) ? cell : target, ...args);
    return completed(run, overload, result, overload.mutates ? cell : null, pos);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

/** Runs an overload on arguments that are all values of their own. */
export function invoke(run: Run, overload: Overload, args: readonly Value[], pos: Pos): Result {
  if (overload.mutates) return invokeMethod(run, overload, new Cell(args[0]), args.slice(1), pos);
  run.callPos = pos;
  try {
    return completed(run, overload, overload.call(run, ...args), null, pos);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

/** The result of a native once its sizes are checked; `changed` holds what it may have changed. */
export function completed(
  run: Run,
  overload: Overload,
  result: Result,
  changed: Cell | null,
  pos: Pos,
): Result {
  if (overload.callsBack && result instanceof Promise) return settle(run, result, changed, pos);
  if (run.sized) {
    if (typeof result === "string") run.checkSizeAt(result, pos);
    if (changed !== null) run.checkGrown(changed.value, pos);
  }
  return result;
}

async function settle(run: Run, promise: Promise<Value>, changed: Cell | null, pos: Pos): Promise<Value> {
  try {
    const result = await promise;
    run.activate();
    if (run.sized) {
      if (typeof result === "string") run.checkSizeAt(result, pos);
      if (changed !== null) run.checkGrown(changed.value, pos);
    }
    return result;
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

/** Calls natives by group; `name` serves the error when there is none. */
export function callNatives(
  run: Run,
  group: NativeGroup | null,
  name: string,
  args: readonly Value[],
  pos: Pos,
): Result {
  const overload = group?.find(args) ?? null;
  if (overload === null) throw functionNotFound(name, args, pos);
  return invoke(run, overload, args, pos);
}

/** `target.name(args)` once its arguments are known and the target sits in a cell. */
export function callMethod(run: Run, site: MethodSite, cell: Cell, args: Value[], pos: Pos): Result {
  const target = cell.value;
  if (target instanceof RhaiMap) {
    const property = target.entries.get(site.name);
    if (property instanceof FnPtr) return callBound(run, property, cell, args, pos);
  }
  const typed = site.typed?.get(typeName(target));
  const script = typed ?? site.untyped;
  if (script !== null) return callScript(run, script, cell, args, pos);
  const overload = site.natives?.find([target, ...args]) ?? null;
  if (overload === null) throw functionNotFound(site.name, [target, ...args], pos);
  return invokeMethod(run, overload, cell, args, pos);
}

function callScript(run: Run, fn: CompiledFunction, cell: Cell, args: readonly Value[], pos: Pos): Result {
  const code = codeOf(fn);
  if (args.length === 0) return code(run, pos, cell);
  if (args.length === 1) return code(run, pos, cell, args[0]);
  if (args.length === 2) return code(run, pos, cell, args[0], args[1]);
  return code(run, pos, cell, ...args);
}

/** callMethod on a captured variable, which nobody else may touch meanwhile. */
export function callMethodLocked(run: Run, site: MethodSite, cell: Cell, args: Value[], pos: Pos): Result {
  return locked(cell, () => callMethod(run, site, cell, args, pos));
}

/** Runs `body` while the captured variable is held by reference. */
export function locked(cell: Cell, body: () => Result): Result {
  if (cell.locked) throw dataRace("", 0);
  cell.locked = true;
  let suspended = false;
  try {
    const result = body();
    if (!(result instanceof Promise)) return result;
    suspended = true;
    return result.finally(() => {
      cell.locked = false;
    });
  } finally {
    if (!suspended) cell.locked = false;
  }
}

/** Calls a pointer that is a property of the map in `cell`, with `this` bound to that map. */
function callBound(run: Run, fn: FnPtr, cell: Cell, args: Value[], pos: Pos): Result {
  const { target } = fn;
  if (target !== null && target.arity === fn.curried.length + args.length)
    return enter(run, target, fn.curried, args, cell, pos);
  const all = withCurried(fn, args);
  return callMethodOf(run, run.program.site(fn.name, all.length), cell, all.map(unwrapCell), pos);
}

/** `pointer.call(args)`, `call(pointer, args)`, and with a cell `target.call(pointer, args)`. */
export function callPointer(
  run: Run,
  fn: FnPtr,
  args: readonly Value[],
  self: Cell | null,
  pos: Pos,
): Result {
  const { target } = fn;
  if (target !== null && target.arity === fn.curried.length + args.length) {
    return enter(run, target, fn.curried, args, self, pos);
  }
  const all = withCurried(fn, args);
  const plain = all.map(unwrapCell);
  if (self === null) return callByName(run, fn.name, plain, null, pos);
  return callByName(run, fn.name, plain, self, pos);
}

/** A script function or native by name; with a cell as a method. */
export function callByName(
  run: Run,
  name: string,
  args: readonly Value[],
  self: Cell | null,
  pos: Pos,
): Result {
  if (self !== null)
    return callMethodOf(run, run.program.site(name, args.length), self, args.map(copyValue), pos);
  const script = run.program.find(name, args.length);
  if (script !== null) return codeOf(script)(run, pos, null, ...args.map(copyValue));
  return callNatives(run, run.program.natives.group(name, args.length), name, args.map(copyValue), pos);
}

/** callMethod without the look at the properties of a map. */
function callMethodOf(run: Run, site: MethodSite, cell: Cell, args: Value[], pos: Pos): Result {
  const script = site.typed?.get(typeName(cell.value)) ?? site.untyped;
  if (script !== null) return codeOf(script)(run, pos, cell, ...args);
  const overload = site.natives?.find([cell.value, ...args]) ?? null;
  if (overload === null) throw functionNotFound(site.name, [cell.value, ...args], pos);
  return invokeMethod(run, overload, cell, args, pos);
}

/** Calls generated code with curried values in front; the usual counts go without argument lists. */
function enter(
  run: Run,
  target: CompiledFunction,
  curried: readonly (Value | Cell)[],
  args: readonly Value[],
  self: Cell | null,
  pos: Pos,
): Result {
  const code = codeOf(target);
  switch (curried.length * 4 + args.length) {
    case 0:
      return code(run, pos, self);
    case 1:
      return code(run, pos, self, copyValue(args[0]));
    case 2:
      return code(run, pos, self, copyValue(args[0]), copyValue(args[1]));
    case 3:
      return code(run, pos, self, copyValue(args[0]), copyValue(args[1]), copyValue(args[2]));
    case 4:
      return code(run, pos, self, carried(curried[0]));
    case 5:
      return code(run, pos, self, carried(curried[0]), copyValue(args[0]));
    case 6:
      return code(run, pos, self, carried(curried[0]), copyValue(args[0]), copyValue(args[1]));
    case 8:
      return code(run, pos, self, carried(curried[0]), carried(curried[1]));
    case 9:
      return code(run, pos, self, carried(curried[0]), carried(curried[1]), copyValue(args[0]));
    default:
      return code(run, pos, self, ...curried.map(carried), ...args.map(copyValue));
  }
}

/** A curried value as each call gets it: captured variables are shared, everything else is copied. */
const carried = (value: Value | Cell): Value | Cell => (value instanceof Cell ? value : copyValue(value));

function withCurried(fn: FnPtr, args: readonly Value[]): (Value | Cell)[] {
  if (fn.curried.length === 0) return args.map(copyValue);
  return [...fn.curried.map(carried), ...args.map(copyValue)];
}

const unwrapCell = (value: Value | Cell): Value => (value instanceof Cell ? copyValue(value.value) : value);

/** The pointer with more values in front of its arguments. */
export function curry(run: Run, fn: FnPtr, values: readonly Value[]): FnPtr {
  run.allocate(64 + (fn.curried.length + values.length) * 8);
  return new FnPtr(fn.name, [...fn.curried, ...values], fn.target, fn.linked);
}

/** See NativeContext.arityOf. */
export function pointerArity(run: Run, fn: FnPtr): number {
  const script = fn.target ?? null;
  if (script !== null) return script.arity - fn.curried.length;
  void run;
  return -1;
}

/** The pointer in `value`, or the official error. */
export function asPointer(value: Value, pos: Pos): FnPtr {
  if (value instanceof FnPtr) return value;
  throw mismatch("Fn", typeName(value), pos);
}
