import type { Database } from "../../database/client.ts";
import type { Clock } from "../../shared/clock.ts";
import type { ExecutionRow } from "./model.ts";

export interface ExecutionLog {
  /** Remembers a run. Returns at once, never throws; the row is written shortly after. */
  record(row: ExecutionRow): void;
  /** Writes what waits. Never rejects: a failing write is logged and its rows are counted as dropped. */
  flush(): Promise<void>;
  /** Flushes and records no more. */
  stop(): Promise<void>;
}

export declare function createExecutionLog(db: Database, options: { readonly clock: Clock }): ExecutionLog;
