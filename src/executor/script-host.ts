import {
  Engine,
  JsonError,
  type CompiledScript,
  type Diagnostic,
  type RunOptions,
  type RunResult,
} from "../rhai/index.ts";
import type { RunLimits } from "../shared/limits.ts";
import { compileFailure, failureOf } from "./failure.ts";
import type { HeapBoard } from "./heap-board.ts";
import { HeapMeter } from "./heap-meter.ts";
import type { ContextFields, Failure, Result } from "./protocol.ts";
import { answerOf, InvalidResponse } from "./response.ts";
import { buildCtx } from "./sdk/ctx.ts";
import { nativeModules } from "./sdk/define.ts";
import { logModule, RunLog } from "./sdk/log.ts";
import { RunContext } from "./sdk/run-context.ts";
import { stateless } from "./sdk/stateless/index.ts";

/** One version that this worker was given. */
export interface LoadedScript {
  readonly source: string;
  readonly scriptId: string;
  readonly scriptName: string;
  readonly limits: RunLimits;
  /** Made at the first run. */
  compiled: CompiledScript | Failure | null;
}

/** What the run of a loaded script is given. */
export interface RunInput {
  readonly ticket: number;
  readonly appId: string;
  readonly executionId: string;
  /** Absent when the script cannot look at `ctx`. */
  readonly context: ContextFields | undefined;
}

const CONSTANTS = ["ctx"];

/** Compiles and runs scripts in this thread, one at a time. */
export class ScriptHost {
  readonly #engine = new Engine({ modules: [logModule, ...nativeModules(stateless)] });
  readonly #meter: HeapMeter;

  constructor(heaps: HeapBoard, index: number) {
    this.#meter = new HeapMeter(heaps, index);
  }

  check(source: string): readonly Diagnostic[] {
    const result = this.#engine.compile(source, { constants: CONSTANTS });
    return result.ok ? [] : result.diagnostics;
  }

  /** Never throws: whatever happens is a result. A promise only when the script suspended. */
  run(script: LoadedScript, input: RunInput): Result | Promise<Result> {
    const begun = performance.now();
    const log = new RunLog();
    try {
      script.compiled ??= this.#compile(script);
      if ("code" in script.compiled) return [input.ticket, performance.now() - begun, 0, script.compiled];
      const result = script.compiled.run(this.#options(script, input, begun, log));
      return result instanceof Promise
        ? result.then((settled) => finish(input.ticket, begun, settled, log))
        : finish(input.ticket, begun, result, log);
    } catch (error) {
      return [input.ticket, performance.now() - begun, 0, faultOf(error), log.finish()];
    }
  }

  #compile(script: LoadedScript): CompiledScript | Failure {
    const { maxExprDepth, maxStringSize, maxArraySize, maxMapSize } = script.limits;
    const result = this.#engine.compile(script.source, {
      constants: CONSTANTS,
      limits: { maxExprDepth, maxStringSize, maxArraySize, maxMapSize },
    });
    return result.ok ? result.script : compileFailure(result.diagnostics);
  }

  #options(script: LoadedScript, input: RunInput, begun: number, log: RunLog): RunOptions {
    const { limits } = script;
    this.#meter.begin(limits.memoryBytes);
    return {
      limits: {
        maxOperations: limits.maxOperations,
        maxStringSize: limits.maxStringSize,
        maxArraySize: limits.maxArraySize,
        maxMapSize: limits.maxMapSize,
        maxCallLevels: limits.maxCallLevels,
        maxMemory: limits.memoryBytes,
      },
      scope:
        input.context === undefined ? NO_SCOPE : { ctx: buildCtx(input.executionId, script, input.context) },
      deadline: begun + limits.timeoutMs,
      heapBytes: this.#meter.read,
      cancelled: this.#meter.mustStop,
      print: (text) => log.add("info", text),
      debug: (text) => log.add("trace", text),
      context: new RunContext(input.appId, script.scriptId, input.executionId, log),
    };
  }
}

const NO_SCOPE: NonNullable<RunOptions["scope"]> = { ctx: undefined };

function finish(ticket: number, begun: number, result: RunResult, log: RunLog): Result {
  const operations = result.operations;
  if (!result.ok) {
    const failure = failureOf(result.error);
    return [ticket, performance.now() - begun, operations, failure, log.finish()];
  }
  try {
    const { statusCode, headers, body, isBase64 } = answerOf(result.value);
    const durationMs = performance.now() - begun;
    if (log.isEmpty && !isBase64) return [ticket, durationMs, operations, statusCode, headers, body];
    return [ticket, durationMs, operations, statusCode, headers, body, isBase64 ? 1 : 0, log.finish()];
  } catch (error) {
    return [ticket, performance.now() - begun, operations, faultOf(error), log.finish()];
  }
}

function faultOf(error: unknown): Failure {
  if (error instanceof InvalidResponse) {
    return { code: "invalid_response", message: `The script's answer is not valid: ${error.message}.` };
  }
  if (error instanceof JsonError) {
    return { code: "malformed_body", message: `The request's body is not JSON: ${error.message}.` };
  }
  return {
    code: "internal",
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
