import type { AssignOp, BinaryOp, Expr } from "../syntax/ast.ts";
import type { Pos } from "../syntax/position.ts";
import { argumentValues } from "./call.ts";
import { combined, compileExpr, operands, owned } from "./expression.ts";
import { type FunctionWriter, type Operand, operand, type StaticType } from "./function-writer.ts";
import { stringLiteral } from "./literal.ts";

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

const SLOW: Readonly<Record<string, string>> = {
  "+": "H.add",
  "-": "H.sub",
  "*": "H.mul",
  "/": "H.div",
  "%": "H.rem",
};

const MAX = "9007199254740991";

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
  if (expr.op === "!in")
    return operand(`H.not(R, ${js}, ${expr.pos})`, { ...facts, effects: true, type: "any" });
  return operand(js, {
    ...facts,
    effects: own !== null || facts.effects,
    type: own === null ? "bool" : "any",
  });
}

function binary(f: FunctionWriter, op: BinaryOp, left: Operand, right: Operand, pos: Pos): Operand {
  const facts = { ...combined([left, right]) };
  const [a, b, prefix] = repeatable(f, left, right);
  const both = numbers(a, b);
  const comparison = COMPARISONS.get(op);
  if (comparison !== undefined) {
    const [js, slow] = comparison;
    if (both === null)
      return operand(`(${prefix}${slow}(R, ${a.js}, ${b.js}, ${pos}))`, { ...facts, type: "bool" });
    if (both === "") return operand(`(${prefix}${a.js} ${js} ${b.js})`, { ...facts, type: "bool" });
    return operand(`(${prefix}${both} ? ${a.js} ${js} ${b.js} : ${slow}(R, ${a.js}, ${b.js}, ${pos}))`, {
      ...facts,
      type: "bool",
    });
  }
  const slow = SLOW[op];
  if (slow !== undefined) {
    const call = `${slow}(R, ${a.js}, ${b.js}, ${pos})`;
    if (both === null) return operand(`(${prefix}${call})`, facts);
    return operand(`(${prefix}${arithmetic(f, op, a, b, both, call)})`, { ...facts, type: resultType(a, b) });
  }
  const bits = BITS.get(op);
  if (bits !== undefined) {
    const call = `${bits}(R, ${a.js}, ${b.js}, ${pos})`;
    if (both === null || op === "<<" || op === ">>")
      return operand(`(${prefix}${call})`, { ...facts, type: resultType(a, b) });
    const fits = [a, b].map(({ js }) => `(${js} | 0) === ${js}`).join(" && ");
    // The bits of a bigint must not be asked for together with those of a number.
    const small = both === "" ? fits : `${both} && ${fits}`;
    return operand(`(${prefix}${small} ? ${a.js} ${op} ${b.js} : ${call})`, {
      ...facts,
      type: resultType(a, b),
    });
  }
  return operand(`(${prefix}H.binary(R, "${op}", ${a.js}, ${b.js}, ${pos}))`, { ...facts, type: "any" });
}

/** `x op= value` for a target that was read into `left`; the answer is what to store. */
export function compileUpdate(
  f: FunctionWriter,
  op: AssignOp,
  left: Operand,
  right: Operand,
  pos: Pos,
): Operand {
  const plain = op.slice(0, -1);
  const [a, b, prefix] = repeatable(f, left, right);
  const short = UPDATES.get(op);
  const slow =
    short === undefined
      ? `H.update(R, ${stringLiteral(op)}, ${a.js}, ${owned(b)}, ${pos})`
      : `${short}(R, ${a.js}, ${owned(b)}, ${pos})`;
  const both = SLOW[plain] === undefined ? null : numbers(a, b);
  const facts = combined([left, right]);
  if (both === null) return operand(`(${prefix}${slow})`, facts);
  return operand(`(${prefix}${arithmetic(f, plain, a, b, both, slow)})`, {
    ...facts,
    type: resultType(a, b),
  });
}

const isInt = (type: StaticType): boolean => type === "number" || type === "int";

const resultType = (a: Operand, b: Operand): StaticType => (isInt(a.type) && isInt(b.type) ? "int" : "any");

function arithmetic(
  f: FunctionWriter,
  op: string,
  a: Operand,
  b: Operand,
  both: string,
  slow: string,
): string {
  const t = f.temp();
  const fast = both === "" ? "" : `${both} && `;
  switch (op) {
    case "+":
    case "-": {
      // Adding a small literal cannot leave the safe range on both sides.
      const value = b.constant && b.type === "number" ? Number(b.js.replace(/[()]/g, "")) : null;
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
      return `${fast}${b.js} !== 0 ? H.trunc(${a.js} / ${b.js}) + 0 : ${slow}`;
    default:
      return `${fast}${b.js} !== 0 ? ${a.js} % ${b.js} + 0 : ${slow}`;
  }
}

/** The test for two JavaScript numbers; empty when that is known, null when it cannot be. */
function numbers(a: Operand, b: Operand): string | null {
  if (!mayBeNumber(a.type) || !mayBeNumber(b.type)) return null;
  const tests = [a, b]
    .filter((value) => value.type !== "number")
    .map((value) => `typeof ${value.js} === "number"`);
  return tests.join(" && ");
}

const mayBeNumber = (type: StaticType): boolean => type === "any" || isInt(type);

/** Both operands in a form that can be written several times, and what must be evaluated first. */
function repeatable(f: FunctionWriter, left: Operand, right: Operand): [Operand, Operand, string] {
  const parts: string[] = [];
  let a = left;
  let b = right;
  if (!left.simple || (!left.constant && right.writes)) {
    const name = f.temp();
    parts.push(`${name} = ${left.js}`);
    a = { ...left, js: name, simple: true };
  }
  if (!right.simple) {
    const name = f.temp();
    parts.push(`${name} = ${right.js}`);
    b = { ...right, js: name, simple: true };
  }
  return [a, b, parts.map((part) => `${part}, `).join("")];
}

export function compileUnary(f: FunctionWriter, expr: Extract<Expr, { kind: "Unary" }>): Operand {
  const value = compileExpr(f, expr.operand);
  const facts = combined([value]);
  if (expr.op === "!" && value.type === "bool") return operand(`!${value.js}`, { ...facts, type: "bool" });
  if (expr.op === "!") return operand(`H.not(R, ${value.js}, ${expr.pos})`, { ...facts, type: "any" });
  return operand(`H.unary(R, "${expr.op}", ${value.js}, ${expr.pos})`, {
    ...facts,
    type: isInt(value.type) ? "int" : "any",
  });
}
