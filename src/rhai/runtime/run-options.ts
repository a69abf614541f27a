import type { Pos } from "../syntax/position.ts";
import type { RhaiError } from "./errors.ts";
import type { EngineLimits, NativeModule } from "./native.ts";
import type { Value } from "./values.ts";

/** Where `import "name"` gets its modules from. */
export interface ModuleResolver {
  /**
   * The module of a name: as source text, as a script that the same engine has compiled, or as natives; undefined when
   * there is none. Asked once a run for each name that can be loaded. May throw a RhaiError that says why it cannot.
   * @param from the name of the importing module, null for the main script
   */
  resolve(name: string, from: string | null): ResolvedModule | undefined;
}

export type ResolvedModule = { readonly source: string } | { readonly script: Importable } | NativeModule;

/** A compiled script, as far as it matters here. */
export interface Importable {
  readonly functions: readonly FunctionSignature[];
}

/** What one run of a script may use. Everything is optional. */
export interface RunOptions {
  /** Overrides of the engine's limits for this run. */
  readonly limits?: Partial<EngineLimits>;
  /** Constants visible to the script; their names must have been given to `compile` too. */
  readonly scope?: Readonly<Record<string, Value>>;
  /** The moment in `performance.now()` milliseconds after which the run fails with ErrorDeadline. */
  readonly deadline?: number;
  /** Polled now and then with the bytes counted so far; true ends the run with ErrorCancelled. */
  readonly cancelled?: (memory: number) => boolean;
  /**
   * Bytes of the real heap. Read right after a collection, once what was counted passes `maxMemory`; when it has then
   * grown by more than that since the start of the run, the run fails. Defaults to what the process tells.
   */
  readonly heapBytes?: () => number;
  /** How natives of the language wait for a promise; the embedder may do something else meanwhile. */
  readonly wait?: <T>(promise: Promise<T>) => Promise<T>;
  readonly print?: (text: string, pos: Pos) => void;
  readonly debug?: (text: string, pos: Pos) => void;
  readonly resolver?: ModuleResolver;
  /** Host data that native functions of the embedder reach through `NativeContext.host`. */
  readonly context?: unknown;
}

/** How a run ended. `operations` and `memory` (bytes, counted) are what it used. */
export type RunResult =
  | { readonly ok: true; readonly value: Value; readonly operations: number; readonly memory: number }
  | {
      readonly ok: false;
      readonly error: RhaiError;
      readonly operations: number;
      readonly memory: number;
      /** What a native threw that is no script error; `error` is then an ErrorSystem that does not tell more. */
      readonly fault?: unknown;
    };

/** A function that a script declares. */
export interface FunctionSignature {
  readonly name: string;
  readonly params: readonly string[];
  readonly thisType: string | null;
  readonly isPrivate: boolean;
  readonly comments: readonly string[];
  readonly pos: Pos;
}

export interface CompileOptions {
  /** Names of the constants that `RunOptions.scope` will hold. */
  readonly constants?: readonly string[];
  /** Overrides of the engine's limits that count while parsing (expression depths, literal sizes). */
  readonly limits?: Partial<EngineLimits>;
}
