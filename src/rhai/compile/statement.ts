import type { Block, Stmt } from "../syntax/ast.ts";
import { startPosition } from "../syntax/expr-position.ts";
import { compileAssignment } from "./assignment.ts";
import { settled } from "./call.ts";
import { compileCondition, compileExpr, initial, owned, readVariable } from "./expression.ts";
import { bareOf } from "./float.ts";
import { type Destination, DISCARD, type FunctionWriter, type Operand } from "./function-writer.ts";
import { setLikely } from "./likely.ts";
import { stringLiteral } from "./literal.ts";
import { compileDo, compileFor, compileWhile } from "./loop.ts";
import { compileSwitch } from "./switch.ts";
import { walkBlock } from "./walk.ts";

/** The statements of a function or script, whose last one gives the value. */
export function compileBody(f: FunctionWriter, body: readonly Stmt[], destination: Destination): void {
  compileStatements(f, body, destination);
  if (destination.kind === "return" && !endsInReturn(body)) emitReturn(f, "undefined");
}

function endsInReturn(body: readonly Stmt[]): boolean {
  const last = body.at(-1);
  return last?.kind === "Return" || last?.kind === "Expr" || last?.kind === "Throw";
}

function compileStatements(f: FunctionWriter, body: readonly Stmt[], destination: Destination): void {
  const last = body.at(-1);
  for (const stmt of body) compileStmt(f, stmt, stmt === last ? destination : DISCARD, false);
  if (body.length === 0) setUnit(f, destination);
}

/** A block in a scope of its own. */
export function compileBlock(f: FunctionWriter, block: Block, destination: Destination): void {
  if (block.body.length === 0) return setUnit(f, destination);
  const outer = f.scope;
  f.scope = [...outer];
  f.level += 1;
  const hasImport = block.body.some((stmt) => stmt.kind === "Import");
  const mark = `m${f.script.nextId()}`;
  if (f.dynamic) f.emit(`const ${mark} = E.length;`);
  if (hasImport) f.emit(`const i${mark} = R.imports.length;`);
  compileStatements(f, block.body, destination);
  if (f.dynamic) f.emit(`E.rewind(${mark});`);
  if (hasImport) f.emit(`R.imports.length = i${mark};`);
  f.level -= 1;
  f.scope = outer;
}

function setUnit(f: FunctionWriter, destination: Destination): void {
  if (destination.kind === "variable") f.emit(`${destination.js} = undefined;`);
  if (destination.kind === "return") emitReturn(f, "undefined");
}

/** Leaves the function with a value that nothing else refers to. */
export function emitReturn(f: FunctionWriter, js: string): void {
  if (f.isMain) {
    f.emit(`return ${js};`);
    return;
  }
  const restore = `${f.usesImports ? "R.imports.length = I; " : ""}R.depth = D;`;
  if (/^\w+$/.test(js)) {
    f.emit(`${restore} return ${js};`);
    return;
  }
  const value = f.temp();
  f.emit(`${value} = ${js}; ${restore} return ${value};`);
}

/** Hands a value to its destination. */
export function deliver(f: FunctionWriter, value: Operand, destination: Destination): void {
  switch (destination.kind) {
    case "discard":
      if (!value.simple) f.emit(`${value.js};`);
      return;
    case "variable":
      f.emit(`${destination.js} = ${owned(value)};`);
      return;
    case "return":
      // A local variable dies here: its value moves out.
      emitReturn(
        f,
        value.local && value.simple && !f.isMain && f.tries === 0 && !f.lent.has(value.js)
          ? value.js
          : owned(value),
      );
  }
}

/** `isExpr` marks a statement that stands where an expression does, whose `try` gives no value. */
export function compileStmt(f: FunctionWriter, stmt: Stmt, destination: Destination, isExpr: boolean): void {
  switch (stmt.kind) {
    case "Noop":
      f.count(stmt.pos);
      return setUnit(f, destination);
    case "Expr":
      if (stmt.expr.kind === "StmtExpr") return compileStmt(f, stmt.expr.stmt, destination, isExpr);
      if (stmt.expr.kind !== "Call") f.count(startPosition(stmt.expr));
      return deliver(f, compileExpr(f, stmt.expr), destination);
    case "Let":
      compileLet(f, stmt);
      return setUnit(f, destination);
    case "Assign":
      f.count(stmt.pos);
      compileAssignment(f, stmt);
      return setUnit(f, destination);
    case "Block":
      f.count(stmt.pos);
      f.emit("{");
      compileBlock(f, stmt.block, destination);
      f.emit("}");
      return;
    case "If":
      return compileIf(f, stmt, destination);
    case "Switch":
      return compileSwitch(f, stmt, destination);
    case "While":
      return compileWhile(f, stmt, destination);
    case "Do":
      return compileDo(f, stmt, destination);
    case "For":
      return compileFor(f, stmt, destination);
    case "Break": {
      const loop = f.loops.at(-1);
      if (loop === undefined) return;
      const value = stmt.value === null ? null : compileExpr(f, stmt.value);
      const target: Destination = loop.destination.kind === "return" ? DISCARD : loop.destination;
      if (value !== null) deliver(f, value, target);
      f.emit(`break ${loop.label};`);
      return;
    }
    case "Continue": {
      const loop = f.loops.at(-1);
      if (loop !== undefined) f.emit(`continue ${loop.label};`);
      return;
    }
    case "Return": {
      f.count(stmt.pos);
      if (stmt.value === null) return emitReturn(f, "undefined");
      return deliver(f, compileExpr(f, stmt.value), { kind: "return" });
    }
    case "Throw": {
      f.count(stmt.pos);
      const value = stmt.value === null ? "undefined" : owned(compileExpr(f, stmt.value));
      f.emit(`throw H.thrown(R, ${value}, ${stmt.pos});`);
      return;
    }
    case "Try":
      return compileTry(f, stmt, destination, isExpr);
    case "Import": {
      f.count(stmt.pos);
      f.usesImports = true;
      const name = compileExpr(f, stmt.module);
      const alias = stmt.alias === null ? "null" : stringLiteral(stmt.alias.name);
      const js = `H.importModule(R, ${name.js}, ${alias}, ${startPosition(stmt.module)}, ${stmt.pos})`;
      f.emit(`${f.suspends ? settled(f, js) : `H.sync(${js})`};`);
      return setUnit(f, destination);
    }
    case "Export": {
      const alias = stringLiteral((stmt.alias ?? stmt.name).name);
      if (f.dynamic) {
        f.emit(
          `R.exported.set(${alias}, E.find(R, ${stringLiteral(stmt.name.name)}, ${stmt.name.pos}, null));`,
        );
      } else {
        const variable = f.find(stmt.name.name);
        if (variable === null) f.emit(`H.noVariable(${stringLiteral(stmt.name.name)}, ${stmt.name.pos});`);
        else f.emit(`R.exported.set(${alias}, ${variable.js});`);
      }
      return setUnit(f, destination);
    }
  }
}

function compileLet(f: FunctionWriter, stmt: Extract<Stmt, { kind: "Let" }>): void {
  f.count(stmt.pos);
  const { maxVariables } = f.script.limits;
  if (maxVariables > 0 && f.scope.length >= maxVariables) f.emit(`H.tooManyVariables(${stmt.pos});`);
  const value = stmt.value === null ? null : compileExpr(f, stmt.value);
  const js = value === null ? "undefined" : initial(value);
  const global = stmt.constant && f.isMain && f.level === 0 && f.script.usesGlobals;
  const name = stringLiteral(stmt.name.name);
  if (f.dynamic) {
    f.emit(`E.define(${name}, ${js}, ${stmt.constant});`);
    if (stmt.exported) f.emit(`R.exported.set(${name}, E.find(R, ${name}, 0, null));`);
    if (global) f.emit(`R.globals.set(${name}, H.cp(E.find(R, ${name}, 0, null).value));`);
    return;
  }
  // The old variable of the same name is still visible in its own initial value, hence the late declaration.
  const variable = f.declare(stmt.name, stmt.constant);
  if (variable.kind === "cell") {
    f.emit(`${variable.js} = new H.Cell(${js});`);
    if (stmt.constant) f.emit(`${variable.js}.constant = true;`);
    if (stmt.exported) f.emit(`R.exported.set(${name}, ${variable.js});`);
  } else if (variable.kind === "likely" && value !== null) setLikely(f, variable, value);
  else if (variable.kind === "float" && value !== null) f.emit(`${variable.bare} = ${bareOf(value)};`);
  else f.emit(`${variable.js} = ${js};`);
  if (global) {
    const held = variable.kind === "cell" ? `${variable.js}.value` : readVariable(variable).js;
    f.emit(`R.globals.set(${name}, H.cp(${held}));`);
  }
}

function compileIf(f: FunctionWriter, stmt: Extract<Stmt, { kind: "If" }>, destination: Destination): void {
  f.count(stmt.pos);
  const test = compileCondition(f, stmt.test);
  f.emit(`if (${test}) {`);
  const then = f.counted(() => compileBlock(f, stmt.then, destination));
  let otherwise: number[] = [];
  const { otherwise: other } = stmt;
  if (other !== null || destination.kind !== "discard") {
    f.emit("} else {");
    otherwise = f.counted(() => {
      if (other === null) setUnit(f, destination);
      else if (other.kind === "Block") compileBlock(f, other.block, destination);
      else compileStmt(f, other, destination, false);
    });
  }
  f.emit("}");
  // Only one branch runs; the longer one is counted.
  f.operations.push(...(then.length >= otherwise.length ? then : otherwise));
}

function compileTry(
  f: FunctionWriter,
  stmt: Extract<Stmt, { kind: "Try" }>,
  destination: Destination,
  isExpr: boolean,
): void {
  f.count(stmt.pos);
  const level = f.isMain ? "0" : "D + 1";
  const error = `e${f.script.nextId()}`;
  const mark = `m${f.script.nextId()}`;
  if (f.dynamic) f.emit(`const ${mark} = E.length;`);
  f.emit("try {");
  f.tries += 1;
  const inner: Destination = isExpr && destination.kind === "variable" ? DISCARD : destination;
  if (inner !== destination && destination.kind === "variable") f.emit(`${destination.js} = undefined;`);
  compileBlock(f, stmt.body, inner);
  f.tries -= 1;
  f.emit(`} catch (${error}) {`);
  f.emit(`${error} = R.caught(${error}, ${level});`);
  if (f.dynamic) f.emit(`E.rewind(${mark});`);
  const outer = f.scope;
  f.scope = [...outer];
  if (stmt.variable !== null) {
    if (f.dynamic) f.emit(`E.define(${stringLiteral(stmt.variable.name)}, H.errorValue(${error}), false);`);
    else {
      const variable = f.declare(stmt.variable, false);
      const value = `H.errorValue(${error})`;
      f.emit(`${variable.js} = ${variable.kind === "cell" ? `new H.Cell(${value})` : value};`);
    }
  }
  const rethrows = mayThrowUnit(stmt.handler);
  if (rethrows) f.emit("try {");
  compileBlock(f, stmt.handler, DISCARD);
  if (rethrows) {
    const second = `e${f.script.nextId()}`;
    f.emit(`} catch (${second}) { throw H.rethrown(${second}, ${error}); }`);
  }
  if (f.dynamic) f.emit(`E.rewind(${mark});`);
  f.scope = outer;
  setUnit(f, destination);
  f.emit("}");
}

/** Whether a handler has a `throw` of its own, which without a value means the error caught. */
function mayThrowUnit(handler: Block): boolean {
  let found = false;
  walkBlock(handler, {
    stmt: (stmt) => {
      found ||= stmt.kind === "Throw";
    },
  });
  return found;
}
