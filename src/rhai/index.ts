/**
 * Rhai 1.26, compiled to JavaScript. A library of its own: it imports nothing from outside of this folder.
 *
 * @example
 * const engine = new Engine({ limits: { maxOperations: 1_000_000 } });
 * const compiled = engine.compile("fn double(x) { x * 2 } double(21)");
 * if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
 * const result = await compiled.script.run({ print: console.log, deadline: performance.now() + 1000 });
 * if (result.ok) console.log(result.value);
 * else console.error(result.error.message);
 *
 * @example
 * // Natives: sync or, with `suspends`, async. Those of a named module are called as `name::function`.
 * const engine = new Engine({
 *   modules: [{ name: "clock", functions: [{ name: "now", params: [], pure: true, returns: "i64", call: () => Date.now() }] }],
 * });
 */
export { Engine, type EngineOptions } from "./compile/engine.ts";
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
  tokenize,
} from "./syntax/index.ts";
