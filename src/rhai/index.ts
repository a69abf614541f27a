export { Engine, type EngineOptions } from "./compile/engine.ts";
export type { CompiledScript, CompileResult } from "./compile/script.ts";
export type {
  CompileOptions,
  FunctionSignature,
  ModuleResolver,
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
