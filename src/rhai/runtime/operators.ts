import { NONE, type Pos } from "../syntax/position.ts";
import { callNatives, invoke, invokeMethod, isContainer } from "./calls.ts";
import {
  equals,
  floatLess,
  floatLessEqual,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEquals,
} from "./equality.ts";
import { fillPosition, functionNotFound, mismatch } from "./faults.ts";
import { INT_MAX, type Int } from "./int.ts";
import { floatPower } from "./float-power.ts";
import * as int from "./int.ts";
import type { Run } from "./run.ts";
import { retagged, Tagged } from "./tagged.ts";
import { rustTypeName, typeName } from "./type-name.ts";
import { Cell, Char, Float, HostValue, Range, RhaiArray, RhaiBlob, type Value } from "./values.ts";

/**
 * The slow halves of the operators: generated code has handled two safe integers before it calls these. Built-in
 * operators on numbers raise errors without a position, as the official ones do.
 */

const isInt = (value: Value): value is Int => typeof value === "number" || typeof value === "bigint";

const toFloat = (value: Int | Float): number => (value instanceof Float ? value.value : Number(value));

const isNumber = (value: Value): value is Int | Float => isInt(value) || value instanceof Float;

/*
 * The first lines of each are all that floats need, and short enough for the JIT to put in place of the call. What
 * follows them for other types is one call of something long: what the JIT would put in place too, because another
 * script used it much, leaves no room for the next operator of a formula.
 */

export function add(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value + b.value);
  return addOther(run, a, b, pos);
}

function addOther(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (typeof a === "string") {
    if (typeof b === "string") return concat(run, a, b);
    if (isInt(b)) return concat(run, a, String(b));
    if (b instanceof Char) return concat(run, a, b.text);
  }
  if (isInt(a) && isInt(b)) return int.add(a, b);
  if (isNumber(a) && isNumber(b)) return new Float(toFloat(a) + toFloat(b));
  return native(run, "+", a, b, pos);
}

export function sub(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value - b.value);
  return subOther(run, a, b, pos);
}

function subOther(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (isInt(a) && isInt(b)) return int.sub(a, b);
  if (isNumber(a) && isNumber(b)) return new Float(toFloat(a) - toFloat(b));
  return native(run, "-", a, b, pos);
}

export function mul(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value * b.value);
  return mulOther(run, a, b, pos);
}

function mulOther(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (isInt(a) && isInt(b)) return int.mul(a, b);
  if (isNumber(a) && isNumber(b)) return new Float(toFloat(a) * toFloat(b));
  return native(run, "*", a, b, pos);
}

export function div(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value / b.value);
  return divOther(run, a, b, pos);
}

function divOther(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (isInt(a) && isInt(b)) return int.div(a, b);
  if (isNumber(a) && isNumber(b)) return new Float(toFloat(a) / toFloat(b));
  return native(run, "/", a, b, pos);
}

export function rem(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value % b.value);
  return remOther(run, a, b, pos);
}

function remOther(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (isInt(a) && isInt(b)) return int.rem(a, b);
  if (isNumber(a) && isNumber(b)) return new Float(toFloat(a) % toFloat(b));
  return native(run, "%", a, b, pos);
}

export function and(run: Run, a: Value, b: Value, pos: Pos): Value {
  return isInt(a) && isInt(b) ? int.and(a, b) : binary(run, "&", a, b, pos);
}

export function or(run: Run, a: Value, b: Value, pos: Pos): Value {
  return isInt(a) && isInt(b) ? int.or(a, b) : binary(run, "|", a, b, pos);
}

export function xor(run: Run, a: Value, b: Value, pos: Pos): Value {
  return isInt(a) && isInt(b) ? int.xor(a, b) : binary(run, "^", a, b, pos);
}

export function shl(run: Run, a: Value, b: Value, pos: Pos): Value {
  return isInt(a) && isInt(b) ? int.shl(a, b) : binary(run, "<<", a, b, pos);
}

export function shr(run: Run, a: Value, b: Value, pos: Pos): Value {
  return isInt(a) && isInt(b) ? int.shr(a, b) : binary(run, ">>", a, b, pos);
}

/** Every other binary operator, and those above by name. */
export function binary(run: Run, op: string, a: Value, b: Value, pos: Pos): Value {
  switch (op) {
    case "+":
      return add(run, a, b, pos);
    case "-":
      return sub(run, a, b, pos);
    case "*":
      return mul(run, a, b, pos);
    case "/":
      return div(run, a, b, pos);
    case "%":
      return rem(run, a, b, pos);
    case "==":
      return eq(run, a, b, pos);
    case "!=":
      return ne(run, a, b, pos);
    case "<":
      return lt(run, a, b, pos);
    case "<=":
      return le(run, a, b, pos);
    case ">":
      return gt(run, a, b, pos);
    case ">=":
      return ge(run, a, b, pos);
    case "in":
      return contains(run, b, a, pos);
    case "!in":
      return contains(run, b, a, pos) !== true;
    case "..":
      return range(run, a, b, pos, false);
    case "..=":
      return range(run, a, b, pos, true);
  }
  if (isInt(a) && isInt(b)) {
    switch (op) {
      case "**":
        return int.pow(a, b);
      case "<<":
        return int.shl(a, b);
      case ">>":
        return int.shr(a, b);
      case "&":
        return int.and(a, b);
      case "|":
        return int.or(a, b);
      case "^":
        return int.xor(a, b);
    }
  }
  if (typeof a === "boolean" && typeof b === "boolean") {
    switch (op) {
      case "&":
        return a && b;
      case "|":
        return a || b;
      case "^":
        return a !== b;
    }
  }
  if (op === "**" && isNumber(a) && isNumber(b)) return new Float(floatPower(toFloat(a), toFloat(b)));
  return native(run, op, a, b, pos);
}

export const concat = (run: Run, a: string, b: string): string => run.concat(a, b, NONE);

function native(run: Run, op: string, a: Value, b: Value, pos: Pos): Value {
  return callNatives(run, run.program.natives.group(op, 2), op, [a, b], pos) as Value;
}

type Comparer = (a: Value, b: Value, meter: Run) => boolean;

/** Native types may bring comparisons of their own; they count before the defaults. */
function compare(run: Run, op: string, comparer: Comparer, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof HostValue || b instanceof HostValue) {
    const overload = run.program.natives.group(op, 2)?.find2(a, b) ?? null;
    if (overload !== null) return invoke(run, overload, [a, b], pos) as Value;
  }
  if (a instanceof RhaiBlob && b instanceof Char) throw functionNotFound(op, [a, b], pos);
  if (typeof a === "string") run.lookedAt(a, pos);
  try {
    return comparer(a, b, run);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

export function eq(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (typeof a === "string" && typeof b === "string") {
    if (a.length !== b.length) return false;
    run.lookedAt(a, pos);
    return a === b;
  }
  return compare(run, "==", equals, a, b, pos);
}

export function ne(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (typeof a === "string" && typeof b === "string") {
    if (a.length !== b.length) return true;
    run.lookedAt(a, pos);
    return a !== b;
  }
  return compare(run, "!=", notEquals, a, b, pos);
}

export function lt(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return floatLess(a.value, b.value);
  return compare(run, "<", less, a, b, pos);
}

export function le(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return floatLessEqual(a.value, b.value);
  return compare(run, "<=", lessEqual, a, b, pos);
}

export function gt(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return floatLess(b.value, a.value);
  return compare(run, ">", greater, a, b, pos);
}

export function ge(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return floatLessEqual(b.value, a.value);
  return compare(run, ">=", greaterEqual, a, b, pos);
}

/** `item in container` is a call of `contains(container, item)`. */
export function contains(run: Run, container: Value, item: Value, pos: Pos): Value {
  return callNatives(
    run,
    run.program.natives.group("contains", 2),
    "contains",
    [container, item],
    pos,
  ) as Value;
}

function range(run: Run, a: Value, b: Value, pos: Pos, inclusive: boolean): Value {
  if (isInt(a) && isInt(b)) return new Range(a, b, inclusive);
  if (isInt(a) && b === undefined) return new Range(a, INT_MAX, inclusive);
  if (a === undefined && isInt(b)) return new Range(0, b, inclusive);
  return native(run, inclusive ? "..=" : "..", a, b, pos);
}

export function unary(run: Run, op: string, value: Value, pos: Pos): Value {
  if (op === "!") {
    if (typeof value === "boolean") return !value;
  } else if (isInt(value)) {
    if (op === "+") return value;
    try {
      return int.neg(value);
    } catch (error) {
      throw fillPosition(error, pos);
    }
  } else if (value instanceof Float) return op === "+" ? value : new Float(-value.value);
  return callNatives(run, run.program.natives.group(op, 1), op, [value], pos) as Value;
}

/**
 * `value op= operand`: answers the new value of the place. `value` is the object of the place itself, or a copy,
 * and may be changed in place. Errors carry the position of the operator, unlike those of `value op operand`.
 */
export function assignOperator(run: Run, op: string, value: Value, operand: Value, pos: Pos): Value {
  if (typeof value === "string" && op === "+=") {
    if (typeof operand === "string") return run.concat(value, operand, pos);
    if (operand instanceof Char) return run.concat(value, operand.text, pos);
  }
  try {
    const plain = op.slice(0, -1);
    if (isNumber(value) && isNumber(operand)) return binary(run, plain, value, operand, pos);
    if (typeof value === "boolean" && typeof operand === "boolean")
      return binary(run, plain, value, operand, pos);
    if (value instanceof Tagged) {
      const result = assignOperator(run, op, value.value, operand, pos);
      return typeName(result) === value.typeName ? retagged(value, result) : result;
    }
    if (value instanceof RhaiArray && operand instanceof RhaiArray && op === "+=")
      run.allocate(operand.items.length * 8);
    const overload = run.program.natives.group(op, 2)?.find2(value, operand) ?? null;
    if (overload !== null) {
      if (isContainer(value)) {
        invokeMethod(run, overload, new Cell(value), [operand], pos);
        return value;
      }
      const cell = new Cell(value);
      invokeMethod(run, overload, cell, [operand], pos);
      return cell.value;
    }
    return binary(run, plain, value, operand, pos);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

function integers(operation: (a: int.Int, b: int.Int) => int.Int, a: int.Int, b: int.Int, pos: Pos): int.Int {
  try {
    return operation(a, b);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

/** `+=` and its like on two numbers of a kind; everything else takes the long way. */
export function addTo(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value + b.value);
  if (isInt(a) && isInt(b)) return integers(int.add, a, b, pos);
  return assignOperator(run, "+=", a, b, pos);
}

export function subFrom(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value - b.value);
  if (isInt(a) && isInt(b)) return integers(int.sub, a, b, pos);
  return assignOperator(run, "-=", a, b, pos);
}

export function mulBy(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value * b.value);
  if (isInt(a) && isInt(b)) return integers(int.mul, a, b, pos);
  return assignOperator(run, "*=", a, b, pos);
}

export function divBy(run: Run, a: Value, b: Value, pos: Pos): Value {
  if (a instanceof Float && b instanceof Float) return new Float(a.value / b.value);
  if (isInt(a) && isInt(b)) return integers(int.div, a, b, pos);
  return assignOperator(run, "/=", a, b, pos);
}

/** A condition that is no bool. */
export function condition(value: Value, pos: Pos): boolean {
  if (typeof value === "boolean") return value;
  if (value instanceof Tagged) return condition(value.value, pos);
  throw mismatch("bool", rustTypeName(value), pos);
}
