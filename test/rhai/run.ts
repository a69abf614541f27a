import {
  Engine,
  type EngineOptions,
  type RhaiError,
  type RunOptions,
  type RunResult,
  type Value,
} from "../../src/rhai/index.ts";
import { toDebugValue } from "../../src/rhai/runtime/format.ts";
import { threadTime } from "../support/thread-time.ts";

/** Compiles and runs a source with an engine of its own. */
export function run(source: string, options: RunOptions = {}, engine: EngineOptions = {}): RunResult {
  const compiled = new Engine(engine).compile(source, {
    limits: options.limits ?? {},
    constants: Object.keys(options.scope ?? {}),
  });
  if (!compiled.ok) throw new Error(`does not compile: ${compiled.diagnostics[0]?.message}`);
  const result = compiled.script.run(options);
  if (result instanceof Promise) throw new Error("the run suspended");
  return result;
}

/** The value of a run that must succeed. */
export function value(source: string, options: RunOptions = {}, engine: EngineOptions = {}): Value {
  const result = run(source, options, engine);
  if (!result.ok) throw result.fault ?? new Error(result.error.message);
  return result.value;
}

/** The debug form of the value of a run that must succeed. */
export const shown = (source: string, options: RunOptions = {}, engine: EngineOptions = {}): string =>
  toDebugValue(value(source, options, engine));

/** The error of a run that must fail. */
export function error(source: string, options: RunOptions = {}, engine: EngineOptions = {}): RhaiError {
  const result = run(source, options, engine);
  if (!result.ok && result.fault !== undefined) throw result.fault;
  if (result.ok) throw new Error(`did not fail but answered ${toDebugValue(result.value)}`);
  return result.error;
}

/** Cancels a run that took more than these milliseconds of processor time, however long the machine took over them. */
export function within(ms: number): Pick<RunOptions, "cancelled"> {
  const end = threadTime() + ms;
  return { cancelled: () => threadTime() > end };
}
