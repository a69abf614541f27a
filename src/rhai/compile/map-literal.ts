import { RhaiError } from "../runtime/errors.ts";
import { Float, RhaiArray, RhaiMap, charOf, type Value } from "../runtime/values.ts";
import { typeName } from "../runtime/type-name.ts";
import type { Expr } from "../syntax/ast.ts";
import { parseJson } from "../syntax/parser.ts";
import { isFunctionName } from "../syntax/function-name.ts";
import { NONE } from "../syntax/position.ts";
import type { EngineLimits } from "../runtime/native.ts";

/**
 * The object that a JSON text holds, as `parse_json` reads it: with the parser of the language. What is no literal
 * is left to `evaluate`.
 */
export function parseMapLiteral(text: string, limits: EngineLimits, evaluate: (expr: Expr) => Value): Value {
  const parsed = parseJson(text, limits);
  if (!parsed.ok) {
    const [first] = parsed.diagnostics;
    throw new RhaiError("ErrorParsing", `Syntax error: ${first.message}`, first.pos);
  }
  const value = isLiteral(parsed.expr) ? literalValue(parsed.expr) : evaluate(parsed.expr);
  if (value instanceof RhaiMap) return value;
  const actual = typeName(value);
  const message = `Output type incorrect: ${actual} (expecting map)`;
  throw new RhaiError("ErrorMismatchOutputType", message, NONE, { requested: "map", actual });
}

/** Whether an expression consists of literals only. */
export function isLiteral(expr: Expr): boolean {
  switch (expr.kind) {
    case "Unit":
    case "Bool":
    case "Int":
    case "Float":
    case "Char":
    case "Str":
      return true;
    case "Array":
      return expr.items.every(isLiteral);
    case "Map":
      return expr.entries.every((entry) => isLiteral(entry.value));
    default:
      return false;
  }
}

/** Whether the official parser makes a constant of an expression, as far as its debug form shows. */
export function isConstant(expr: Expr): boolean {
  if (expr.kind === "Array") return expr.items.every(isConstant);
  if (expr.kind === "Map") return expr.entries.every((entry) => isConstant(entry.value));
  if (expr.kind === "Closure") return expr.captures.length === 0;
  if (expr.kind === "Unary") return isLiteral(expr.operand);
  if (expr.kind === "Binary") return isLiteral(expr.left) && isLiteral(expr.right);
  return isPointer(expr) || isLiteral(expr);
}

/** `Fn("name")`, also with curried constants. */
export function isPointer(expr: Expr): boolean {
  if (expr.kind !== "Call" || expr.path.length > 0) return false;
  const [first, ...rest] = expr.args;
  if (expr.name === "Fn") return first?.kind === "Str" && rest.length === 0 && isFunctionName(first.value);
  return expr.name === "curry" && first !== undefined && isPointer(first) && rest.every(isConstant);
}

function literalValue(expr: Expr): Value {
  switch (expr.kind) {
    case "Bool":
    case "Int":
    case "Str":
      return expr.value;
    case "Float":
      return new Float(expr.value);
    case "Char":
      return charOf(expr.value);
    case "Array":
      return new RhaiArray(expr.items.map(literalValue));
    case "Map":
      return RhaiMap.of(new Map(expr.entries.map((entry) => [entry.key, literalValue(entry.value)])));
    default:
      return undefined;
  }
}
