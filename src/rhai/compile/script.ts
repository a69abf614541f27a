import type { ModuleLinks } from "./module-links.ts";
import type { Diagnostic } from "../syntax/diagnostics.ts";
import type { FunctionSignature, RunOptions, RunResult } from "../runtime/run-options.ts";
import type { Value } from "../runtime/values.ts";

/** A compiled script. Holds no state of any run: one may run many times, also at the same time. */
export interface CompiledScript {
  /** True when a run answers a promise: some native that it can reach may suspend. */
  readonly suspends: boolean;
  readonly functions: readonly FunctionSignature[];
  /** The modules that it imports, and what it calls of them. */
  readonly links: ModuleLinks;
  /** The generated JavaScript, for tests and the curious. */
  readonly javascript: string;
  /** Runs the script's statements. Never throws: a failed run is a result. */
  run(options?: RunOptions): RunResult | Promise<RunResult>;
  /** Calls one of its functions without running its statements. Never throws. */
  call(name: string, args: readonly Value[], options?: RunOptions): RunResult | Promise<RunResult>;
}

export type CompileResult =
  | { readonly ok: true; readonly script: CompiledScript }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };
