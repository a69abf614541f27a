import { functionNameProblem, isFunctionName } from "../syntax/function-name.ts";
import { NONE, type Pos } from "../syntax/position.ts";
import {
  asPointer,
  callByName,
  callPointer,
  codeOf,
  completed,
  invoke,
  invokeMethod,
  locked,
  type Result,
} from "./calls.ts";
import { type Assignment, type ChainPlan, dispatchMethod, runChain } from "./chain.ts";
import { DynamicScope } from "./dynamic-scope.ts";
import { RhaiError } from "./errors.ts";
import {
  constantAssigned,
  dataRace,
  fillPosition,
  functionNotFound,
  inCall,
  innermost,
  mismatch,
  unboundThis,
  variableNotFound,
} from "./faults.ts";
import { display, toDebugValue } from "./format.ts";
import { elementAt, mapKey, readIndex, readProperty } from "./index-access.ts";
import { iterate, nextItem } from "./iterate.ts";
import { callQualified, importModule, qualified } from "./modules.ts";
import type { NativeGroup } from "./natives.ts";
import * as operators from "./operators.ts";
import type { MethodSite } from "./program.ts";
import type { Program } from "./program.ts";
import type { Run } from "./run.ts";
import { within, same } from "./switch-match.ts";
import { rustTypeName, typeName } from "./type-name.ts";
import {
  Cell,
  Char,
  charOf,
  type CompiledFunction,
  copyValue,
  Float,
  FnPtr,
  RhaiArray,
  RhaiMap,
  type Value,
} from "./values.ts";

/**
 * What generated code calls: it has this object as `H` and no other name of ours. The functions that hot code goes
 * through are small, so that the JIT inlines them.
 */

/** The value as a second place may hold it. */
function cp(value: Value): Value {
  return typeof value === "object" ? copyValue(value) : value;
}

/** Reads a captured variable. */
function rd(cell: Cell): Value {
  if (cell.locked) throw dataRace("", NONE);
  return cell.value;
}

function bool(value: Value, pos: Pos): boolean {
  return typeof value === "boolean" ? value : operators.condition(value, pos);
}

function not(run: Run, value: Value, pos: Pos): Value {
  return typeof value === "boolean" ? !value : operators.unary(run, "!", value, pos);
}

/** Past the checkpoint: which of the operations just added was one too many decides the position. */
function meter(run: Run, positions: readonly Pos[]): void {
  const { maxOperations } = run.limits;
  const before = run.ops - positions.length;
  run.check(positions[maxOperations - before] ?? positions[0] ?? NONE);
}

function array(run: Run, items: Value[], positions: readonly Pos[]): Value {
  run.allocate(32 + items.length * 8);
  const value = new RhaiArray(items);
  if (run.sized && positions.length > 0)
    checkLiteral(run, value, positions, (count) => new RhaiArray(items.slice(0, count)));
  return value;
}

function map(run: Run, keys: readonly string[], values: readonly Value[], positions: readonly Pos[]): Value {
  run.allocate(64 + keys.length * 64);
  const value = buildMap(keys, values, keys.length);
  if (run.sized && positions.length > 0)
    checkLiteral(run, value, positions, (count) => buildMap(keys, values, count));
  return value;
}

function buildMap(keys: readonly string[], values: readonly Value[], count: number): RhaiMap {
  const entries = new Map<string, Value>();
  for (let i = 0; i < count; i++) entries.set(keys[i] as string, values[i]);
  return new RhaiMap(entries);
}

/** The position of a literal that is too large is that of the part that made it so. */
function checkLiteral(
  run: Run,
  value: Value,
  positions: readonly Pos[],
  part: (count: number) => Value,
): void {
  try {
    run.checkSizeAt(value, NONE);
  } catch (error) {
    for (let count = 1; count <= positions.length; count++)
      run.checkSizeAt(part(count), positions[count - 1] ?? NONE);
    throw error;
  }
}

/** The text of an interpolated value. */
function text(run: Run, value: Value, pos: Pos): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  const overload =
    typeof value === "object" ? (run.program.natives.group("to_string", 1)?.find1(value) ?? null) : null;
  if (overload !== null && overload.tags[0] !== 0) return invoke(run, overload, [value], pos) as string;
  return display(value, run.limits.maxStringSize);
}

function join(run: Run, parts: readonly string[], positions: readonly Pos[]): string {
  let result = "";
  for (const part of parts) result += part;
  run.allocate(result.length + 32);
  if (run.sized) {
    let length = "";
    for (const [i, part] of parts.entries()) {
      length += part;
      run.checkSizeAt(length, positions[i] ?? NONE);
    }
  }
  return result;
}

function prop(
  run: Run,
  target: Value,
  name: string,
  getter: NativeGroup | null,
  pos: Pos,
  opPos: Pos,
): Value {
  if (target instanceof RhaiMap) return target.entries.get(name);
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
function len(run: Run, target: Value, getter: NativeGroup | null, pos: Pos, opPos: Pos): Value {
  if (target instanceof RhaiArray) return target.items.length;
  return prop(run, target, "len", getter, pos, opPos);
}

function index(run: Run, target: Value, at: Value, pos: Pos, opPos: Pos): Value {
  if (target instanceof RhaiArray && typeof at === "number" && at >= 0 && at < target.items.length) {
    return target.items[at];
  }
  return readIndex(run, target, at, pos, opPos);
}

/** `target.name` on the way to a change, undefined where that takes more than arrays and maps. */
function mutableProp(target: Value, name: string): Value {
  if (!(target instanceof RhaiMap)) return undefined;
  return (target.owned ? target.entries : target.writable()).get(name);
}

function mutableIndex(target: Value, at: Value): Value {
  if (target instanceof RhaiArray && typeof at === "number") {
    if (target.owned && at >= 0) return target.items[at];
    return target.writable()[at < 0 ? target.items.length + at : at];
  }
  return target instanceof RhaiMap && typeof at === "string" ? target.writable().get(at) : undefined;
}

/** The element that an operator is about to change. */
function mutableElement(target: RhaiArray | RhaiMap, at: Value, pos: Pos): Value {
  if (target instanceof RhaiArray) {
    const { items } = target;
    if (target.owned && typeof at === "number" && at >= 0 && at < items.length) return items[at];
    return target.writable()[elementAt(items.length, at, pos)];
  }
  return target.writable().get(mapKey(at, pos));
}

function setIndex(
  run: Run,
  target: RhaiArray | RhaiMap,
  at: Value,
  value: Value,
  pos: Pos,
  assignPos: Pos,
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
  setProp(run, target, key, value, assignPos);
}

function setProp(run: Run, target: RhaiMap, name: string, value: Value, assignPos: Pos): void {
  const entries = target.owned ? target.entries : target.writable();
  const isNew = !entries.has(name);
  target.measured = null;
  if (isNew) run.allocate(96 + name.length);
  entries.set(name, value);
  if (run.sized && (isNew || hasSize(value))) run.checkGrown(target, assignPos, hasSize(value));
}

/** What `this` is bound to if it may be changed. */
const changeable = (cell: Cell): Value => (cell.constant ? undefined : cell.value);

/** The value of a captured variable if it may be changed now. */
const changeableCell = (cell: Cell): Value => (cell.constant || cell.locked ? undefined : cell.value);

function changeableThis(cell: Cell, pos: Pos): Cell {
  if (cell.constant) throw constantAssigned("", pos);
  return cell;
}

function changeableVariable(cell: Cell, name: string, pos: Pos): Cell {
  if (cell.locked) throw dataRace("", NONE);
  if (cell.constant) throw constantAssigned(name, pos);
  return cell;
}

function fixed(value: Value): Cell {
  const cell = new Cell(value);
  cell.constant = true;
  return cell;
}

function native1(run: Run, group: NativeGroup, a: Value, pos: Pos): Result {
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

function native2(run: Run, group: NativeGroup, a: Value, b: Value, pos: Pos): Result {
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

function nativeN(run: Run, group: NativeGroup, args: Value[], pos: Pos): Result {
  const overload = group.find(args);
  if (overload === null) throw functionNotFound(group.name, args, pos);
  return invoke(run, overload, args, pos);
}

/** A native in function style that changes the variable given as first argument. */
function mutate(run: Run, group: NativeGroup, cell: Cell, args: Value[], pos: Pos): Result {
  const overload = group.find([cell.value, ...args]);
  if (overload === null) throw functionNotFound(group.name, [cell.value, ...args], pos);
  // A constant or captured variable is copied first, so that the call is no error and changes nothing.
  if (cell.constant || cell.shared)
    return invokeMethod(run, overload, new Cell(copyValue(cell.value)), args, pos);
  return invokeMethod(run, overload, cell, args, pos);
}

/** Whether a method call means a function that is a property of the map. */
const fnProp = (target: Value, name: string): boolean =>
  target instanceof RhaiMap && target.entries.get(name) instanceof FnPtr;

/** Natives as methods that leave the target alone. */
function method0(run: Run, group: NativeGroup, target: Value, pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, [], pos);
  return native1(run, group, target, pos);
}

function method1(run: Run, group: NativeGroup, target: Value, a: Value, pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, [a], pos);
  return native2(run, group, target, a, pos);
}

function method2(run: Run, group: NativeGroup, target: Value, a: Value, b: Value, pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, [a, b], pos);
  return nativeN(run, group, [target, a, b], pos);
}

function methodN(run: Run, group: NativeGroup, target: Value, args: Value[], pos: Pos): Result {
  if (target instanceof RhaiMap && fnProp(target, group.name)) return bound(run, group, target, args, pos);
  return nativeN(run, group, [target, ...args], pos);
}

function bound(run: Run, group: NativeGroup, target: RhaiMap, args: Value[], pos: Pos): Result {
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
function change0(run: Run, group: NativeGroup, target: RhaiArray, pos: Pos): Result {
  return changed(run, group, target, pos, group.find1(target), []);
}

function change1(run: Run, group: NativeGroup, target: RhaiArray, a: Value, pos: Pos): Result {
  const overload = group.find2(target, a);
  if (overload === null) throw functionNotFound(group.name, [target, a], pos);
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

function change2(run: Run, group: NativeGroup, target: RhaiArray, a: Value, b: Value, pos: Pos): Result {
  return changed(run, group, target, pos, group.find([target, a, b]), [a, b]);
}

function changeN(run: Run, group: NativeGroup, target: RhaiArray, args: Value[], pos: Pos): Result {
  return changed(run, group, target, pos, group.find([target, ...args]), args);
}

function changed(
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

/** Whether a value adds more than itself to the size of a container. */
function hasSize(value: Value): boolean {
  if (typeof value !== "object") return typeof value === "string";
  return !(value instanceof Float || value instanceof Char);
}

/** A method on a captured variable. Only what may run script code needs it locked. */
function onCell(run: Run, site: MethodSite, cell: Cell, args: Value[], pos: Pos, argPos: Pos): Result {
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

function callFnN(run: Run, fn: FnPtr, args: Value[], pos: Pos): Result {
  return callPointer(run, fn, args, null, pos);
}

/** Calls of closures without the detour over argument lists, for as many captured variables as are common. */
function callFn0(run: Run, fn: FnPtr, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== curried.length || curried.length > 2)
    return callFnN(run, fn, [], pos);
  if (curried.length === 0) return codeOf(target)(run, pos, null);
  if (!allCells(curried)) return callFnN(run, fn, [], pos);
  if (curried.length === 1) return codeOf(target)(run, pos, null, curried[0]);
  return codeOf(target)(run, pos, null, curried[0], curried[1]);
}

function callFn1(run: Run, fn: FnPtr, a: Value, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== curried.length + 1 || curried.length > 2)
    return callFnN(run, fn, [a], pos);
  if (curried.length === 0) return codeOf(target)(run, pos, null, a);
  if (!allCells(curried)) return callFnN(run, fn, [a], pos);
  if (curried.length === 1) return codeOf(target)(run, pos, null, curried[0], a);
  return codeOf(target)(run, pos, null, curried[0], curried[1], a);
}

function callFn2(run: Run, fn: FnPtr, a: Value, b: Value, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== curried.length + 2 || curried.length > 1)
    return callFnN(run, fn, [a, b], pos);
  if (curried.length === 0) return codeOf(target)(run, pos, null, a, b);
  if (!allCells(curried)) return callFnN(run, fn, [a, b], pos);
  return codeOf(target)(run, pos, null, curried[0], a, b);
}

function callFn3(run: Run, fn: FnPtr, a: Value, b: Value, c: Value, pos: Pos): Result {
  const { target, curried } = fn;
  if (target === null || target.arity !== 3 || curried.length > 0) return callFnN(run, fn, [a, b, c], pos);
  return codeOf(target)(run, pos, null, a, b, c);
}

function allCells(values: readonly (Value | Cell)[]): boolean {
  for (const value of values) if (!(value instanceof Cell)) return false;
  return true;
}

/** A function of whatever kind, by name. */
function callNamed(run: Run, name: string, args: Value[], pos: Pos): Result {
  return callByName(run, name, args, null, pos);
}

/** `call(pointer, …)`. */
function callValue(run: Run, pointer: Value, args: Value[], pos: Pos, pointerPos: Pos): Result {
  return callPointer(run, asPointer(pointer, pointerPos), args, null, pos);
}

function makePointer(name: Value, pos: Pos): FnPtr {
  if (typeof name !== "string") throw mismatch("string", rustTypeName(name), pos);
  const problem = functionNameProblem(name);
  if (problem !== null) throw new RhaiError("ErrorParsing", `Syntax error: ${problem.message}`, pos);
  if (isFunctionName(name)) return new FnPtr(name);
  throw new RhaiError("ErrorFunctionNotFound", `Function not found: ${name}`, pos, { function: name });
}

function curry(pointer: Value, args: Value[], pos: Pos): FnPtr {
  const fn = asPointer(pointer, pos);
  return new FnPtr(fn.name, [...fn.curried, ...args], fn.target);
}

/** A closure that captures variables. */
function closure(run: Run, name: string, cells: Cell[], target: CompiledFunction): FnPtr {
  run.allocate(128 + cells.length * 64);
  return new FnPtr(name, cells, target);
}

function share(cell: Cell): Cell {
  cell.shared = true;
  return cell;
}

function asString(value: Value, pos: Pos): string {
  if (typeof value === "string") return value;
  throw mismatch("string", rustTypeName(value), pos);
}

function isDefinedFunction(run: Run, args: Value[], pos: Pos): boolean {
  const type = args.length === 3 ? asString(args[0], pos) : null;
  const name = asString(args[args.length - 2], pos);
  const arity = args[args.length - 1];
  if (typeof arity !== "number" && typeof arity !== "bigint") throw mismatch("i64", rustTypeName(arity), pos);
  if (typeof arity === "bigint") return false;
  if (type === null) return run.program.find(name, arity) !== null;
  return run.program.findTyped(type, name, arity) !== null;
}

/** The error of a `throw`. */
function thrown(run: Run, value: Value, pos: Pos): RhaiError {
  const shown = value === undefined || value === "" ? "" : display(value, run.limits.maxStringSize);
  const message = value === undefined || value === "" ? "Runtime error" : `Runtime error: ${shown}`;
  return new RhaiError("ErrorRuntime", message, pos, { value });
}

/** What `catch (e)` binds: the thrown value, or a map that tells about the error. */
function errorValue(error: RhaiError): Value {
  const inner = innermost(error);
  if (inner.kind === "ErrorRuntime") return copyValue(inner.data["value"]);
  const entries = new Map<string, Value>();
  entries.set("message", error.text);
  const { pos } = error;
  if (pos !== NONE) {
    entries.set("line", Math.floor(pos / 65536));
    entries.set("position", pos % 65536);
  }
  entries.set("error", error.kind);
  for (const [key, value] of Object.entries(error.data)) entries.set(key, copyValue(value));
  return new RhaiMap(entries);
}

/** What leaves a handler: a `throw` without value means the error that was caught, at the new place. */
function rethrown(second: unknown, first: RhaiError): unknown {
  if (!(second instanceof RhaiError) || second.kind !== "ErrorRuntime" || second.inner !== null)
    return second;
  if (second.data["value"] !== undefined) return second;
  first.pos = second.pos;
  return first;
}

const failing = {
  unbound(pos: Pos): never {
    throw unboundThis(pos);
  },
  noVariable(name: string, pos: Pos): never {
    throw variableNotFound(name, pos);
  },
  constantAssigned(name: string, pos: Pos): never {
    throw constantAssigned(name, pos);
  },
  notFound(name: string, args: Value[], pos: Pos): never {
    throw functionNotFound(name, args, pos);
  },
  tooManyVariables(pos: Pos): never {
    throw new RhaiError("ErrorTooManyVariables", "Too many variables defined", pos);
  },
  noEval(pos: Pos): never {
    throw new RhaiError("ErrorRuntime", "Runtime error: eval is switched off", pos, {
      value: "eval is switched off",
    });
  },
  /** A promise where none was expected is a fault of the analysis; it must never become a value. */
  sync(value: Result): Value {
    if (value instanceof Promise)
      throw new RhaiError("ErrorSystem", "a call suspended where that was not foreseen");
    return value;
  },
};

/** `eval(text)` in the scope of the caller. */
function evaluate(
  run: Run,
  program: Program,
  scope: DynamicScope,
  self: Cell | null,
  source: Value,
  pos: Pos,
): Result {
  const script = asString(source, pos);
  const { depth } = run;
  const wrap = (error: unknown): unknown => {
    const unwound = run.unwind(error, depth);
    if (!(unwound instanceof RhaiError) || unwound.kind === "ErrorTerminated") return unwound;
    return inCall(unwound, "eval", pos);
  };
  try {
    const code = program.evaluate?.(script);
    const run2 = code?.code as unknown as (run: Run, scope: DynamicScope, self: Cell | null) => Result;
    const result = run2(run, scope, self);
    if (result instanceof Promise) {
      return result.catch((error: unknown) => {
        throw wrap(error);
      });
    }
    return result;
  } catch (error) {
    throw wrap(error);
  }
}

const pointerCell = (fn: FnPtr): Cell => fixed(fn);

const none: readonly never[] = [];

function chain(
  run: Run,
  plan: ChainPlan,
  root: Cell,
  values: readonly Value[],
  assignment: Assignment | null,
  lock: boolean,
): Result {
  return runChain(run, plan, root, values, assignment, lock);
}

/** Everything that generated code may name. */
export const helpers = {
  ...failing,
  RhaiArray,
  RhaiMap,
  Float,
  Char,
  FnPtr,
  Cell,
  DynamicScope,
  add: operators.add,
  sub: operators.sub,
  mul: operators.mul,
  div: operators.div,
  rem: operators.rem,
  addTo: operators.addTo,
  subFrom: operators.subFrom,
  mulBy: operators.mulBy,
  divBy: operators.divBy,
  and: operators.and,
  or: operators.or,
  xor: operators.xor,
  shl: operators.shl,
  shr: operators.shr,
  contains: operators.contains,
  eq: operators.eq,
  ne: operators.ne,
  lt: operators.lt,
  le: operators.le,
  gt: operators.gt,
  ge: operators.ge,
  binary: operators.binary,
  unary: operators.unary,
  update: operators.assignOperator,
  array,
  asString,
  bool,
  callFn0,
  callFn1,
  callFn2,
  callFn3,
  callFnN,
  callNamed,
  callQualified,
  callValue,
  chain,
  change0,
  change1,
  change2,
  changeN,
  changeable,
  changeableCell,
  changeableThis,
  changeableVariable,
  charOf,
  closure,
  cp,
  curry,
  dispatch: dispatchMethod,
  errorValue,
  evaluate,
  fixed,
  fnProp,
  importModule,
  index,
  isDefinedFunction,
  iterate,
  join,
  len,
  makePointer,
  map,
  meter,
  method0,
  method1,
  method2,
  methodN,
  mutableElement,
  mutableIndex,
  mutableProp,
  mutate,
  native1,
  native2,
  nativeN,
  nextItem,
  none,
  not,
  onCell,
  pointerCell,
  prop,
  qualified,
  rd,
  rethrown,
  same,
  setIndex,
  literalText: toDebugValue,
  setProp,
  share,
  text,
  thrown,
  trunc: Math.trunc,
  typeName,
  within,
};
