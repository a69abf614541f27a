import type { ChainExpr, ChainStep, Expr, Stmt } from "../syntax/ast.ts";
import { startPosition } from "../syntax/expr-position.ts";
import { assignInGeneral, type ChainParts, chainParts, generic, makeSimple, readMutable } from "./chain.ts";
import { compileExpr, dynamicCell, owned, readVariable, thisCell } from "./expression.ts";
import { bareOf } from "./float.ts";
import { type FunctionWriter, type Operand, operand, stored, type Variable } from "./function-writer.ts";
import { assignLikely } from "./likely.ts";
import { stringLiteral } from "./literal.ts";
import { compileUpdate } from "./operator.ts";
import { ownProperty, setProperty } from "./property.ts";

type AssignStmt = Extract<Stmt, { kind: "Assign" }>;

/** `target op= value`. The value is evaluated first, then what the target needs. */
export function compileAssignment(f: FunctionWriter, stmt: AssignStmt): void {
  const { target } = stmt;
  const likely = likelyTarget(f, target);
  if (likely !== null) return assignLikely(f, stmt, likely, startPosition(target));
  const value = compileExpr(f, stmt.value);
  if (target.kind !== "Chain") f.count(startPosition(target));
  switch (target.kind) {
    case "Var":
      return assignVariable(f, stmt, target, value);
    case "This": {
      const cell = f.temp();
      const held = hold(f, value);
      f.emit(`${cell} = H.changeableThis(${thisCell(target.pos)}, ${target.pos});`);
      f.emit(`${cell}.value = ${updated(f, stmt, operand(`${cell}.value`), held)};`);
      return;
    }
    case "Chain":
      return assignChain(f, stmt, target, value);
    default:
      throw new Error(`not assignable: ${target.kind}`);
  }
}

/** The variable in two parts that a target is. */
function likelyTarget(f: FunctionWriter, target: Expr): Variable | null {
  if (target.kind !== "Var" || target.path.length > 0 || f.dynamic) return null;
  const variable = f.find(target.name);
  return variable?.kind === "likely" && !variable.constant ? variable : null;
}

function hold(f: FunctionWriter, value: Operand): Operand {
  if (value.simple && !value.borrowed) return value;
  const name = f.temp();
  f.emit(`${name} = ${owned(value)};`);
  return stored(name, value);
}

/** The new value of a place that holds `current`. */
function updated(f: FunctionWriter, stmt: AssignStmt, current: Operand, value: Operand): string {
  return stmt.op === "=" ? owned(value) : compileUpdate(f, stmt.op, current, value, stmt.pos).js;
}

/** The same as the bare number of a float. */
function updatedFloat(f: FunctionWriter, stmt: AssignStmt, current: Operand, value: Operand): string {
  return bareOf(stmt.op === "=" ? value : compileUpdate(f, stmt.op, current, value, stmt.pos));
}

function assignVariable(
  f: FunctionWriter,
  stmt: AssignStmt,
  target: Extract<Expr, { kind: "Var" }>,
  value: Operand,
): void {
  const { name, pos } = target;
  const text = stringLiteral(name);
  if (target.path.length > 0) {
    // What is not there is told before that it could not be changed.
    f.emit(`${value.js}; ${compileExpr(f, target).js}; H.constantAssigned(${text}, ${pos});`);
    return;
  }
  if (f.dynamic) {
    const held = hold(f, value);
    const cell = f.temp();
    f.emit(`${cell} = H.changeableVariable(${dynamicCell(f, name, pos)}, ${text}, ${pos});`);
    f.emit(`${cell}.value = ${updated(f, stmt, operand(`${cell}.value`), held)};`);
    return;
  }
  const variable = f.find(name);
  if (variable === null) {
    const known = f.script.named(name) !== null || f.script.constants.has(name);
    f.emit(`${value.js}; ${known ? "H.constantAssigned" : "H.noVariable"}(${text}, ${pos});`);
    return;
  }
  if (variable.kind !== "cell") {
    const next = variable.kind === "float" ? updatedFloat : updated;
    if (variable.constant) f.emit(`${value.js}; H.constantAssigned(${text}, ${pos});`);
    else {
      // The variable is read after the value was evaluated, which may have changed it.
      const held = stmt.op !== "=" && value.writes ? hold(f, value) : value;
      const place = variable.kind === "float" ? variable.bare : variable.js;
      f.emit(`${place} = ${next(f, stmt, readVariable(variable), held)};`);
    }
    return;
  }
  const held = hold(f, value);
  f.emit(`H.changeableVariable(${variable.js}, ${text}, ${pos});`);
  f.emit(`${variable.js}.value = ${updated(f, stmt, operand(`${variable.js}.value`), held)};`);
}

/** `a.b[c] op= value`. Arrays and maps are changed where they are; everything else goes the general way. */
function assignChain(f: FunctionWriter, stmt: AssignStmt, target: ChainExpr, value: Operand): void {
  const held = hold(f, value);
  const parts = chainParts(f, target);
  const { base, steps } = parts;
  const { args, set } = makeSimple(f, parts.args);
  if (set !== "") f.emit(`${set.slice(0, -2)};`);
  const simple: ChainParts = { base, steps, args };
  const last = steps.at(-1);
  const direct =
    base.kind !== "temp" &&
    !base.constant &&
    !f.dynamic &&
    steps.every((step) => !step.optional && step.kind !== "Method");
  if (!direct || last === undefined || last.kind === "Method") {
    const operator = f.script.constant(operatorPlan(stmt, target));
    f.emit(`${generic(f, simple, `{...${operator}, value: ${owned(held)}}`).js};`);
    return;
  }
  if (steps.length === 1 && last.kind === "Index" && base.value.type === "array") {
    f.emit(`${setElement(f, stmt, base.js, last, args, held)};`);
    return;
  }
  const container = f.temp();
  const start =
    base.kind === "this"
      ? `H.changeable(${base.js})`
      : base.kind === "cell"
        ? `H.changeableCell(${base.js})`
        : base.js;
  f.emit(`${container} = ${readMutable(f, start, steps.slice(0, -1), args)};`);
  const slow = f.capture(() => {
    f.emit(`${assignInGeneral(f, simple, operatorPlan(stmt, target), held)};`);
  });
  if (last.kind === "Property") {
    f.emit(`if (${container} instanceof H.RhaiMap) {`);
    const own = `${ownProperty(f.script, last.name)}(${container})`;
    const place = `H.declared(R, ${container}, ${stringLiteral(last.name)}, ${own}, ${stmt.pos})`;
    const { next } = changed(f, stmt, place, held);
    f.emit(`${setProperty(f.script, last.name)}(R, ${container}, ${next}, ${stmt.pos});`);
  } else {
    f.emit(`if (${container} instanceof H.RhaiArray || ${container} instanceof H.RhaiMap) {`);
    f.emit(`${setElement(f, stmt, container, last, args, held)};`);
  }
  f.emit("} else {");
  f.lines.push(...slow);
  f.emit("}");
}

/** The assignment to an element of an array or map. */
function setElement(
  f: FunctionWriter,
  stmt: AssignStmt,
  container: string,
  step: Extract<ChainStep, { kind: "Index" }>,
  args: ChainParts["args"],
  value: Operand,
): string {
  const index = args.get(step)?.[0]?.js ?? "undefined";
  const pos = startPosition(step.index);
  const { next, old } = changed(
    f,
    stmt,
    `H.mutableElement(R, ${container}, ${index}, ${pos}, ${stmt.pos})`,
    value,
  );
  return `H.setIndex(R, ${container}, ${index}, ${next}, ${pos}, ${stmt.pos}${old})`;
}

/** What a place gets; and, as one more argument, what an operator found there, so that nobody looks twice. */
function changed(
  f: FunctionWriter,
  stmt: AssignStmt,
  place: string,
  value: Operand,
): { next: string; old: string } {
  if (stmt.op === "=") return { next: value.js, old: "" };
  const old = f.temp();
  const next = updated(f, stmt, operand(old, { simple: true }), value);
  return { next: `(${old} = ${place}, ${next})`, old: `, ${old}` };
}

/** The static parts of the assignment. */
function operatorPlan(stmt: AssignStmt, { root }: ChainExpr): string {
  const name = root.kind === "Var" ? root.name : "";
  return `H.operatorPlan(${stringLiteral(stmt.op)}, ${stmt.pos}, ${stringLiteral(name)}, ${startPosition(root)})`;
}
