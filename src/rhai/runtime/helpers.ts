import { NONE, type Pos } from "../syntax/position.ts";
import { assignChain, assignLocal, dispatchMethod, runChain } from "./chain.ts";
import { indexStep, methodStep, operatorPlan, propertyStep } from "./chain-plan.ts";
import { DynamicScope } from "./dynamic-scope.ts";
import { Entries } from "./entries.ts";
import {
  floatDiffers,
  floatEquals,
  floatGreater,
  floatGreaterEqual,
  floatLess,
  floatLessEqual,
} from "./equality.ts";
import { mismatch } from "./faults.ts";
import { floatPower } from "./float-power.ts";
import { toDebugValue } from "./format.ts";
import { iterate, nextItem, rangeEnd } from "./iterate.ts";
import { callQualified, importModule, qualified } from "./modules.ts";
import * as operators from "./operators.ts";
import { push } from "./push.ts";
import type { Run } from "./run.ts";
import { within, same } from "./switch-match.ts";
import { typeName } from "./type-name.ts";
import { Cell, Char, charOf, Float, FnPtr, RhaiArray, RhaiMap, type Value } from "./values.ts";
import { thrown, errorValue, rethrown, failing } from "./catching.ts";
import { evaluate } from "./evaluate.ts";
import { array, manyEntries, map, text, join } from "./literals.ts";
import {
  native1,
  native2,
  nativeN,
  mutate,
  fnProp,
  ownFn,
  method0,
  method1,
  method2,
  methodN,
  change0,
  change1,
  change2,
  changeBy0,
  changeBy1,
  changeN,
} from "./native-calls.ts";
import {
  addedProp,
  computedProp,
  len,
  index,
  mutableIndex,
  declared,
  mutableElement,
  setIndex,
  setProp,
  changeable,
  changeableCell,
  changeableThis,
  changeableVariable,
  fixed,
  hasSize,
  kept,
  rd,
  cp,
} from "./places.ts";
import {
  onCell,
  callFnN,
  callFn0,
  callFn1,
  callFn2,
  callFn3,
  callNamed,
  callValue,
  makePointer,
  curryValue,
  closure,
  share,
  isDefinedFunction,
  asString,
  pointerCell,
} from "./pointer-calls.ts";

/**
 * What generated code calls: it has this object as `H` and no other name of ours. The functions that hot code goes
 * through are small, so that the JIT inlines them.
 */

function bool(value: Value, pos: Pos): boolean {
  return typeof value === "boolean" ? value : operators.condition(value, pos);
}

/** A captured variable as a condition. Its official error shows the type that shares it. */
function boolCell(cell: Cell, pos: Pos): boolean {
  const value = rd(cell);
  if (typeof value === "boolean") return value;
  if (!cell.shared) return operators.condition(value, pos);
  throw mismatch("bool", "alloc::rc::Rc<core::cell::RefCell<rhai::types::dynamic::Dynamic>>", pos);
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

const none: readonly never[] = [];

const comparisons = { floatEquals, floatDiffers, floatLess, floatLessEqual, floatGreater, floatGreaterEqual };

/** Everything that generated code may name. */
export const helpers = {
  ...failing,
  RhaiArray,
  RhaiMap,
  Entries,
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
  addedProp,
  array,
  asString,
  assignChain,
  assignLocal,
  bool,
  boolCell,
  callFn0,
  callFn1,
  callFn2,
  callFn3,
  callFnN,
  callNamed,
  callQualified,
  callValue,
  chain: runChain,
  change0,
  change1,
  change2,
  changeBy0,
  changeBy1,
  changeN,
  changeable,
  changeableCell,
  changeableThis,
  changeableVariable,
  charOf,
  closure,
  computedProp,
  cp,
  curry: curryValue,
  declared,
  dispatch: dispatchMethod,
  errorValue,
  evaluate,
  ...comparisons,
  floatPower,
  toDouble: Number,
  fixed,
  fnProp,
  hasSize,
  importModule,
  index,
  indexStep,
  isDefinedFunction,
  iterate,
  join,
  kept,
  len,
  makePointer,
  manyEntries,
  map,
  meter,
  method0,
  method1,
  method2,
  methodN,
  methodStep,
  mutableElement,
  mutableIndex,
  mutate,
  native1,
  native2,
  nativeN,
  nextItem,
  none,
  not,
  onCell,
  operatorPlan,
  ownFn,
  pointerCell,
  propertyStep,
  push,
  qualified,
  rangeEnd,
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
