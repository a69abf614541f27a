import type { BinaryOp, Expr, Stmt } from "../syntax/ast.ts";
import type { Pos } from "../syntax/position.ts";
import { compileExpr, operands, owned } from "./expression.ts";
import { bareOf, boxed, compareBare } from "./float.ts";
import { type FunctionWriter, type Likely, type Operand, operand, type Variable } from "./function-writer.ts";
import { binary, generalBinary, generalUpdate } from "./operator.ts";
import { FLOAT, isArithmetic } from "./types.ts";

/**
 * Floats that are likely but not certain: sums of what an array holds, or of products with it. A variable that begins
 * as a float and is only calculated with lives in two JavaScript variables: one for the bare number and one for
 * anything else, which is null as long as the number counts. So a loop that adds up floats makes no object in any round,
 * and whatever else comes along is dealt with in the general way.
 */

/** The operand of a variable in two parts. */
export const readLikely = ({ js, bare }: Variable): Operand =>
  operand(`(${js} === null ? ${boxed(bare)} : ${js})`, {
    likely: { test: `${js} === null`, bare },
    borrowed: true,
    local: true,
  });

/** The float in a value that can be written more than once. */
function likelyOf(value: Operand): Likely {
  if (value.type === FLOAT.type) return { test: "", bare: bareOf(value) };
  return value.likely ?? { test: `${value.js} instanceof H.Float`, bare: `${value.js}.value` };
}

/** Whether one of two operands makes it likely that both are floats. */
const suggests = (a: Operand, b: Operand): boolean =>
  uncertain(a, b) && [a, b].some((value) => value.type === FLOAT.type || value.likely !== null);

/** A form of the value that can be written more than once, and the assignment that this takes. */
function repeatable(f: FunctionWriter, value: Operand): { set: string; use: Operand } {
  if (value.simple || value.likely !== null || isName(value.bare)) return { set: "", use: value };
  const name = f.temp();
  if (value.type !== FLOAT.type)
    return { set: `${name} = ${value.js}, `, use: operand(name, { simple: true }) };
  return {
    set: `${name} = ${bareOf(value)}, `,
    use: operand(boxed(name), { ...FLOAT, bare: name }),
  };
}

const isName = (js: string | null): boolean => js !== null && /^[\w.]+$/.test(js);

const both = (...tests: readonly string[]): string => tests.filter((test) => test !== "").join(" && ");

/** `a op b` for operands of which one is a float, or likely to be; null where nothing suggests that. */
export function likelyBinary(
  f: FunctionWriter,
  op: BinaryOp,
  left: Operand,
  right: Operand,
  pos: Pos,
): string | null {
  const compare = compareBare(op);
  if (!suggests(left, right) || right.writes || (compare === null && !isArithmetic(op))) return null;
  const a = repeatable(f, left);
  const b = repeatable(f, right);
  const [x, y] = [likelyOf(a.use), likelyOf(b.use)];
  const fast = compare?.(x.bare, y.bare) ?? boxed(`${x.bare} ${op} ${y.bare}`);
  return `(${a.set}${b.set}${both(x.test, y.test)} ? ${fast} : ${generalBinary(op, a.use, b.use, pos)})`;
}

/** Gives a variable in two parts its first value. */
export function setLikely(f: FunctionWriter, variable: Variable, value: Operand): void {
  const { js, bare } = variable;
  if (value.type === FLOAT.type) f.emit(`${bare} = ${bareOf(value)}; ${js} = null;`);
  else f.emit(`${js} = ${owned(value)}; ${sorted(variable)}`);
}

type AssignStmt = Extract<Stmt, { kind: "Assign" }>;

/**
 * `variable op= value` for a variable in two parts. Where the value is an operation by itself, the number is calculated
 * through both at once.
 */
export function assignLikely(f: FunctionWriter, stmt: AssignStmt, variable: Variable, pos: Pos): void {
  const operation = asArithmetic(stmt.value);
  if (operation === null) return assignValue(f, stmt, variable, compileExpr(f, stmt.value), pos);
  f.count(operation.pos);
  const [left, right] = operands(f, [operation.left, operation.right]) as [Operand, Operand];
  if (!uncertain(left, right) || right.writes)
    return assignValue(f, stmt, variable, binary(f, operation.op, left, right, operation.pos), pos);
  f.count(pos);
  const [a, b] = [held(f, left), held(f, right)];
  const [x, y] = [likelyOf(a), likelyOf(b)];
  const result = `(${x.bare} ${operation.op} ${y.bare})`;
  const other = operand(generalBinary(operation.op, a, b, operation.pos));
  update(f, stmt, variable, { test: both(x.test, y.test), bare: result }, other);
}

/** The same for a value that has been compiled. */
function assignValue(
  f: FunctionWriter,
  stmt: AssignStmt,
  variable: Variable,
  value: Operand,
  pos: Pos,
): void {
  f.count(pos);
  if (stmt.op === "=" || !open(value)) {
    const next = operand(generalUpdate(stmt.op, readLikely(variable), value, stmt.pos));
    setLikely(f, variable, stmt.op === "=" ? value : next);
    return;
  }
  const simple = held(f, value);
  update(f, stmt, variable, likelyOf(simple), simple);
}

function update(
  f: FunctionWriter,
  stmt: AssignStmt,
  variable: Variable,
  number: Likely,
  other: Operand,
): void {
  const { js, bare } = variable;
  const own = stmt.op === "=" ? null : readLikely(variable);
  const fast =
    own === null ? `${bare} = ${number.bare}; ${js} = null;` : `${bare} ${stmt.op} ${number.bare};`;
  const next = own === null ? owned(other) : generalUpdate(stmt.op, own, other, stmt.pos);
  f.emit(`if (${both(own?.likely?.test ?? "", number.test)}) { ${fast} }`);
  f.emit(`else { ${js} = ${next}; ${sorted(variable)} }`);
}

/** Whether a value is a float or may turn out to be one. */
const open = ({ type }: Operand): boolean => type === FLOAT.type || type === "any";

/** Whether both are, and one is not certain to. */
const uncertain = (a: Operand, b: Operand): boolean =>
  open(a) && open(b) && (a.type === "any" || b.type === "any");

/** The value evaluated now, to be written more than once. */
function held(f: FunctionWriter, value: Operand): Operand {
  const { set, use } = repeatable(f, value);
  if (set !== "") f.emit(`${set.slice(0, -2)};`);
  return use;
}

function asArithmetic(expr: Expr): Extract<Expr, { kind: "Binary" }> | null {
  return expr.kind === "Binary" && isArithmetic(expr.op) ? expr : null;
}

/** Moves a float to where it belongs. */
const sorted = ({ js, bare }: Variable): string =>
  `if (${js} instanceof H.Float) { ${bare} = ${js}.value; ${js} = null; }`;
