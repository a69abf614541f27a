import type { AssignOp, BinaryOp } from "../syntax/ast.ts";
import type { NativeGroup } from "../runtime/natives.ts";
import { combined } from "./expression.ts";
import { type FunctionWriter, type Operand, operand } from "./function-writer.ts";
import { nativeType } from "./native-types.ts";
import { FLOAT, isArithmetic, isInt, isNumeric } from "./types.ts";

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

/** Writes the comparison of two bare numbers; null for an operator that is none. */
export function compareBare(op: BinaryOp): ((x: string, y: string) => string) | null {
  const compare = COMPARISONS.get(op);
  return compare === undefined ? null : (x, y) => `${compare}(${x}, ${y})`;
}

/**
 * A call of a native that has a form for bare numbers, where the types of its arguments choose it; null for any other.
 */
export function bareCall(f: FunctionWriter, group: NativeGroup, args: readonly Operand[]): Operand | null {
  if (args.length === 0 || !args.every(isNumeric)) return null;
  const at = group.overloads.findIndex(({ fn }) =>
    args.every((arg, i) => fn.params[i] === (isInt(arg) ? "i64" : "f64")),
  );
  const fn = group.overloads[at]?.fn;
  if (fn?.bare === undefined) return null;
  const name = f.script.constant(`${f.script.overload(group.name, args.length, at)}.fn.bare`);
  const js = `${name}(${args.map(asDouble).join(", ")})`;
  const facts = combined(args);
  return fn.returns === "f64" ? float(js, facts) : operand(js, { ...facts, ...nativeType(group, args) });
}

type Facts = Pick<Operand, "effects" | "writes">;

/** `a op b` of two numbers of which one is a float; null for anything else. */
export function floatComparison(op: BinaryOp, a: Operand, b: Operand): string | null {
  return areFloats(a, b) ? (compareBare(op)?.(asDouble(a), asDouble(b)) ?? null) : null;
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
  return isArithmetic(plain) ? float(`(${asDouble(a)} ${plain} ${asDouble(b)})`, facts) : null;
}

const areFloats = (a: Operand, b: Operand): boolean =>
  isNumeric(a) && isNumeric(b) && !(isInt(a) && isInt(b));
