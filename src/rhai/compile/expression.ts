import type { Expr } from "../syntax/ast.ts";
import { exprPosition, startPosition } from "../syntax/expr-position.ts";
import type { Pos } from "../syntax/position.ts";
import { compileCall } from "./call.ts";
import { compileChain } from "./chain.ts";
import { compileClosure, pointerTo } from "./closure.ts";
import { boxed } from "./float.ts";
import {
  type FunctionWriter,
  literal,
  type Operand,
  operand,
  stored,
  type Variable,
} from "./function-writer.ts";
import { readLikely } from "./likely.ts";
import { intLiteral, numberLiteral, stringLiteral } from "./literal.ts";
import { isConstant, isLiteral } from "./map-literal.ts";
import { makeEntries } from "./property.ts";
import { compileBinary, compileUnary } from "./operator.ts";
import { compileStmt } from "./statement.ts";
import { ANY, ARRAY, BOOL, FLOAT, isImmutable, literalInt, OTHER, STRING, UNIT } from "./types.ts";

/** The JavaScript of an expression. Statements inside it are emitted before. */
export function compileExpr(f: FunctionWriter, expr: Expr): Operand {
  if (expr.kind !== "StmtExpr" && expr.kind !== "Call" && expr.kind !== "Binary") f.count(exprPosition(expr));
  switch (expr.kind) {
    case "Unit":
      return literal("undefined", UNIT);
    case "Bool":
      return literal(String(expr.value), BOOL);
    case "Int":
      return literal(intLiteral(expr.value), literalInt(expr.value));
    case "Float":
      return { ...literal(f.script.float(expr.value), FLOAT), bare: numberLiteral(expr.value) };
    case "Char":
      return literal(f.script.char(expr.value), OTHER);
    case "Str":
      return literal(stringLiteral(expr.value), STRING);
    case "Interpolated":
      return compileInterpolated(f, expr);
    case "Array": {
      const items = elements(f, expr, expr.items);
      const js = items.map(owned).join(", ");
      if (items.length === 0) return operand("H.array(R, [], H.none)", ARRAY);
      // A literal of literals is as large as its source text, which the parser has checked.
      const positions = isLiteral(expr) ? "H.none" : f.script.positions(expr.items.map(exprPosition));
      return operand(`H.array(R, [${js}], ${positions})`, { ...ARRAY, ...combined(items) });
    }
    case "Map": {
      const values = elements(
        f,
        expr,
        expr.entries.map((entry) => entry.value),
      );
      if (values.length === 0) return operand("new H.RhaiMap()", OTHER);
      for (const [i, { key }] of expr.entries.entries()) {
        const pointer = values[i]?.js ?? "";
        if (f.script.pointers.has(pointer)) f.script.methods.set(key, pointer);
      }
      const entries = makeEntries(
        f.script,
        expr.entries.map((entry) => entry.key),
        values.map(owned),
      );
      const positions = isLiteral(expr)
        ? "H.none"
        : f.script.positions(expr.entries.map((entry) => exprPosition(entry.value)));
      return operand(`H.map(R, ${entries}, ${positions})`, {
        ...OTHER,
        ...combined(values),
      });
    }
    case "Var":
      return expr.path.length > 0 ? compileQualified(f, expr) : compileVariable(f, expr.name, expr.pos);
    case "This":
      return operand(`${thisCell(expr.pos)}.value`, { borrowed: true });
    case "Call":
      return compileCall(f, expr);
    case "Chain":
      return compileChain(f, expr);
    case "Unary":
      return compileUnary(f, expr);
    case "Binary":
      return compileBinary(f, expr);
    case "Logical":
      return compileLogical(f, expr);
    case "Closure":
      return compileClosure(f, expr);
    case "StmtExpr": {
      const js = f.temp();
      compileStmt(f, expr.stmt, { kind: "variable", js }, true);
      const type = f.types?.expression(expr) ?? ANY;
      return operand(js, { ...type, simple: true, effects: true, writes: true });
    }
  }
}

/** The elements of an array or map literal. */
function elements(f: FunctionWriter, literalExpr: Expr, exprs: readonly Expr[]): Operand[] {
  const outer = f.inConstant;
  f.inConstant ||= isConstant(literalExpr);
  const values = operands(f, exprs);
  f.inConstant = outer;
  return values;
}

/** `this` as a cell. */
export const thisCell = (pos: Pos): string => `(T === null ? H.unbound(${pos}) : T)`;

/** The value as a place may keep it. */
export const owned = (value: Operand): string => copiedBy(value, "H.cp");

/** The value as a new variable begins with it. */
export const initial = (value: Operand): string => copiedBy(value, "H.kept");

function copiedBy(value: Operand, copy: "H.cp" | "H.kept"): string {
  return value.borrowed && !isImmutable(value) ? `${copy}(${value.js})` : value.js;
}

/** Facts of an expression that evaluates these. */
export function combined(values: readonly Operand[]): { effects: boolean; writes: boolean } {
  return { effects: values.some((value) => value.effects), writes: values.some((value) => value.writes) };
}

/**
 * Several expressions that are evaluated in order before anything is done with them. Where a later one could change
 * what an earlier one stands for, the earlier one is read (and copied) first.
 */
export function operands(f: FunctionWriter, exprs: readonly Expr[]): Operand[] {
  const done: Operand[] = [];
  for (const expr of exprs) {
    const mark = f.lines.length;
    const next = compileExpr(f, expr);
    settle(f, done, next, mark);
    done.push(next);
  }
  return done;
}

/** Makes earlier operands independent of what evaluating `next`, whose statements begin at `mark`, may do. */
export function settle(f: FunctionWriter, done: Operand[], next: Operand, mark: number): void {
  const lifted = f.lines.length > mark;
  if (!lifted && !next.effects && !next.writes) return;
  const early: string[] = [];
  for (const [i, value] of done.entries()) {
    if (value.constant) continue;
    const isValue = /^t\d+$/.test(value.js) && !value.borrowed;
    if (isValue) continue;
    const mayChange = lifted || next.writes || (next.effects && !(value.local && value.borrowed));
    if (!mayChange) continue;
    if (!lifted && !value.borrowed) continue;
    const copied = owned(value);
    if (lifted) {
      const name = f.temp();
      early.push(`${name} = ${copied};`);
      done[i] = stored(name, value);
    } else {
      // JavaScript reads operands in order by itself; only what they refer to must be saved from a change.
      done[i] = operand(copied, { ...value, js: copied, borrowed: false, simple: false });
    }
  }
  f.lines.splice(mark, 0, ...early);
}

function compileInterpolated(f: FunctionWriter, expr: Extract<Expr, { kind: "Interpolated" }>): Operand {
  const parts = operands(f, expr.parts);
  const holes = expr.parts.map(holeOf);
  // The official parser makes one text of a string of literals, containers in their debug form, which quotes chars.
  const folded = holes.every((hole) => hole !== undefined && isConstant(hole));
  const js = parts.map((part, i) => {
    if (part.type === "string") return part.js;
    const isContainer = holes[i]?.kind === "Array" || holes[i]?.kind === "Map";
    return folded && isContainer ? `H.literalText(${part.js})` : `H.text(R, ${part.js}, ${expr.pos})`;
  });
  const positions = f.script.positions(expr.parts.map(exprPosition));
  return operand(`H.join(R, [${js.join(", ")}], ${positions})`, { ...STRING, ...combined(parts) });
}

/** The expression in a hole that holds nothing else. */
function holeOf(part: Expr | undefined): Expr | undefined {
  if (part?.kind !== "StmtExpr" || part.stmt.kind !== "Block") return part;
  const [only, ...more] = part.stmt.block.body;
  return only?.kind === "Expr" && more.length === 0 ? only.expr : part;
}

/** A plain name: a variable, else a function, else a constant of the host. */
export function compileVariable(f: FunctionWriter, name: string, pos: Pos): Operand {
  if (f.dynamic) return operand(`${dynamicCell(f, name, pos)}.value`, { borrowed: true });
  const variable = f.find(name);
  if (variable !== null) return readVariable(variable);
  return compileUnknown(f, name, pos);
}

export function compileUnknown(f: FunctionWriter, name: string, pos: Pos): Operand {
  const fn = f.script.named(name);
  if (fn !== null) return operand(pointerTo(f, fn), OTHER);
  if (f.script.constants.has(name))
    return operand(`R.external(${stringLiteral(name)}, ${pos})`, { borrowed: true });
  if (f.script.natives.constants.has(name)) {
    return operand(f.script.constant(`P.natives.constants.get(${stringLiteral(name)})`), { borrowed: true });
  }
  return operand(`H.noVariable(${stringLiteral(name)}, ${pos})`, { effects: true });
}

export function readVariable(variable: Variable): Operand {
  if (variable.kind === "cell") return operand(`H.rd(${variable.js})`, { borrowed: true });
  if (variable.kind === "likely") return readLikely(variable);
  const { type, bits, js, bare } = variable;
  if (variable.kind === "local")
    return operand(js, { type, bits, borrowed: true, simple: true, local: true });
  return operand(boxed(bare), { type, bits, bare, borrowed: true, local: true });
}

/** The cell of a variable that is looked up by name when the code runs. */
export function dynamicCell(f: FunctionWriter, name: string, pos: Pos): string {
  const fallback = f.script.named(name);
  const missing = fallback === null ? "null" : `H.pointerCell(${pointerTo(f, fallback)})`;
  return `E.find(R, ${stringLiteral(name)}, ${pos}, ${missing})`;
}

function compileQualified(f: FunctionWriter, expr: Extract<Expr, { kind: "Var" }>): Operand {
  const path = `[${expr.path.map((ident) => stringLiteral(ident.name)).join(",")}]`;
  const js = `H.qualified(R, ${f.script.constant(path)}, ${stringLiteral(expr.name)}, ${startPosition(expr)})`;
  return operand(js, { borrowed: true, effects: true });
}

function compileLogical(f: FunctionWriter, expr: Extract<Expr, { kind: "Logical" }>): Operand {
  if (expr.op === "??") return compileCoalesce(f, expr);
  const left = compileCondition(f, expr.left);
  let right = "";
  let facts = { effects: false, writes: false };
  const lines = f.capture(() => {
    const value = compileConditionOperand(f, expr.right);
    right = value.js;
    facts = value;
  });
  const both = { ...BOOL, effects: facts.effects, writes: facts.writes };
  if (lines.length === 0) return operand(`(${left} ${expr.op} ${right})`, { ...both, effects: true });
  const result = f.temp();
  f.emit(`${result} = ${left};`);
  f.emit(`if (${expr.op === "&&" ? "" : "!"}${result}) {`);
  f.lines.push(...lines);
  f.emit(`${result} = ${right};`);
  f.emit("}");
  return operand(result, { ...BOOL, simple: true });
}

function compileCoalesce(f: FunctionWriter, expr: Extract<Expr, { kind: "Logical" }>): Operand {
  const left = compileExpr(f, expr.left);
  let right = left;
  const lines = f.capture(() => {
    right = compileExpr(f, expr.right);
  });
  const result = f.temp();
  if (lines.length === 0) {
    return operand(
      `((${result} = ${owned(left)}) !== undefined ? ${result} : ${owned(right)})`,
      combined([left, right]),
    );
  }
  f.emit(`${result} = ${owned(left)};`);
  f.emit(`if (${result} === undefined) {`);
  f.lines.push(...lines);
  f.emit(`${result} = ${owned(right)};`);
  f.emit("}");
  return operand(result, { simple: true });
}

/** An expression as a JavaScript condition. Anything but a bool is the official error. */
export function compileCondition(f: FunctionWriter, expr: Expr): string {
  return compileConditionOperand(f, expr).js;
}

function compileConditionOperand(f: FunctionWriter, expr: Expr): Operand {
  const variable = expr.kind === "Var" && expr.path.length === 0 && !f.dynamic ? f.find(expr.name) : null;
  if (variable?.kind === "cell") {
    f.count(expr.pos);
    return operand(`H.boolCell(${variable.js}, ${expr.pos})`, BOOL);
  }
  const value = compileExpr(f, expr);
  if (value.type === "bool") return value;
  return operand(`H.bool(${value.js}, ${exprPosition(expr)})`, {
    effects: value.effects,
    writes: value.writes,
    ...BOOL,
  });
}
