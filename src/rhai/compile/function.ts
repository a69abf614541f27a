import type { Expr, FnDef, Ident, Stmt } from "../syntax/ast.ts";
import { NONE } from "../syntax/position.ts";
import { FunctionWriter, RETURN } from "./function-writer.ts";
import { analyse, NOTHING_KNOWN } from "./inference.ts";
import { stringLiteral } from "./literal.ts";
import { readOnlyParameters } from "./read-only.ts";
import type { FunctionRef, ScriptWriter } from "./script-writer.ts";
import { compileBody } from "./statement.ts";
import { ANY } from "./types.ts";
import { someExpr } from "./walk.ts";

/** Declares the functions of a script, so that calls find them before they are compiled. */
export function declareFunctions(script: ScriptWriter, defs: readonly FnDef[]): void {
  for (const def of defs) {
    script.functions.push(reference(script, def, [], script.suspension.suspends(def)));
  }
  for (const fn of script.functions) {
    if (!fn.dynamic) fn.readOnly = readOnlyParameters(script, fn.def);
  }
}

function reference(
  script: ScriptWriter,
  def: FnDef,
  captures: readonly string[],
  suspends: boolean,
): FunctionRef {
  const js = `f${script.nextId()}`;
  const arity = def.params.length + captures.length;
  const object = `k${script.nextId()}`;
  // Function declarations are hoisted, so that their objects can stand before everything that refers to them.
  const type = def.thisType === null ? "null" : stringLiteral(def.thisType);
  const define = def.name.startsWith("anon$") ? "" : ` P.define(${object}, ${type});`;
  script.hoisted.push(
    `const ${object} = { name: ${stringLiteral(def.name)}, arity: ${arity}, suspends: ${suspends}, code: ${js} };${define}`,
  );
  const dynamic = needsScope(script, def.body.body);
  return { def, js, object, suspends, captures, dynamic, readOnly: [] };
}

export function compileFunction(script: ScriptWriter, fn: FunctionRef): void {
  script.code.push(functionCode(script, fn, []));
}

/** A closure's function, compiled where the closure stands. */
export function compileClosureFunction(
  script: ScriptWriter,
  expr: Extract<Expr, { kind: "Closure" }>,
  captures: readonly Ident[],
): FunctionRef {
  // The name is never compared; the official one is a hash as well.
  const hash = (expr.pos * 0x9e3779b1 + script.nextId()).toString(16).padStart(16, "0").slice(-16);
  const def: FnDef = { ...expr.fn, name: `anon$${hash}` };
  const names = captures.map((capture) => capture.name);
  const fn = reference(script, def, names, script.suspension.suspends(expr.fn));
  script.code.push(functionCode(script, fn, captures));
  return fn;
}

/** Whether the variables of a body must be found by name at run time. */
export function needsScope(script: ScriptWriter, body: readonly Stmt[]): boolean {
  return someExpr(
    body,
    (expr) =>
      expr.kind === "Call" &&
      ((expr.name === "eval" && script.allowEval && expr.path.length === 0) || expr.capturesScope),
  );
}

function functionCode(script: ScriptWriter, fn: FunctionRef, captures: readonly Ident[]): string {
  const { def, dynamic } = fn;
  const f = new FunctionWriter(script, {
    isMain: false,
    suspends: fn.suspends,
    dynamic,
    ...(dynamic ? NOTHING_KNOWN : analyse(script, def.params, def.body.body)),
  });
  const params: string[] = [];
  const setup: string[] = [];
  if (dynamic) setup.push("const E = new H.DynamicScope();");
  for (const capture of captures) {
    const js = `c${script.nextId()}`;
    params.push(js);
    if (dynamic) setup.push(`E.push(${stringLiteral(capture.name)}, ${js});`);
    else f.scope.push({ name: capture.name, js, kind: "cell", bare: "", constant: false, ...ANY });
  }
  for (const param of def.params) {
    const isCell = f.captured.has(param);
    const js = `p${script.nextId()}`;
    params.push(js);
    if (!dynamic && !isCell && fn.readOnly[def.params.indexOf(param)] === true) f.lent.add(js);
    if (dynamic) setup.push(`E.push(${stringLiteral(param.name)}, new H.Cell(${js}));`);
    else if (isCell) {
      const variable = f.declare(param, false);
      setup.push(`${variable.js} = new H.Cell(${js});`);
    } else f.scope.push({ name: param.name, js, kind: "local", bare: "", constant: false, ...ANY });
  }
  return assemble(f, { js: fn.js, params, setup, callee: fn.object, body: def.body.body, pos: def.body.pos });
}

/** A second form of a function, which runs in the scope of its caller: for `f!(…)`. */
export function scopedFunction(script: ScriptWriter, fn: FunctionRef): string {
  const key = fn.js;
  const known = script.scoped.get(key);
  if (known !== undefined) return known;
  const js = `f${script.nextId()}`;
  script.scoped.set(key, js);
  const f = new FunctionWriter(script, {
    isMain: false,
    suspends: fn.suspends,
    dynamic: true,
    ...NOTHING_KNOWN,
  });
  const params = fn.def.params.map(() => `p${script.nextId()}`);
  const setup = fn.def.params.map(
    (param, i) => `E.push(${stringLiteral(param.name)}, new H.Cell(${params[i]}));`,
  );
  script.code.push(
    assemble(f, {
      js,
      params: ["E", ...params],
      setup,
      callee: fn.object,
      body: fn.def.body.body,
      pos: fn.def.body.pos,
    }),
  );
  return js;
}

interface Parts {
  readonly js: string;
  readonly params: readonly string[];
  readonly setup: readonly string[];
  readonly callee: string;
  readonly body: readonly Stmt[];
  readonly pos: number;
}

function assemble(f: FunctionWriter, parts: Parts): string {
  const lines = f.capture(() => {
    f.beginMeter(NONE);
    f.count(NONE);
    f.lines.push(...parts.setup);
    compileBody(f, parts.body, RETURN);
  });
  const locals = f.locals.length === 0 ? "" : `let ${f.locals.join(", ")};\n`;
  const imports = f.usesImports ? "const I = R.imports.length;\n" : "";
  return (
    `${f.suspends ? "async " : ""}function ${parts.js}(${["R", "S", "T", ...parts.params].join(", ")}) {\n` +
    locals +
    imports +
    "const D = R.depth;\n" +
    "if (D >= R.maxDepth) R.overflow(S);\n" +
    `R.frames[D] = S;\nR.callees[D] = ${parts.callee};\nR.depth = D + 1;\n` +
    `${f.withMeters(lines)}\n}`
  );
}
