import type { Pos } from "../syntax/position.ts";
import { asPointer, callMethod, callPointer, curry, locked, type Result } from "./calls.ts";
import { RhaiError } from "./errors.ts";
import { constantAssigned, functionNotFound, isSystemError, mismatch } from "./faults.ts";
import {
  elementAt,
  isIndexable,
  mapKey,
  readIndex,
  readProperty,
  writeIndex,
  writeIndexer,
  writeProperty,
} from "./index-access.ts";
import type {
  Assignment,
  AssignmentPlan,
  ChainPlan,
  IndexStep,
  MethodStep,
  PropertyStep,
  Step,
} from "./chain-plan.ts";
import { declared } from "./places.ts";
import { assignOperator } from "./operators.ts";
import type { MethodSite } from "./program.ts";
import type { Run } from "./run.ts";
import { typeName } from "./type-name.ts";
import { Cell, copyValue, FnPtr, RhaiArray, RhaiMap, type Value } from "./values.ts";

/**
 * Chains of properties, indices and methods in full generality. Generated code takes shorter ways for the common
 * shapes and comes here for the rest, with all arguments and indices evaluated.
 */

/** Answered by a chain that was thought not to change anything and meets a function in a map. */
const RESTART = Symbol("restart");

type ChainResult = Result | typeof RESTART;

/**
 * Runs a chain on the place `root`. The answer of a chain that ends in a property or an index still belongs to its
 * place. With `lock`, the root is a captured variable.
 */
export function runChain(
  run: Run,
  plan: ChainPlan,
  root: Cell,
  values: readonly Value[],
  assignment: Assignment | null,
  lock: boolean,
): Result {
  const walk = (): Result => {
    const first = step(run, plan.steps, 0, root, values, assignment, plan.mutating);
    if (first !== RESTART) return first;
    return step(run, plan.steps, 0, root, values, assignment, true) as Result;
  };
  return lock ? locked(root, walk) : walk();
}

/** Runs a chain of places that ends in an assignment. */
export function assignChain(
  run: Run,
  plan: AssignmentPlan,
  root: Cell,
  values: readonly Value[],
  value: Value,
  lock: boolean,
): Result {
  return runChain(run, plan, root, values, { ...plan.operator, value }, lock);
}

/** The same from a local variable that holds `root`; answers what it holds afterwards. */
export function assignLocal(
  run: Run,
  plan: AssignmentPlan,
  root: Value,
  values: readonly Value[],
  value: Value,
): Value {
  const cell = new Cell(root);
  void assignChain(run, plan, cell, values, value, false);
  return cell.value;
}

/** Goes on with `next` once `value` is there. */
function then(value: ChainResult, next: (value: Value) => ChainResult): ChainResult {
  return value instanceof Promise ? value.then(next as (value: Value) => Value) : next(value as Value);
}

function step(
  run: Run,
  steps: readonly Step[],
  at: number,
  target: Cell,
  values: readonly Value[],
  assignment: Assignment | null,
  mutating: boolean,
): ChainResult {
  const current = steps[at] as Step;
  run.changed = false;
  if (current.optional && target.value === undefined) return undefined;
  const last = at === steps.length - 1;
  if (last) {
    if (assignment !== null) return assign(run, current, target, values, assignment);
    if (current.kind === "method") return method(run, current, target, values, mutating);
    return read(run, current, target, values);
  }
  const rest = (cell: Cell): ChainResult => step(run, steps, at + 1, cell, values, assignment, mutating);
  if (current.kind === "method") {
    return then(method(run, current, target, values, mutating), (value) => {
      if ((value as unknown) === RESTART) return RESTART;
      return rest(new Cell(value));
    });
  }
  if (!mutating) {
    const inner = new Cell(read(run, current, target, values));
    inner.constant = target.constant;
    return rest(inner);
  }
  return through(run, current, target, values, rest);
}

function read(run: Run, current: PropertyStep | IndexStep, target: Cell, values: readonly Value[]): Value {
  if (current.kind === "property")
    return readProperty(run, target.value, current.name, current.pos, current.opPos);
  return readIndex(run, target.value, values[current.at], current.pos, current.opPos);
}

/** One step into a place that the rest of the chain may change: the new content goes back where it came from. */
function through(
  run: Run,
  current: PropertyStep | IndexStep,
  target: Cell,
  values: readonly Value[],
  rest: (cell: Cell) => ChainResult,
): ChainResult {
  const { value } = target;
  if (value instanceof RhaiArray && current.kind === "index") {
    const index = elementAt(value.items.length, values[current.at], current.pos);
    const inner = new Cell(value.writable()[index]);
    inner.constant = target.constant;
    const before = inner.value;
    return back(rest, inner, () => {
      if (inner.value !== before) value.writable()[index] = inner.value;
    });
  }
  if (value instanceof RhaiMap) {
    const key = current.kind === "property" ? current.name : mapKey(values[current.at], current.pos);
    const exists = value.entries.has(key);
    const inner = new Cell(exists ? value.writable().get(key) : undefined);
    inner.constant = target.constant;
    const before = inner.value;
    return back(rest, inner, () => {
      if (exists && inner.value !== before) value.writable().set(key, inner.value);
    });
  }
  const inner = new Cell(read(run, current, target, values));
  const before = inner.value;
  return then(rest(inner), (result) => {
    if ((result as unknown) === RESTART) return RESTART;
    if (!run.changed) return result;
    if (current.kind === "index" && isIndexable(value)) {
      if (inner.value !== before) {
        target.value = writeIndex(
          run,
          value,
          values[current.at],
          inner.value,
          current.pos,
          current.opPos,
          current.opPos,
        );
      }
      return result;
    }
    // A value from a getter goes back through the setter, where there is one.
    return then(feed(run, current, target, values, inner.value), () => {
      run.changed = true;
      return result;
    });
  });
}

function feed(
  run: Run,
  current: PropertyStep | IndexStep,
  target: Cell,
  values: readonly Value[],
  value: Value,
): Result {
  try {
    if (current.kind === "property")
      return writeProperty(run, target, current.name, value, current.pos, current.opPos);
    return writeIndexer(run, target, values[current.at], value, current.opPos);
  } catch (error) {
    const missing =
      error instanceof RhaiError && (error.kind === "ErrorIndexingType" || error.kind === "ErrorDotExpr");
    if (missing) return undefined;
    throw error;
  }
}

/** Runs the rest of the chain and stores what it made of the cell, also when it fails. */
function back(rest: (cell: Cell) => ChainResult, inner: Cell, store: () => void): ChainResult {
  let suspended = false;
  try {
    const result = rest(inner);
    if (!(result instanceof Promise)) return result;
    suspended = true;
    return result.finally(store);
  } finally {
    if (!suspended) store();
  }
}

function method(
  run: Run,
  current: MethodStep,
  target: Cell,
  values: readonly Value[],
  mutating: boolean,
): ChainResult {
  const args = values.slice(current.at, current.at + current.count);
  if (!mutating && target.value instanceof RhaiMap && target.value.entries.get(current.name) instanceof FnPtr)
    return RESTART;
  const result = dispatchMethod(run, current.site, target, args, current.pos, current.argPos);
  // A script function may have changed anything; the exact answer only matters to setters of native types.
  run.changed = current.site.natives?.mutates === true;
  return result;
}

/** A method by name, with those that the language itself provides. */
export function dispatchMethod(
  run: Run,
  site: MethodSite,
  target: Cell,
  args: Value[],
  pos: Pos,
  argPos: Pos,
): Result {
  if (!site.special) return callMethod(run, site, target, args, pos);
  switch (site.name) {
    case "call":
      if (target.value instanceof FnPtr) return callPointer(run, target.value, args, null, pos);
      if (args.length === 0) throw mismatch("Fn", typeName(target.value), pos);
      return callPointer(run, asPointer(args[0], argPos), args.slice(1), target, pos);
    case "curry":
      return curry(run, asPointer(target.value, pos), args.map(copyValue));
    case "is_shared":
      if (args.length === 0) return target.shared;
      break;
    case "type_of":
      if (args.length === 0) return typeName(target.value);
      throw functionNotFound("type_of", [target.value, ...args], pos);
  }
  return callMethod(run, site, target, args, pos);
}

function assign(
  run: Run,
  current: Step,
  target: Cell,
  values: readonly Value[],
  assignment: Assignment,
): Result {
  const { op, value: operand, pos } = assignment;
  const { value: container } = target;
  if (target.constant && holdsConstants(current, container)) {
    throw assignedConstant(current, target, values, assignment);
  }
  run.changed = true;
  if (current.kind === "index") {
    const index = values[current.at];
    if (isIndexable(container)) {
      // What an operator changes in place must not be shared with a copy.
      if (container instanceof RhaiArray || container instanceof RhaiMap) container.writable();
      if (op !== "=" && container instanceof RhaiMap && typeof index === "string")
        declared(run, container, index, container.entries.get(index), pos);
      const value =
        op === "="
          ? operand
          : updated(run, readIndex(run, container, index, current.pos, current.opPos), assignment);
      target.value = writeIndex(run, container, index, value, current.pos, current.opPos, pos);
    } else {
      const old = op === "=" ? null : tryIndexer(run, container, index, current);
      const value = old === null ? operand : updated(run, old.value, assignment);
      return writeIndexer(run, target, index, value, current.opPos);
    }
    run.changed = true;
    return undefined;
  }
  const { name, pos: namePos, opPos } = current as PropertyStep;
  if (container instanceof RhaiMap) {
    const entries = container.writable();
    if (op === "=") {
      if (!entries.has(name)) run.allocate(64 + name.length);
      entries.set(name, operand);
    } else
      entries.set(name, updated(run, declared(run, container, name, entries.get(name), pos), assignment));
    if (run.sized) run.checkGrown(container, pos);
    run.changed = true;
    return undefined;
  }
  const value =
    op === "=" ? operand : updated(run, readProperty(run, container, name, namePos, opPos), assignment);
  const result = writeProperty(run, target, name, value, namePos, opPos);
  run.changed = true;
  return result;
}

/** The value that an operator starts from; null where reading fails, which the official interpreter passes over. */
function tryIndexer(run: Run, container: Value, index: Value, at: IndexStep): { value: Value } | null {
  try {
    return { value: readIndex(run, container, index, at.pos, at.opPos) };
  } catch (error) {
    if (error instanceof RhaiError && !isSystemError(error)) return null;
    throw error;
  }
}

/** Elements and properties of a constant are constant; computed places within one are not seen to be. */
const holdsConstants = (current: Step, container: Value): boolean =>
  container instanceof RhaiMap || (current.kind === "index" && container instanceof RhaiArray);

function updated(run: Run, value: Value, assignment: Assignment): Value {
  return assignOperator(run, assignment.op, value, assignment.value, assignment.pos);
}

/** The official order: a wrong index is told before that the root is constant. */
function assignedConstant(
  current: Step,
  target: Cell,
  values: readonly Value[],
  assignment: Assignment,
): RhaiError {
  const { value } = target;
  if (current.kind === "index" && value instanceof RhaiArray) {
    elementAt(value.items.length, values[current.at], current.pos);
  }
  return constantAssigned(assignment.name, assignment.rootPos);
}
