import type { BinaryOp } from "../syntax/ast.ts";

/**
 * What is statically known about a value. `number` is an integer that is a JavaScript number, `int` one that may be a
 * bigint; `other` is anything that is none of the named types.
 */
export type StaticType =
  "any" | "unit" | "bool" | "number" | "int" | "float" | "string" | "array" | "blob" | "other";

/** A type; for a `number` also how large it can get: its magnitude is below 2 ** bits. */
export interface Typed {
  readonly type: StaticType;
  readonly bits: number;
}

/** Every JavaScript number that stands for an integer is below 2 ** 53. */
export const SAFE_BITS = 53;

const plain = (type: StaticType): Typed => ({ type, bits: SAFE_BITS });

export const ANY = plain("any");
export const UNIT = plain("unit");
export const BOOL = plain("bool");
export const INT = plain("int");
export const FLOAT = plain("float");
export const STRING = plain("string");
export const ARRAY = plain("array");
export const BLOB = plain("blob");
export const OTHER = plain("other");

/** An integer of a magnitude below 2 ** bits. */
export const numberOf = (bits: number): Typed => (bits > SAFE_BITS ? INT : { type: "number", bits });

export const literalInt = (value: number | bigint): Typed =>
  typeof value === "bigint" ? INT : numberOf(bitsOf(value));

/** The least number of bits that a magnitude needs. */
export function bitsOf(value: number): number {
  let bits = 0;
  for (let rest = Math.abs(value); rest >= 1; rest /= 2) bits += 1;
  return bits;
}

export const isInt = ({ type }: Typed): boolean => type === "number" || type === "int";

export const isNumeric = (value: Typed): boolean => isInt(value) || value.type === "float";

/** Whether a place of this type holds a value that cannot change, so that it need not be copied. */
export const isImmutable = ({ type }: Typed): boolean =>
  type !== "any" && type !== "other" && type !== "array" && type !== "blob";

export const isContainer = ({ type }: Typed): boolean => type === "array" || type === "blob";

/** What is known about a value that is one of the two. */
export function join(a: Typed, b: Typed): Typed {
  if (isInt(a) && isInt(b)) {
    return a.type === "int" || b.type === "int" ? INT : numberOf(Math.max(a.bits, b.bits));
  }
  return a.type === b.type ? a : ANY;
}

const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

/** The operators that JavaScript has for floats too, with the same results. */
export const isArithmetic = (op: string): boolean => ARITHMETIC.has(op);

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);

/** The type of `a op b`. */
export function binaryType(op: BinaryOp, a: Typed, b: Typed): Typed {
  if (COMPARISONS.has(op)) return BOOL;
  if (isInt(a) && isInt(b)) return integerType(op, a, b);
  if (isNumeric(a) && isNumeric(b)) return isArithmetic(op) || op === "**" ? FLOAT : ANY;
  return op === "+" && a.type === "string" && b.type === "string" ? STRING : ANY;
}

function integerType(op: BinaryOp, a: Typed, b: Typed): Typed {
  const x = a.type === "number" ? a.bits : Number.POSITIVE_INFINITY;
  const y = b.type === "number" ? b.bits : Number.POSITIVE_INFINITY;
  switch (op) {
    case "+":
    case "-":
      return numberOf(Math.max(x, y) + 1);
    case "*":
      return numberOf(x + y);
    case "/":
      return numberOf(x);
    case "%":
      return numberOf(Math.min(x, y));
    case "&":
    case "|":
    case "^":
      // The lowest number of n bits, -2 ** n, is beyond what n bits allow for a magnitude.
      return numberOf(Math.max(x, y) + 1);
    case "**":
    case "<<":
    case ">>":
      return INT;
    default:
      return ANY;
  }
}

/** The type of `-a`, `+a` or `!a`. */
export function unaryType(op: "-" | "+" | "!", a: Typed): Typed {
  if (op === "!") return a.type === "bool" ? BOOL : ANY;
  return isNumeric(a) ? a : ANY;
}
