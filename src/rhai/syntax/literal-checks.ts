import type { Expr, SwitchPattern } from "./ast.ts";
import { startPosition } from "./expr-position.ts";
import { isFunctionName } from "./function-name.ts";
import { fail, malformedIndex, mismatchedType } from "./problems.ts";

/** Is its value known without running anything? */
export const isConstant = (expr: Expr): boolean => {
  switch (expr.kind) {
    case "Unit":
    case "Bool":
    case "Int":
    case "Float":
    case "Char":
    case "Str":
      return true;
    case "Closure":
      return expr.captures.length === 0;
    case "Array":
      return expr.items.every(isConstant);
    case "Map":
      return expr.entries.every((entry) => isConstant(entry.value));
    default:
      return false;
  }
};

const notBoolean = (expr: Expr): string | null => {
  switch (expr.kind) {
    case "Unit":
      return "()";
    case "Int":
      return "a number";
    case "Float":
      return "a floating-point number";
    case "Char":
      return "a character";
    case "Str":
    case "Interpolated":
      return "a string";
    case "Array":
      return "an array";
    case "Map":
      return "an object map";
    case "Closure":
      return expr.captures.length === 0 ? "Fn" : null;
    default:
      return null;
  }
};

/** Refuses a literal that cannot be a condition. */
export const requireBoolean = (expr: Expr): Expr => {
  const found = notBoolean(expr);
  return found === null ? expr : fail(mismatchedType("a boolean expression", found), startPosition(expr));
};

const notIterable = (expr: Expr): string | null => {
  switch (expr.kind) {
    case "Unit":
      return "()";
    case "Bool":
      return "a boolean";
    case "Int":
      return "a number";
    case "Float":
      return "a floating-point number";
    case "Char":
      return "a character";
    case "Map":
      return "an object map";
    default:
      return null;
  }
};

/** Refuses a literal that a `for` loop cannot walk. */
export const requireIterable = (expr: Expr): Expr => {
  const found = notIterable(expr);
  return found === null ? expr : fail(mismatchedType("an iterable value", found), startPosition(expr));
};

const indexKind = (index: Expr): "number" | "string" | "float" | "character" | "()" | "boolean" | null => {
  switch (index.kind) {
    case "Int":
      return "number";
    case "Str":
    case "Interpolated":
      return "string";
    case "Float":
      return "float";
    case "Char":
      return "character";
    case "Unit":
      return "()";
    case "Bool":
      return "boolean";
    case "Logical":
      return index.op === "??" ? null : "boolean";
    default:
      return null;
  }
};

/** Refuses a literal index of the wrong type on a literal. */
export const checkIndex = (target: Expr, index: Expr): void => {
  const kind = indexKind(index);
  if (kind === null) return;
  const found = kind === "()" ? kind : `a ${kind}`;
  switch (target.kind) {
    case "Map":
      if (kind === "string") return;
      fail(malformedIndex(`Object map expects string index, not ${found}`), startPosition(index));
      break;
    case "Int":
    case "Array":
    case "Str":
    case "Interpolated":
      if (kind === "number") return;
      fail(
        malformedIndex(
          `Array, string or bit-field expects ${kind === "string" ? "numeric" : "integer"} index, not ${found}`,
        ),
        startPosition(index),
      );
  }
};

const MAX_INT = 2n ** 63n - 1n;

/** What an expression stands for as a pattern of `switch`; null if it is not a literal. */
export const switchPattern = (expr: Expr): SwitchPattern | null => {
  const pos = startPosition(expr);
  if (isConstant(expr)) return { kind: "Value", value: expr, pos };
  if (expr.kind === "Binary" && (expr.op === ".." || expr.op === "..=")) {
    const { left, right } = expr;
    const inclusive = expr.op === "..=";
    if (left.kind === "Int" && right.kind === "Int") {
      return { kind: "Range", from: left.value, to: right.value, inclusive, pos };
    }
    if (left.kind === "Int" && right.kind === "Unit") {
      return { kind: "Range", from: left.value, to: MAX_INT, inclusive, pos };
    }
    if (left.kind === "Unit" && right.kind === "Int") {
      return { kind: "Range", from: 0, to: right.value, inclusive, pos };
    }
    return null;
  }
  return isFunctionLiteral(expr) ? { kind: "Value", value: expr, pos } : null;
};

/** `Fn("name")`, which the official parser counts as a literal. */
const isFunctionLiteral = (expr: Expr): boolean => {
  if (expr.kind !== "Call" || expr.name !== "Fn" || expr.path.length > 0 || expr.args.length !== 1)
    return false;
  const argument = expr.args[0];
  return argument?.kind === "Str" && isFunctionName(argument.value);
};

export const isEmptyRange = (pattern: SwitchPattern): boolean =>
  pattern.kind === "Range" && (pattern.inclusive ? pattern.from > pattern.to : pattern.from >= pattern.to);
