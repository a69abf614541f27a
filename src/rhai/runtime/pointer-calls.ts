import { functionNameProblem, isFunctionName } from "../syntax/function-name.ts";
import { NONE, type Pos } from "../syntax/position.ts";
import { asPointer, callByName, callPointer, codeOf, curry, locked, type Result } from "./calls.ts";
import { dispatchMethod } from "./chain.ts";
import { RhaiError } from "./errors.ts";
import { dataRace, mismatch } from "./faults.ts";
import { fnProp } from "./native-calls.ts";
import { fixed } from "./places.ts";
import type { MethodSite } from "./program.ts";
import type { Run } from "./run.ts";
import { rustTypeName } from "./type-name.ts";
import { Cell, type CompiledFunction, FnPtr, type Value } from "./values.ts";

/** Function pointers: making, calling and asking about them. */

/** A method on a captured variable. Only what may run script code needs it locked. */
export function onCell(run: Run, site: MethodSite, cell: Cell, args: Value[], pos: Pos, argPos: Pos): Result {
  if (cell.locked) throw dataRace("", NONE);
  const calls =
    site.name === "call" ||
    site.untyped !== null ||
    site.typed !== null ||
    site.natives === null ||
    site.natives.callsBack ||
    fnProp(cell.value, site.name);
  if (!calls) return dispatchMethod(run, site, cell, args, pos, argPos);
  return locked(cell, () => dispatchMethod(run, site, cell, args, pos, argPos));
}

export function callFnN(run: Run, fn: FnPtr, args: Value[], pos: Pos): Result {
  return callPointer(run, fn, args, null, pos);
}

/** Calls of closures without the detour over argument lists, for as many captured variables as are common. */
export function callFn0(run: Run, fn: FnPtr, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== curried.length || curried.length > 2)
    return callFnN(run, fn, [], pos);
  if (curried.length === 0) return codeOf(target)(run, pos, null);
  if (!allCells(curried)) return callFnN(run, fn, [], pos);
  if (curried.length === 1) return codeOf(target)(run, pos, null, curried[0]);
  return codeOf(target)(run, pos, null, curried[0], curried[1]);
}

export function callFn1(run: Run, fn: FnPtr, a: Value, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== curried.length + 1 || curried.length > 2)
    return callFnN(run, fn, [a], pos);
  if (curried.length === 0) return codeOf(target)(run, pos, null, a);
  if (!allCells(curried)) return callFnN(run, fn, [a], pos);
  if (curried.length === 1) return codeOf(target)(run, pos, null, curried[0], a);
  return codeOf(target)(run, pos, null, curried[0], curried[1], a);
}

export function callFn2(run: Run, fn: FnPtr, a: Value, b: Value, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== curried.length + 2 || curried.length > 1)
    return callFnN(run, fn, [a, b], pos);
  if (curried.length === 0) return codeOf(target)(run, pos, null, a, b);
  if (!allCells(curried)) return callFnN(run, fn, [a, b], pos);
  return codeOf(target)(run, pos, null, curried[0], a, b);
}

export function callFn3(run: Run, fn: FnPtr, a: Value, b: Value, c: Value, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== 3 || curried.length > 0) return callFnN(run, fn, [a, b, c], pos);
  return codeOf(target)(run, pos, null, a, b, c);
}

export function allCells(values: readonly (Value | Cell)[]): boolean {
  for (const value of values) if (!(value instanceof Cell)) return false;
  return true;
}

/** A function of whatever kind, by name. */
export function callNamed(run: Run, name: string, args: Value[], pos: Pos): Result {
  return callByName(run, name, args, null, pos);
}

/** `call(pointer, …)`. */
export function callValue(run: Run, pointer: Value, args: Value[], pos: Pos, pointerPos: Pos): Result {
  return callPointer(run, asPointer(pointer, pointerPos), args, null, pos);
}

export function makePointer(name: Value, pos: Pos, linked: boolean): FnPtr {
  if (typeof name !== "string") throw mismatch("string", rustTypeName(name), pos);
  const problem = functionNameProblem(name);
  if (problem !== null) throw new RhaiError("ErrorParsing", `Syntax error: ${problem.message}`, pos);
  if (isFunctionName(name)) return new FnPtr(name, [], null, linked);
  throw new RhaiError("ErrorFunctionNotFound", `Function not found: ${name}`, pos, { function: name });
}

/** `curry(pointer, …)`. */
export function curryValue(run: Run, pointer: Value, args: Value[], pos: Pos): FnPtr {
  return curry(run, asPointer(pointer, pos), args);
}

/** A closure that captures variables. */
export function closure(run: Run, name: string, cells: Cell[], target: CompiledFunction): FnPtr {
  run.allocate(128 + cells.length * 64);
  return new FnPtr(name, cells, target);
}

export function share(cell: Cell): Cell {
  cell.shared = true;
  return cell;
}

export function isDefinedFunction(run: Run, args: Value[], pos: Pos): boolean {
  const type = args.length === 3 ? asString(args[0], pos) : null;
  const name = asString(args[args.length - 2], pos);
  const arity = args[args.length - 1];
  if (typeof arity !== "number" && typeof arity !== "bigint") throw mismatch("i64", rustTypeName(arity), pos);
  if (typeof arity === "bigint") return false;
  if (type === null) return run.program.find(name, arity) !== null;
  return run.program.findTyped(type, name, arity) !== null;
}

export function asString(value: Value, pos: Pos): string {
  if (typeof value === "string") return value;
  throw mismatch("string", rustTypeName(value), pos);
}

export const pointerCell = (fn: FnPtr): Cell => fixed(fn);
