import type { Expr, Stmt, SwitchPattern } from "../syntax/ast.ts";
import { compileCondition, compileExpr, owned } from "./expression.ts";
import type { Destination, FunctionWriter } from "./function-writer.ts";
import { intLiteral, numberLiteral, stringLiteral } from "./literal.ts";
import { compileStmt } from "./statement.ts";

/**
 * `switch`: first the arm is found, then run. Exact values count before ranges, whatever their order; an arm whose
 * guard refuses lets the search go on.
 */
export function compileSwitch(
  f: FunctionWriter,
  stmt: Extract<Stmt, { kind: "Switch" }>,
  destination: Destination,
): void {
  f.count(stmt.pos);
  const value = compileExpr(f, stmt.subject);
  const subject = f.temp();
  const chosen = f.temp();
  f.emit(`${subject} = ${value.js};`);
  const fallback = stmt.arms.findIndex((arm) => arm.patterns.length === 0);
  f.emit(`${chosen} = ${fallback};`);
  const tests: { test: string; arm: number; literal: string | null }[] = [];
  const ranges: { test: string; arm: number; literal: null }[] = [];
  for (const [arm, { patterns }] of stmt.arms.entries()) {
    for (const pattern of patterns) {
      if (pattern.kind === "Range") ranges.push({ test: rangeTest(subject, pattern), arm, literal: null });
      else
        tests.push({ test: valueTest(f, subject, pattern.value), arm, literal: caseLiteral(pattern.value) });
    }
  }
  const guarded = stmt.arms.some((arm) => arm.guard !== null);
  const plain = !guarded && tests.length > 2 && tests.every((test) => test.literal !== null);
  const label = `S${f.script.nextId()}`;
  f.emit(`${label}: {`);
  if (plain) {
    // Duplicates are legal in Rhai and the first one counts, as it does in JavaScript.
    f.emit(`switch (${subject}) {`);
    for (const { literal, arm } of tests) f.emit(`case ${literal}: ${chosen} = ${arm}; break ${label};`);
    f.emit("}");
  }
  for (const { test, arm } of plain ? ranges : [...tests, ...ranges]) {
    const guard = stmt.arms[arm]?.guard ?? null;
    f.emit(`if (${test}) {`);
    if (guard !== null) f.emit(`if (${compileCondition(f, guard)}) {`);
    f.emit(`${chosen} = ${arm}; break ${label};`);
    f.emit(guard === null ? "}" : "} }");
  }
  f.emit("}");
  compileArms(f, stmt, chosen, destination);
}

function compileArms(
  f: FunctionWriter,
  stmt: Extract<Stmt, { kind: "Switch" }>,
  chosen: string,
  destination: Destination,
): void {
  let longest: number[] = [];
  f.emit(`switch (${chosen}) {`);
  for (const [arm, { body }] of stmt.arms.entries()) {
    f.emit(`case ${arm}: {`);
    const outer = f.scope;
    f.scope = [...outer];
    f.level += 1;
    const operations = f.counted(() => compileStmt(f, body, destination, false));
    f.level -= 1;
    f.scope = outer;
    if (operations.length > longest.length) longest = operations;
    f.emit("break; }");
  }
  f.emit("default: {");
  compileStmt(f, { kind: "Noop", pos: stmt.pos }, destination, false);
  f.emit("} }");
  f.operations.push(...longest);
}

/** A pattern that a JavaScript `case` can hold, for which `===` is right. */
function caseLiteral(expr: Expr): string | null {
  switch (expr.kind) {
    case "Int":
      return intLiteral(expr.value);
    case "Str":
      return stringLiteral(expr.value);
    case "Bool":
      return String(expr.value);
    case "Unit":
      return "undefined";
    default:
      return null;
  }
}

function valueTest(f: FunctionWriter, subject: string, pattern: Expr): string {
  const literal = caseLiteral(pattern);
  if (literal !== null) return `${subject} === ${literal}`;
  switch (pattern.kind) {
    case "Float":
      return `(${subject} instanceof H.Float && ${subject}.value === ${numberLiteral(pattern.value)})`;
    case "Char":
      return `(${subject} instanceof H.Char && ${subject}.text === ${stringLiteral(pattern.value)})`;
    default: {
      let js = "";
      const lines = f.capture(() => {
        js = owned(compileExpr(f, pattern));
      });
      f.lines.push(...lines);
      return `H.same(${subject}, ${js})`;
    }
  }
}

function rangeTest(subject: string, pattern: Extract<SwitchPattern, { kind: "Range" }>): string {
  return `H.within(${subject}, ${intLiteral(pattern.from)}, ${intLiteral(pattern.to)}, ${pattern.inclusive})`;
}
