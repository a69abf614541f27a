import {
  createExecutor,
  type Executor,
  type ExecutorOptions,
  type RunOutcome,
  type RunRequest,
} from "../../../src/executor/index.ts";
import { NO_MODULES } from "../../../src/services/catalog/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { DEFAULT_LIMITS, type RunLimits } from "../../../src/shared/limits.ts";

/** An executor whose sources are given with each run. */
export interface Runs {
  readonly executor: Executor;
  run(source: string, options?: RunOptions): Promise<RunOutcome>;
  /** The text that the script answered with; throws when it failed. */
  answer(source: string, options?: RunOptions): Promise<string>;
}

export interface RunOptions {
  readonly app?: string;
  readonly limits?: Partial<RunLimits>;
  /** The event that it is for. */
  readonly delivery?: RunRequest["delivery"];
}

export function startExecutor(options: Partial<ExecutorOptions> = {}): Runs {
  const sources = new Map<string, string>();
  const ids = new Map<string, { readonly scriptId: string; readonly limits: RunLimits }>();
  const executor = createExecutor({
    maxConcurrent: 32,
    cacheSize: 16,
    loadSource: (_app, scriptId) => Promise.resolve(sources.get(scriptId) ?? null),
    ...options,
  });
  const run: Runs["run"] = (source, { app = "app", limits = {}, delivery } = {}) => {
    const key = JSON.stringify([source, app, limits]);
    let known = ids.get(key);
    if (known === undefined) {
      known = { scriptId: newId(), limits: { ...DEFAULT_LIMITS, ...limits } };
      ids.set(key, known);
      sources.set(known.scriptId, source);
    }
    return executor.execute({ ...request(app, known.scriptId, known.limits), delivery });
  };
  return {
    executor,
    run,
    async answer(source, runOptions) {
      const { response, error } = await run(source, runOptions);
      if (response === null) throw new Error(error?.message);
      return String(response.body);
    },
  };
}

/** A run without an HTTP request. */
export function request(appId: string, scriptId: string, limits: RunLimits): RunRequest {
  const executionId = newId();
  return {
    appId,
    scriptId,
    scriptName: "test",
    version: 1,
    limits,
    modules: NO_MODULES,
    executionId,
    requestId: newId(),
    rootExecutionId: executionId,
    invocationType: "function",
    triggerDepth: 0,
    attempt: 1,
    principal: null,
    request: null,
    event: null,
    emits: false,
  };
}
