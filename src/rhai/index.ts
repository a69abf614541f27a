/**
 * Rhai 1.26, compiled to JavaScript. A library of its own: it imports nothing from outside of this folder. The examples
 * below are run by the tests.
 *
 * @example
 * // Compile once, run often. A failed run is a result, not an exception.
 * const engine = new Engine({ limits: { maxOperations: 1_000_000 } });
 * const compiled = engine.compile("fn double(x) { x * 2 } print(1); double(21)");
 * if (!compiled.ok) throw new Error("does not compile");
 * const lines = [];
 * const result = await compiled.script.run({ print: (text) => lines.push(text), deadline: performance.now() + 1000 });
 * expect([result.ok, result.value, lines]).toEqual([true, 42, ["1"]]);
 *
 * @example
 * // Call one of its functions; list them with their doc comments.
 * const compiled = new Engine().compile("/// Adds.\nfn add(a, b) { a + b } private fn hidden() {}");
 * expect(await compiled.script.call("add", [1, 2])).toMatchObject({ ok: true, value: 3 });
 * const listed = compiled.script.functions.map((fn) => [fn.name, fn.params, fn.comments, fn.isPrivate]);
 * expect(listed).toEqual([["add", ["a", "b"], ["/// Adds."], false], ["hidden", [], [], true]]);
 *
 * @example
 * // Bad source never throws. The first diagnostic is the official one.
 * const compiled = new Engine().compile("fn a() { let }\nfn b() { 1 + }");
 * expect(compiled.diagnostics.map((one) => [one.line, one.column])).toEqual([[1, 14], [2, 14]]);
 * expect(formatDiagnostic(compiled.diagnostics[0], "a.rhai")).toStartWith("a.rhai: Syntax error: ");
 *
 * @example
 * // Natives, synchronous or not, in a module of their own. A script that can reach one that suspends answers a promise.
 * const now = { name: "now", params: [], pure: true, returns: "i64", call: () => 7 };
 * const later = { name: "later", params: ["any"], pure: true, suspends: true, returns: "any", call: async (_, x) => x };
 * const engine = new Engine({ modules: [{ name: "clock", functions: [now, later] }] });
 * const compiled = engine.compile("clock::now() + clock::later(1)");
 * expect([compiled.script.suspends, (await compiled.script.run()).value]).toEqual([true, 8]);
 *
 * @example
 * // A native type with a getter, a setter, a method and an indexer.
 * class Point extends HostValue { typeName = "Point"; x = 1; }
 * const natives = [
 *   { name: "point", params: [], pure: true, returns: "Point", call: () => new Point() },
 *   { name: "get$x", params: ["Point"], pure: true, returns: "i64", call: (_, p) => p.x },
 *   { name: "set$x", params: ["Point", "i64"], pure: false, mutates: true, returns: "()", call: (_, p, x) => void (p.x = x) },
 *   { name: "twice", params: ["Point"], pure: true, returns: "i64", call: (_, p) => p.x * 2 },
 *   { name: "index$get", params: ["Point", "i64"], pure: true, returns: "i64", call: (_, p, i) => p.x + i },
 * ];
 * const compiled = new Engine({ modules: [{ name: "", functions: natives }] }).compile(
 *   "let p = point(); p.x = 5; p.x += 1; [p.x, p.twice(), p[10], type_of(p)]",
 * );
 * expect(toDebugValue((await compiled.script.run()).value)).toBe('[6, 12, 16, "Point"]');
 *
 * @example
 * // Modules come from a resolver; they may suspend while they load.
 * const resolver = { resolve: (name) => (name === "m" ? { source: "export const N = 2; fn f(x) { x * 3 }" } : undefined) };
 * const compiled = new Engine().compile('import "m" as m; m::f(m::N)');
 * expect((await compiled.script.run({ resolver })).value).toBe(6);
 *
 * @example
 * // Errors of a run carry a stack trace.
 * const compiled = new Engine().compile("fn f() {\n  throw 1\n}\nf();");
 * const { error } = await compiled.script.run();
 * expect(traceOf(error)).toEqual([{ function: "f", line: 2, column: 3 }, { function: null, line: 4, column: 1 }]);
 *
 * @example
 * // The tree, its walk, tokens for highlighting, and the formatter.
 * const parsed = parse("let a = [1, 2]; a.map(|x| x + 1)");
 * const kinds = [];
 * walkScript(parsed.script, { expr: (expr) => void kinds.push(expr.kind) });
 * expect(kinds).toEqual(["Array", "Int", "Int", "Chain", "Var", "Closure", "Binary", "Var", "Int"]);
 * expect(tokenize("a /* b *\/ + 1").map((token) => token.kind)).toEqual(["Name", "Comment", "+", "Int"]);
 * expect(format("let a=1;a")).toEqual({ ok: true, text: "let a = 1;\na\n" });
 *
 * @example
 * // A session keeps its variables from input to input.
 * const session = new Engine().session();
 * await session.run("let x = 20;");
 * expect((await session.run("x + 1")).value).toBe(21);
 *
 * @example
 * // Values to and from plain data and JSON.
 * const value = fromHost({ a: [1, 2.5, "x", null] });
 * expect([toJson(value), typeName(value)]).toEqual(['{"a":[1,2.5,"x",null]}', "map"]);
 * expect(display(parseJson("[1.0, 2]"))).toBe("[1.0, 2]");
 */
export { Engine, type EngineOptions } from "./compile/engine.ts";
export { type Visitor, walkScript } from "./compile/walk.ts";
export type { Session } from "./compile/session.ts";
export type { ModuleCall, ModuleLinks } from "./compile/module-links.ts";
export type { CompiledScript, CompileResult } from "./compile/script.ts";
export type {
  CompileOptions,
  FunctionSignature,
  ModuleResolver,
  ResolvedModule,
  RunOptions,
  RunResult,
} from "./runtime/run-options.ts";
export type { Diagnostic } from "./syntax/diagnostics.ts";
export { traceOf, type TraceEntry } from "./runtime/trace.ts";
export { RhaiError, type ErrorKind } from "./runtime/errors.ts";
export type {
  EngineLimits,
  NativeContext,
  NativeFunction,
  NativeModule,
  ParamType,
  Ref,
} from "./runtime/native.ts";
export * from "./runtime/values.ts";
export { JsonError } from "./runtime/json-error.ts";
export { fromHost, type HostData, parseJson, toJson } from "./runtime/json.ts";
export { debugText, display, toDebugValue } from "./runtime/format.ts";
export { typeName } from "./runtime/type-name.ts";
export {
  columnOf,
  excerptAt,
  format,
  formatDiagnostic,
  type FormatResult,
  lineOf,
  NONE,
  officialMessage,
  parse,
  type Pos,
  type Script,
  type Token,
  tokenize,
} from "./syntax/index.ts";
