import type { BinaryOp } from "../syntax/ast.ts";
import type { Operand } from "./function-writer.ts";
import { binaryType, isInt } from "./types.ts";

/** Integer arithmetic: what is known of the operands decides which checks are left. */

const MAX = "9007199254740991";

/** Of an integer with fewer bits, JavaScript's 32-bit operators are exact. */
const INT32_BITS = 31;

/** Whether an operand, looked at by its type, may be a JavaScript number. */
const mayBeNumber = (value: Operand): boolean => value.type === "any" || isInt(value);

/** The test for two JavaScript numbers; empty when that is known, null when it cannot be. */
export function numbers(a: Operand, b: Operand): string | null {
  if (!mayBeNumber(a) || !mayBeNumber(b)) return null;
  const left = isNumber(a);
  const right = isNumber(b);
  if (left === "" || left === right) return right;
  return right === "" ? left : `${left} && ${right}`;
}

/** The test for one; empty when that is known. */
const isNumber = ({ type, js }: Operand): string => (type === "number" ? "" : `typeof ${js} === "number"`);

/**
 * `a op b` where it cannot leave the safe integers nor fail, so that there is nothing to check; null otherwise. Each
 * operand is written once.
 */
export function unchecked(op: string, a: Operand, b: Operand): string | null {
  if (a.type !== "number" || b.type !== "number") return null;
  if (binaryType(op as BinaryOp, a, b).type !== "number") return null;
  const small = a.bits <= INT32_BITS && b.bits <= INT32_BITS;
  switch (op) {
    case "+":
    case "-":
      return `(${a.js} ${op} ${b.js})`;
    case "*":
      // Adding 0 turns -0 into 0.
      return `(${a.js} * ${b.js} + 0)`;
    case "/":
      if (!isNonZero(b)) return null;
      return small ? `(${a.js} / ${b.js} | 0)` : `(H.trunc(${a.js} / ${b.js}) + 0)`;
    case "%":
      return isNonZero(b) ? `(${a.js} % ${b.js} + 0)` : null;
    case "&":
    case "|":
    case "^":
      return small ? `(${a.js} ${op} ${b.js})` : null;
    default:
      return null;
  }
}

/** The number that a literal stands for. */
const literalOf = (value: Operand): number | null =>
  value.constant && value.type === "number" ? Number(value.js.replace(/[()]/g, "")) : null;

const isNonZero = (value: Operand): boolean => (literalOf(value) ?? 0) !== 0;

/** `a op b` of numbers behind the test `both`, with what it may need besides; `t` is a temporary for the result. */
export function checked(
  op: string,
  a: Operand,
  b: Operand,
  { both, slow, t }: { both: string; slow: string; t: string },
): string {
  const fast = both === "" ? "" : `${both} && `;
  switch (op) {
    case "+":
    case "-": {
      // Adding a small literal cannot leave the safe range on both sides.
      const value = literalOf(b);
      const up = value === null || (op === "+" ? value >= 0 : value <= 0);
      const down = value === null || (op === "+" ? value <= 0 : value >= 0);
      const checks = [
        up ? `(${t} = ${a.js} ${op} ${b.js}) <= ${MAX}` : "",
        down ? `${up ? t : `(${t} = ${a.js} ${op} ${b.js})`} >= -${MAX}` : "",
      ];
      return `${fast}${checks.filter((check) => check !== "").join(" && ")} ? ${t} : ${slow}`;
    }
    case "*":
      return `${fast}(${t} = ${a.js} * ${b.js} + 0) <= ${MAX} && ${t} >= -${MAX} ? ${t} : ${slow}`;
    case "/":
      return guarded([both, nonZero(b)], `H.trunc(${a.js} / ${b.js}) + 0`, slow);
    default:
      return guarded([both, nonZero(b)], `${a.js} % ${b.js} + 0`, slow);
  }
}

const nonZero = (value: Operand): string => (isNonZero(value) ? "" : `${value.js} !== 0`);

function guarded(tests: readonly string[], fast: string, slow: string): string {
  const test = tests.filter((one) => one !== "").join(" && ");
  return test === "" ? fast : `${test} ? ${fast} : ${slow}`;
}

/** `a & b`, `a | b` or `a ^ b`. The bits of a bigint must not be asked for together with those of a number. */
export function bitwise(op: string, a: Operand, b: Operand, both: string, slow: string): string {
  const fits = [a, b]
    .filter((value) => value.type !== "number" || value.bits > INT32_BITS)
    .map(({ js }) => `(${js} | 0) === ${js}`);
  return guarded([both, ...fits], `${a.js} ${op} ${b.js}`, slow);
}
