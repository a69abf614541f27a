import type { AssignOp, BinaryOp } from "../syntax/ast.ts";
import { type Operand, operand } from "./function-writer.ts";
import { FLOAT, isInt, isNumeric } from "./types.ts";

/**
 * Floats whose type is known are computed as bare JavaScript numbers; the object that tells a float from an integer is
 * made only where one leaves the formula.
 */

/** The object for a bare number. */
export const boxed = (bare: string): string => `new H.Float(${bare})`;

/** A float from the expression of its bare number. */
export const float = (bare: string, facts: Partial<Operand> = {}): Operand =>
  operand(boxed(bare), { ...facts, ...FLOAT, bare });

/** The bare number of a value that is known to be a float. */
export const bareOf = (value: Operand): string => value.bare ?? `${grouped(value)}.value`;

const grouped = ({ js, simple }: Operand): string => (simple ? js : `(${js})`);

/** A number of any kind as an operand of float arithmetic. */
function asDouble(value: Operand): string {
  if (value.type === "number") return value.js;
  return isInt(value) ? `H.toDouble(${value.js})` : bareOf(value);
}

const COMPARISONS: ReadonlyMap<string, string> = new Map([
  ["==", "H.floatEquals"],
  ["!=", "H.floatDiffers"],
  ["<", "H.floatLess"],
  ["<=", "H.floatLessEqual"],
  [">", "H.floatGreater"],
  [">=", "H.floatGreaterEqual"],
]);

const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

type Facts = Pick<Operand, "effects" | "writes">;

/** `a op b` of two numbers of which one is a float; null for anything else. */
export function floatComparison(op: BinaryOp, a: Operand, b: Operand): string | null {
  const compare = areFloats(a, b) ? COMPARISONS.get(op) : undefined;
  return compare === undefined ? null : `${compare}(${asDouble(a)}, ${asDouble(b)})`;
}

/** `a op b` of two numbers of which one is a float, likewise. `op` may be that of an assignment. */
export function floatArithmetic(
  op: BinaryOp | AssignOp,
  a: Operand,
  b: Operand,
  facts: Facts,
): Operand | null {
  if (!areFloats(a, b)) return null;
  const plain = op.replace(/=$/, "");
  if (plain === "**") return float(`H.floatPower(${asDouble(a)}, ${asDouble(b)})`, facts);
  return ARITHMETIC.has(plain) ? float(`(${asDouble(a)} ${plain} ${asDouble(b)})`, facts) : null;
}

const areFloats = (a: Operand, b: Operand): boolean =>
  isNumeric(a) && isNumeric(b) && !(isInt(a) && isInt(b));
