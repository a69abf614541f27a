import type { ConnectionTarget } from "../database/target.ts";
import type { Diagnostic } from "../rhai/index.ts";
import type { RunLimits } from "../shared/limits.ts";
import type { ModuleSet, ScriptLinks } from "../services/catalog/index.ts";
import type { ExecutionError, ExecutionStatus, LogEntry } from "../services/executions/index.ts";

/** The HTTP request as the script may see it: credentials of the control plane are already removed. */
export interface RunHttpRequest {
  readonly method: string;
  /** As received, without the query. */
  readonly path: string;
  /** As received, without `?`; empty when there is none. */
  readonly query: string;
  /** Normalised: no port, lower case. */
  readonly host: string;
  /** Asked for as seldom as the headers. */
  readonly remoteIp: () => string;
  /** Name (lower case) and value by turns: n0, v0, n1, v1, … Only asked for when the script may look at them. */
  readonly headers: () => readonly string[];
  readonly params: Readonly<Record<string, string>>;
  /** Remainder of a prefix route, without leading slash; else empty. */
  readonly rest: string;
  readonly body: RunBody;
}

/**
 * A request body (CONTRACT 2.9). JSON stays text until the worker reads it, so that integers keep their 64 bits;
 * whoever makes it must know that the text is valid JSON.
 */
export type RunBody =
  | { readonly kind: "none" }
  | { readonly kind: "json"; readonly text: string }
  | { readonly kind: "form"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** One run of one version of a script. */
export interface RunRequest {
  /** From the route, the trigger or the credential; never from a script or a body. */
  readonly appId: string;
  readonly scriptId: string;
  readonly scriptName: string;
  readonly version: number;
  readonly limits: RunLimits;
  /** What it may import. The same object as long as it means the same. */
  readonly modules: ModuleSet;
  readonly executionId: string;
  readonly requestId: string;
  readonly rootExecutionId: string;
  readonly invocationType: "http" | "function" | "scheduled";
  readonly triggerDepth: number;
  /** From 1. */
  readonly attempt: number;
  readonly principal: { readonly id: string; readonly username: string } | null;
  /** The API key that was shown, which allows less than its user may; null or absent: none was. */
  readonly keyId?: string | null;
  /** Null for triggered runs: the script sees an empty one. */
  readonly request: RunHttpRequest | null;
  /** `ctx.event` as JSON text; null: the key is absent. */
  readonly event: string | null;
  /** Whether what it writes may cause events, which then tell what run they come from. */
  readonly emits: boolean;
  /** The event that a transactional run is for: what the run does and the end of that are one transaction. */
  readonly delivery?: { readonly id: string; readonly attempt: number } | undefined;
}

/** The script's answer, ready to send. */
export interface RunResponse {
  readonly statusCode: number;
  /** Name and value by turns; a name may come repeatedly. Always with a content-type. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** Why a run failed (CONTRACT 2.9). `malformed_body`: the body said it was JSON; the script did not start. */
export type RunErrorCode =
  | "script_error"
  | "invalid_response"
  | "compile_error"
  | "malformed_body"
  | "timeout"
  | "budget_exceeded"
  | "internal";

export interface RunError extends ExecutionError {
  readonly code: RunErrorCode;
}

/**
 * `acknowledged`: it has ended with the run. `collided`: others changed the same data; nothing has happened, and the same run
 * may be made again. `lost`: it was not this run's any more; nothing has happened.
 */
export type DeliveryEnd = "acknowledged" | "collided" | "lost";

/** How a run ended. A worker that died is an outcome too, with code `internal`. */
export interface RunOutcome {
  readonly status: ExecutionStatus;
  /** Null exactly when there is an error. */
  readonly response: RunResponse | null;
  readonly error: RunError | null;
  readonly logs: readonly LogEntry[];
  readonly operations: number;
  /** From the start inside the worker to its end, without waiting. */
  readonly durationMs: number;
  /** Of a transactional run, what became of its delivery. Absent: nothing yet. */
  readonly delivery?: DeliveryEnd | undefined;
  /** Null: the worker is free again. Else it did not come back, and this resolves when its thread is gone. */
  readonly released: Promise<void> | null;
}

/** What the compiler says of a source. */
export interface Checked {
  readonly diagnostics: readonly Diagnostic[];
  /** Empty when it does not compile. */
  readonly links: ScriptLinks;
}

export interface ExecutorStats {
  /** Worker threads alive, busy ones among them. */
  readonly workers: number;
  readonly busy: number;
  /** Runs that were accepted and have not ended. */
  readonly running: number;
  /** Workers that were terminated because they did not come back. */
  readonly killed: number;
  /** Workers that died on their own. */
  readonly crashed: number;
}

export interface Executor {
  /**
   * Runs as soon as a worker can; who limits how many is the caller (the gate).
   * @throws whatever `loadSource` throws
   */
  execute(run: RunRequest): Promise<RunOutcome>;
  /**
   * Compiles without running, in a worker, so that hostile source delays nobody. No diagnostics when it compiles.
   * @throws AppError 422 `compile_timeout` when the compiler does not come back within some seconds
   */
  check(appId: string, source: string, options: { readonly kind: "endpoint" | "module" }): Promise<Checked>;
  stats(): ExecutorStats;
  /** Waits up to `graceMs` for running scripts, then terminates every worker. */
  stop(graceMs: number): Promise<void>;
}

export interface ExecutorOptions {
  /** Runs at the same time, and so worker threads, at most. */
  readonly maxConcurrent: number;
  /** Compiled versions kept per worker. */
  readonly cacheSize: number;
  /** The source text of one version; null when there is none. */
  readonly loadSource: (appId: string, scriptId: string, version: number) => Promise<string | null>;
  /** The database that scripts' service calls go to, from each worker over a connection of its own; none: they fail. */
  readonly database?: ConnectionTarget;
  /** Told of the moment, in milliseconds since the epoch, at which data that a run wrote expires. */
  readonly onExpiry?: (at: number) => void;
  /** Told that a run wrote what may have caused events. */
  readonly onEvents?: () => void;
  /** Told that a run asked for an index of documents, or for one to be dropped. */
  readonly onIndexes?: () => void;
  /** Another entry for the worker threads; for tests of what happens when one dies. */
  readonly workerUrl?: string;
}
