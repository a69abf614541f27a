import type { EngineLimits, NativeModule } from "../runtime/native.ts";
import type { CompileOptions } from "../runtime/run-options.ts";
import type { CompileResult } from "./script.ts";

export interface EngineOptions {
  /** Natives beside the standard library, which is always there. */
  readonly modules?: readonly NativeModule[];
  readonly limits?: Partial<EngineLimits>;
  /** Whether scripts may call `eval`. Off unless set. */
  readonly allowEval?: boolean;
}

/** Compiles scripts against the standard library and the natives it was given. Make one and keep it. */
export class Engine {
  readonly options: EngineOptions;
  constructor(options: EngineOptions = {}) {
    this.options = options;
  }
  /** Never throws on bad source: what is wrong with it is in `diagnostics`. */
  compile(_source: string, _options: CompileOptions = {}): CompileResult {
    return { ok: false, diagnostics: [{ text: "not built yet", message: "not built yet", pos: 0, line: 0, column: 0 }] };
  }
}
