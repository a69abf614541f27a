import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EVERYTHING } from "../executor/needs.ts";
import { runCommand } from "../executor/protocol.ts";
import { buildCtx } from "../executor/sdk/ctx.ts";
import { nativeModules } from "../executor/sdk/define.ts";
import { RunLog } from "../executor/sdk/run-log.ts";
import { RunContext } from "../executor/sdk/run-context.ts";
import { stateless } from "../executor/sdk/stateless/index.ts";
import {
  type CompileResult,
  debugText,
  Engine,
  type EngineLimits,
  type ModuleResolver,
  type RunOptions,
  toJson,
  type Value,
} from "../rhai/index.ts";
import { DEFAULT_LIMITS } from "../shared/limits.ts";
import { write } from "./output.ts";

/** Scripts without a server: the same engine, limits and `ctx`, with the terminal for a log. */

export const CONSTANTS = ["ctx"];

/** What a script gets from the server when it asks for nothing. */
const LIMITS: Partial<EngineLimits> = {
  maxOperations: DEFAULT_LIMITS.maxOperations,
  maxStringSize: DEFAULT_LIMITS.maxStringSize,
  maxArraySize: DEFAULT_LIMITS.maxArraySize,
  maxMapSize: DEFAULT_LIMITS.maxMapSize,
  maxCallLevels: DEFAULT_LIMITS.maxCallLevels,
  maxExprDepth: DEFAULT_LIMITS.maxExprDepth,
  maxMemory: DEFAULT_LIMITS.memoryBytes,
};

let engine: Engine | null = null;

/** The engine as the server's workers have it. */
export const localEngine = (): Engine =>
  (engine ??= new Engine({ modules: nativeModules(stateless), limits: LIMITS }));

export const compileLocally = (source: string): CompileResult =>
  localEngine().compile(source, { constants: CONSTANTS });

/** What a local run is told of its request. */
export interface LocalRequest {
  readonly scriptName: string;
  /** `:name` parts of a path. */
  readonly params: Readonly<Record<string, string>>;
  /** JSON text, or null for none. */
  readonly body: string | null;
}

/** `ctx` of a run over HTTP, as the server makes it. */
export function localCtx({ scriptName, params, body }: LocalRequest): Value {
  const executionId = crypto.randomUUID();
  const headers = body === null ? [] : ["content-type", "application/json"];
  const command = runCommand(
    0,
    0,
    {
      appId: "",
      scriptId: "",
      scriptName,
      version: 0,
      limits: DEFAULT_LIMITS,
      modules: { modules: [], endpoints: [] },
      executionId,
      requestId: crypto.randomUUID(),
      rootExecutionId: executionId,
      invocationType: "http",
      triggerDepth: 0,
      attempt: 1,
      principal: null,
      event: null,
      emits: false,
      request: {
        method: body === null ? "GET" : "POST",
        path: `/${scriptName}`,
        query: "",
        host: "localhost",
        remoteIp: () => "127.0.0.1",
        headers: () => headers,
        params,
        rest: "",
        body: body === null ? { kind: "none" } : { kind: "json", text: body },
      },
    },
    { needs: EVERYTHING, isPrivileged: false },
  );
  const context = command[4];
  if (context === null) throw new Error("a request with all members has a context");
  return buildCtx(executionId, { scriptId: crypto.randomUUID(), scriptName }, context);
}

/** Options of one run that begins now: `print` goes to stdout, `debug` (level trace) and `log::…` to stderr. */
export function localRunOptions(ctx: Value, resolver: ModuleResolver): RunOptions {
  const deadline = performance.now() + DEFAULT_LIMITS.timeoutMs;
  return {
    scope: { ctx },
    deadline,
    print: (text) => write("stdout", `${text}\n`),
    debug: (text) => write("stderr", `trace ${text}\n`),
    context: new RunContext({
      appId: "",
      scriptId: "",
      executionId: "",
      log: new TerminalLog(),
      deadline,
      origin: null,
      maxCalls: DEFAULT_LIMITS.maxSdkCalls,
    }),
    resolver,
  };
}

/** `level message data`, a line each, as it happens. */
class TerminalLog extends RunLog {
  override add(level: string, message: string, ...data: readonly Value[]): void {
    write("stderr", `${[level, message, ...data.map(dataText)].join(" ")}\n`);
  }
}

/** JSON as in the server's log, where JSON can hold it. */
function dataText(data: Value): string {
  try {
    return toJson(data);
  } catch {
    return debugText(data);
  }
}

/** `import "name"` means `name.rhai` in the folder. Names are those that modules of the platform may have. */
export class FolderModules implements ModuleResolver {
  readonly #folder: string;
  /** Whether any was found: then places in errors may be those of a module. */
  used = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  resolve(name: string): { readonly source: string } | undefined {
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) return undefined;
    try {
      const source = readFileSync(join(this.#folder, `${name}.rhai`), "utf8");
      this.used = true;
      return { source };
    } catch {
      return undefined;
    }
  }
}
