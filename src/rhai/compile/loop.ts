import type { Block, Expr, Stmt } from "../syntax/ast.ts";
import { startPosition } from "../syntax/expr-position.ts";
import { compileCondition, compileExpr, operands, owned } from "./expression.ts";
import { type Destination, type FunctionWriter, type Operand, operand } from "./function-writer.ts";
import { asRange } from "./inference.ts";
import { stringLiteral } from "./literal.ts";
import { isPointer } from "./map-literal.ts";
import { asOutermostLoop } from "./outline.ts";
import { compileBlock, deliver } from "./statement.ts";

/**
 * Loops. Each round adds the operations of one round and compares once, so that no loop runs unmetered, not even an
 * empty one.
 */

/** Runs `write` with the place for the value of `break`, and delivers that afterwards. */
function withResult(f: FunctionWriter, destination: Destination, write: (inner: Destination) => void): void {
  if (destination.kind === "discard") return write(destination);
  const js = destination.kind === "variable" ? destination.js : f.temp();
  f.emit(`${js} = undefined;`);
  write({ kind: "variable", js });
  if (destination.kind === "return") deliver(f, operand(js, { simple: true }), destination);
}

/** Emits the loop's head, then the meter of one round, then the round. What comes after is counted anew. */
function round(f: FunctionWriter, head: string, fallback: number, write: () => void): void {
  asOutermostLoop(f, () => {
    f.emit(head);
    f.beginMeter(fallback);
    write();
    f.emit("}");
  });
  f.beginMeter(null);
}

function body(f: FunctionWriter, block: Block): void {
  compileBlock(f, block, { kind: "discard" });
}

export function compileWhile(
  f: FunctionWriter,
  stmt: Extract<Stmt, { kind: "While" }>,
  destination: Destination,
): void {
  f.count(stmt.pos);
  withResult(f, destination, (inner) => {
    const label = `L${f.script.nextId()}`;
    const mark = startMark(f);
    round(f, `${label}: for (;;) {`, stmt.body.pos, () => {
      rewind(f, mark);
      if (stmt.test !== null && !(stmt.test.kind === "Bool" && stmt.test.value)) {
        f.emit(`if (!${compileCondition(f, stmt.test)}) break;`);
      }
      f.loops.push({ label, destination: inner });
      body(f, stmt.body);
      f.loops.pop();
    });
    rewind(f, mark);
  });
}

export function compileDo(
  f: FunctionWriter,
  stmt: Extract<Stmt, { kind: "Do" }>,
  destination: Destination,
): void {
  f.count(stmt.pos);
  withResult(f, destination, (inner) => {
    const label = `L${f.script.nextId()}`;
    const mark = startMark(f);
    // As the official one does, `continue` begins the next round without looking at the condition.
    round(f, `${label}: for (;;) {`, stmt.body.pos, () => {
      rewind(f, mark);
      f.loops.push({ label, destination: inner });
      body(f, stmt.body);
      f.loops.pop();
      f.emit(`if (${stmt.until ? "" : "!"}${compileCondition(f, stmt.test)}) break;`);
    });
    rewind(f, mark);
  });
}

/** The loop variables come first in the scope, so a name equal to one of the body's shadows them there. */
export function compileFor(
  f: FunctionWriter,
  stmt: Extract<Stmt, { kind: "For" }>,
  destination: Destination,
): void {
  f.count(stmt.pos);
  // The official parser drops an empty loop over a pointer that it made itself, before anyone sees that it cannot be run.
  if (stmt.body.body.length === 0 && isPointer(stmt.iterable)) {
    return deliver(f, operand("undefined", { simple: true }), destination);
  }
  withResult(f, destination, (inner) => {
    const label = `L${f.script.nextId()}`;
    const range = asRange(stmt.iterable);
    const source = range === null ? iterateAny(f, stmt.iterable) : iterateRange(f, range, stmt.iterable);
    const mark = startMark(f);
    const outer = f.scope;
    f.scope = [...outer];
    const set: string[] = [];
    const counter = f.temp();
    if (stmt.counter !== null) {
      f.emit(`${counter} = 0;`);
      const js = declareLoopVariable(f, stmt.counter);
      set.push(`${js} = ${counter}++;`);
    }
    const item = declareLoopVariable(f, stmt.item);
    const inside = startMark(f);
    round(f, `${label}: for (;;) {`, stmt.body.pos, () => {
      rewind(f, inside);
      for (const line of source(item)) f.emit(line);
      for (const line of set) f.emit(line);
      f.loops.push({ label, destination: inner });
      body(f, stmt.body);
      f.loops.pop();
    });
    f.scope = outer;
    rewind(f, mark);
  });
}

/** Declares a variable that lives as long as the loop; the answer is what to assign. */
function declareLoopVariable(f: FunctionWriter, ident: { name: string; pos: number }): string {
  if (f.dynamic) {
    const cell = f.temp();
    f.emit(`${cell} = E.define(${stringLiteral(ident.name)}, undefined, false);`);
    return `${cell}.value`;
  }
  const variable = f.declare(ident, false);
  if (variable.kind !== "cell") return variable.js;
  f.emit(`${variable.js} = new H.Cell(undefined);`);
  return `${variable.js}.value`;
}

/** Two numbers are counted through; anything else goes through an iterator. Answers the lines that take the next item. */
function iterateRange(
  f: FunctionWriter,
  range: Extract<Expr, { kind: "Binary" }>,
  iterable: Expr,
): (item: string) => string[] {
  f.count(range.pos);
  const [from, to] = operands(f, [range.left, range.right]) as [Operand, Operand];
  const next = f.temp();
  const end = f.temp();
  f.emit(`${next} = ${from.js}; ${end} = ${to.js};`);
  const stop = range.op === ".." ? ">=" : ">";
  const fast = (item: string): string => `if (${next} ${stop} ${end}) break; ${item} = ${next}++;`;
  if (f.types?.countsNumbers(range.op, from, to) === true) {
    if (to.type !== "number") {
      const number = `H.rangeEnd(R, "${range.op}", ${next}, ${end}, ${range.pos})`;
      f.emit(`if (typeof ${end} !== "number") ${end} = ${number};`);
    }
    return (item) => [fast(item)];
  }
  const iterator = f.temp();
  const value = f.temp();
  f.emit(
    `${iterator} = typeof ${next} === "number" && typeof ${end} === "number" ? null : ` +
      `H.iterate(R, H.binary(R, "${range.op}", ${next}, ${end}, ${range.pos}), ${startPosition(iterable)});`,
  );
  return (item) => [
    `if (${iterator} === null) { ${fast(item)} } else { ${value} = ${iterator}.next(); if (${value}.done) break; ${item} = ${value}.value; }`,
  ];
}

function iterateAny(f: FunctionWriter, iterable: Expr): (item: string) => string[] {
  const source = compileExpr(f, iterable);
  const items = f.temp();
  const index = f.temp();
  const iterator = f.temp();
  const value = f.temp();
  if (source.type === "array") {
    f.emit(`${items} = ${owned(source)}.items; ${index} = 0;`);
    return (item) => [`if (${index} >= ${items}.length) break; ${item} = H.cp(${items}[${index}++]);`];
  }
  // What is only lent to this function does not change while it runs, and needs no snapshot.
  f.emit(`${items} = ${f.lent.has(source.js) ? source.js : owned(source)}; ${index} = 0;`);
  f.emit(
    `if (${items} instanceof H.RhaiArray) { ${iterator} = null; ${items} = ${items}.items; } ` +
      `else { ${iterator} = H.iterate(R, ${items}, ${startPosition(iterable)}); ${items} = H.none; }`,
  );
  return (item) => [
    `if (${iterator} === null) { if (${index} >= ${items}.length) break; ${item} = H.cp(${items}[${index}++]); } ` +
      `else { ${value} = H.nextItem(${iterator}, ${startPosition(iterable)}); if (${value}.done) break; ${item} = ${value}.value; }`,
  ];
}

function startMark(f: FunctionWriter): string | null {
  if (!f.dynamic) return null;
  const mark = `m${f.script.nextId()}`;
  f.emit(`const ${mark} = E.length;`);
  return mark;
}

function rewind(f: FunctionWriter, mark: string | null): void {
  if (mark !== null) f.emit(`E.rewind(${mark});`);
}
