import type { AssignOp, BinaryOp, Expr } from "../syntax/ast.ts";
import type { Pos } from "../syntax/position.ts";
import { argumentValues } from "./call.ts";
import { combined, compileExpr, operands, owned } from "./expression.ts";
import { bareOf, float, floatArithmetic, floatComparison } from "./float.ts";
import { type FunctionWriter, type Operand, operand } from "./function-writer.ts";
import { bitwise, checked, numbers, unchecked } from "./integer.ts";
import { likelyBinary } from "./likely.ts";
import { stringLiteral } from "./literal.ts";
import { ANY, binaryType, BOOL, isInt, unaryType } from "./types.ts";

/**
 * Operators: two JavaScript numbers are handled where they stand, everything else by a helper. The code is written
 * out at each place, so that the JIT's profile of one operator does not suffer from the types that others meet.
 */

const COMPARISONS: ReadonlyMap<string, readonly [js: string, slow: string]> = new Map([
  ["==", ["===", "H.eq"]],
  ["!=", ["!==", "H.ne"]],
  ["<", ["<", "H.lt"]],
  ["<=", ["<=", "H.le"]],
  [">", [">", "H.gt"]],
  [">=", [">=", "H.ge"]],
]);

const BITS: ReadonlyMap<string, string> = new Map([
  ["&", "H.and"],
  ["|", "H.or"],
  ["^", "H.xor"],
  ["<<", "H.shl"],
  [">>", "H.shr"],
]);

const UPDATES: ReadonlyMap<string, string> = new Map([
  ["+=", "H.addTo"],
  ["-=", "H.subFrom"],
  ["*=", "H.mulBy"],
  ["/=", "H.divBy"],
]);

/** What is written out for two numbers. */
const INLINED: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%", "&", "|", "^"]);

const SLOW: Readonly<Record<string, string>> = {
  "+": "H.add",
  "-": "H.sub",
  "*": "H.mul",
  "/": "H.div",
  "%": "H.rem",
};

export function compileBinary(f: FunctionWriter, expr: Extract<Expr, { kind: "Binary" }>): Operand {
  f.count(expr.pos);
  if (expr.op === "in" || expr.op === "!in") return compileContains(f, expr);
  const [left, right] = operands(f, [expr.left, expr.right]) as [Operand, Operand];
  return binary(f, expr.op, left, right, expr.pos);
}

/** `item in container` is a call of `contains(container, item)`, also in the order of evaluation. */
function compileContains(f: FunctionWriter, expr: Extract<Expr, { kind: "Binary" }>): Operand {
  // `in` is an ordinary call, which reads a plain variable in front last; `!in` takes its operands as they come.
  const evaluate = expr.op === "in" ? argumentValues : operands;
  const [container, item] = evaluate(f, [expr.right, expr.left]) as [Operand, Operand];
  const facts = combined([container, item]);
  const own = f.script.find("contains", 2);
  let js: string;
  if (own === null) js = `H.contains(R, ${container.js}, ${item.js}, ${expr.pos})`;
  else {
    const call = `${own.js}(R, ${expr.pos}, null, ${owned(container)}, ${owned(item)})`;
    js = own.suspends ? `(await ${call})` : call;
  }
  if (expr.op === "!in") return operand(`H.not(R, ${js}, ${expr.pos})`, { ...facts, effects: true });
  return operand(js, {
    ...facts,
    effects: own !== null || facts.effects,
    ...(own === null ? BOOL : ANY),
  });
}

export function binary(f: FunctionWriter, op: BinaryOp, left: Operand, right: Operand, pos: Pos): Operand {
  const facts = combined([left, right]);
  const likely = likelyBinary(f, op, left, right, pos);
  if (likely !== null) return operand(likely, { ...facts, ...binaryType(op, left, right) });
  const type = { ...facts, ...binaryType(op, left, right) };
  if (COMPARISONS.has(op)) return operand(comparison(f, op, left, right, pos), type);
  const known = floatArithmetic(op, left, right, facts);
  if (known !== null) return known;
  const exact = unchecked(op, left, right);
  if (exact !== null) return operand(exact, type);
  if (!INLINED.has(op) || numbers(left, right) === null)
    return operand(generalBinary(op, left, right, pos), type);
  const [a, b, prefix] = repeatable(f, left, right);
  const both = numbers(a, b) ?? "";
  const slow = generalBinary(op, a, b, pos);
  const js = BITS.has(op) ? bitwise(op, a, b, both, slow) : checked(op, a, b, { both, slow, t: f.temp() });
  return operand(`(${prefix}${js})`, type);
}

/** `a op b` of anything. */
export function generalBinary(op: BinaryOp, a: Operand, b: Operand, pos: Pos): string {
  const helper = SLOW[op] ?? BITS.get(op) ?? COMPARISONS.get(op)?.[1];
  return helper === undefined
    ? `H.binary(R, "${op}", ${a.js}, ${b.js}, ${pos})`
    : `${helper}(R, ${a.js}, ${b.js}, ${pos})`;
}

/** `a op= b` of anything. */
export function generalUpdate(op: AssignOp, a: Operand, b: Operand, pos: Pos): string {
  const helper = UPDATES.get(op);
  return helper === undefined
    ? `H.update(R, ${stringLiteral(op)}, ${a.js}, ${owned(b)}, ${pos})`
    : `${helper}(R, ${a.js}, ${owned(b)}, ${pos})`;
}

function comparison(f: FunctionWriter, op: BinaryOp, left: Operand, right: Operand, pos: Pos): string {
  const floats = floatComparison(op, left, right);
  if (floats !== null) return floats;
  const [js] = COMPARISONS.get(op) ?? [""];
  // A number and a bigint are never equal, and JavaScript orders them exactly.
  if (isInt(left) && isInt(right)) return `(${left.js} ${js} ${right.js})`;
  if (numbers(left, right) === null) return generalBinary(op, left, right, pos);
  const [a, b, prefix] = repeatable(f, left, right);
  return `(${prefix}${numbers(a, b)} ? ${a.js} ${js} ${b.js} : ${generalBinary(op, a, b, pos)})`;
}

/** `x op= value` for a target that was read into `left`; the answer is what to store. */
export function compileUpdate(
  f: FunctionWriter,
  op: AssignOp,
  left: Operand,
  right: Operand,
  pos: Pos,
): Operand {
  const plain = op.slice(0, -1) as BinaryOp;
  const facts = combined([left, right]);
  const known = floatArithmetic(plain, left, right, facts);
  if (known !== null) return known;
  const type = isInt(left) && isInt(right) ? binaryType(plain, left, right) : ANY;
  const exact = unchecked(plain, left, right);
  if (exact !== null) return operand(exact, { ...facts, ...type });
  if (SLOW[plain] === undefined || numbers(left, right) === null)
    return operand(generalUpdate(op, left, right, pos), { ...facts, ...type });
  const [a, b, prefix] = repeatable(f, left, right);
  const js = checked(plain, a, b, {
    both: numbers(a, b) ?? "",
    slow: generalUpdate(op, a, b, pos),
    t: f.temp(),
  });
  return operand(`(${prefix}${js})`, { ...facts, ...type });
}

/** Both operands in a form that can be written several times, and what must be evaluated first. */
function repeatable(f: FunctionWriter, left: Operand, right: Operand): [Operand, Operand, string] {
  const parts: string[] = [];
  const hold = (value: Operand): Operand => {
    const name = f.temp();
    parts.push(`${name} = ${value.js}, `);
    return { ...value, js: name, bare: null, likely: null, simple: true };
  };
  const a = !left.simple || (!left.constant && right.writes) ? hold(left) : left;
  const b = right.simple ? right : hold(right);
  return [a, b, parts.join("")];
}

export function compileUnary(f: FunctionWriter, expr: Extract<Expr, { kind: "Unary" }>): Operand {
  const value = compileExpr(f, expr.operand);
  const type = unaryType(expr.op, value);
  const facts = { ...combined([value]), ...type };
  if (expr.op === "!")
    return operand(value.type === "bool" ? `!${value.js}` : `H.not(R, ${value.js}, ${expr.pos})`, facts);
  if (expr.op === "-" && value.type === "float") return float(`(-${bareOf(value)})`, facts);
  if (expr.op === "-" && value.type === "number") return operand(`(0 - ${value.js})`, facts);
  return operand(`H.unary(R, "${expr.op}", ${value.js}, ${expr.pos})`, facts);
}
