import type { Config } from "../config.ts";
import type { Executor } from "../executor/index.ts";
import type { Catalog } from "../services/catalog/index.ts";
import type { ExecutionLog } from "../services/executions/index.ts";
import type { Clock } from "../shared/clock.ts";
import type { Principal } from "../shared/principal.ts";
import type { GateStats } from "./gate.ts";

export interface OrchestratorOptions {
  readonly catalog: Catalog;
  readonly executor: Executor;
  readonly executions: ExecutionLog;
  readonly config: Pick<Config, "maxBodyBytes" | "maxConcurrentExecutions" | "trustedProxies">;
  readonly clock: Clock;
  /** Who sends this request; null for nobody or a bad credential. Only asked when there is a credential. May reject. */
  readonly authenticate: (request: Request) => Promise<Principal | null>;
  /** AppRead: may run scripts whose direct_execute is "members". */
  readonly mayExecute: (principal: Principal, appId: string) => boolean | Promise<boolean>;
  /** AppLogRead: may see what a script threw. */
  readonly mayReadLogs: (principal: Principal, appId: string) => boolean | Promise<boolean>;
}

export interface Orchestrator {
  /**
   * Answers any request that is not the control plane's: user routes and POST /api/v1/execute/{script_id}. Never
   * rejects; every answer carries X-Request-Id.
   */
  handle(request: Request, info: { readonly remoteAddress: string }): Promise<Response>;
  stats(): GateStats;
  /** Refuses new runs with 503 from now on and waits up to `graceMs` for those under way. */
  drain(graceMs: number): Promise<void>;
}

export declare function createOrchestrator(options: OrchestratorOptions): Orchestrator;
