import type { Script } from "../syntax/ast.ts";
import { NONE } from "../syntax/position.ts";
import type { EngineLimits } from "../runtime/native.ts";
import type { NativeTable } from "../runtime/natives.ts";
import { compileFunction, declareFunctions, needsScope } from "./function.ts";
import { FunctionWriter, RETURN } from "./function-writer.ts";
import { analyse, NOTHING_KNOWN } from "./inference.ts";
import { withHelpers } from "./literal.ts";
import { outlineLoops } from "./outline.ts";
import { ScriptWriter } from "./script-writer.ts";
import { compileBody } from "./statement.ts";
import { findSuspension } from "./suspension.ts";
import { closuresIn, someExpr } from "./walk.ts";

export interface GenerateOptions {
  readonly natives: NativeTable;
  readonly limits: EngineLimits;
  readonly allowEval: boolean;
  readonly constants: ReadonlySet<string>;
  /** Compiles every function as one that may suspend. */
  readonly forceSuspension: boolean;
  /** Whether the types of variables are inferred. */
  readonly inferTypes: boolean;
  /** The input of a session: its variables live in the scope `E` that it is given, and stay there. */
  readonly inSession?: boolean;
}

export interface Generated {
  /** Body of a function of `H` (helpers) and `P` (the program), which answers the function that runs the script. */
  readonly javascript: string;
  readonly suspends: boolean;
}

/** The JavaScript of a whole script. */
export function generate(script: Script, options: GenerateOptions): Generated {
  const { natives } = options;
  const suspension = findSuspension(script, natives, options.forceSuspension);
  const writer = new ScriptWriter({
    script,
    ...options,
    suspension,
    usesGlobals: options.inSession === true || hasFunctions(script),
    isEval: false,
  });
  declareFunctions(writer, script.functions);
  for (const fn of writer.functions) compileFunction(writer, fn);
  const main = mainCode(writer, script, suspension.main, options.inSession === true);
  const javascript = assemble(writer, main);
  return { javascript, suspends: suspension.main };
}

function assemble(writer: ScriptWriter, main: string): string {
  const code = [...writer.code, main, "return main;"].join("\n");
  return withHelpers([...writer.hoistedFor(code), code].join("\n"));
}

/** Global constants are only kept where a function could ask for them. */
function hasFunctions(script: Script): boolean {
  return script.functions.length > 0 || closuresIn(script.body).length > 0;
}

function mainCode(writer: ScriptWriter, script: Script, suspends: boolean, inSession: boolean): string {
  const dynamic = inSession || needsScope(writer, script.body);
  const f = new FunctionWriter(writer, {
    isMain: true,
    suspends,
    dynamic,
    ...(dynamic ? NOTHING_KNOWN : analyse(writer, [], script.body)),
  });
  return `${suspends ? "async " : ""}function main(R, E, T) {\n${statements(f, script, inSession)}\n}`;
}

/** Code for `eval`: runs in the scope `E` that it is given, and leaves its variables there. */
export function generateEval(script: Script, options: GenerateOptions, suspends: boolean): string {
  const suspension = findSuspension(script, options.natives, suspends);
  const writer = new ScriptWriter({ script, ...options, suspension, usesGlobals: false, isEval: true });
  const f = new FunctionWriter(writer, { isMain: true, suspends, dynamic: true, ...NOTHING_KNOWN });
  const body = statements(f, script);
  const main = `${suspends ? "async " : ""}function main(R, E, T) {\n${body}\n}`;
  return assemble(writer, main);
}

function statements(f: FunctionWriter, script: Script, inSession = false): string {
  const lines = f.capture(() => {
    f.beginMeter(NONE);
    if (!inSession) return compileBody(f, script.body, RETURN);
    // A block that gives the value must be left by its end, where its variables go, and not by a return.
    const value = f.temp();
    compileBody(f, script.body, { kind: "variable", js: value });
    f.emit(`return ${value};`);
  });
  const { body, functions } = outlineLoops(f, f.withMeters(lines));
  f.script.code.push(...functions);
  return body;
}

/** Whether the script calls `eval` anywhere. */
export function usesEval(script: Script): boolean {
  const test = (expr: { kind: string; name?: string }): boolean =>
    expr.kind === "Call" && expr.name === "eval";
  const bodies = [script.body, ...script.functions.map((fn) => fn.body.body)];
  return bodies.some(
    (body) =>
      someExpr(body, test) || closuresIn(body).some((closure) => someExpr(closure.fn.body.body, test)),
  );
}
