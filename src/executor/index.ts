/** Runs scripts in worker threads: metered, one app at a time per worker, never longer than their limit. */
export { createExecutor } from "./executor.ts";
export type {
  DeliveryEnd,
  Executor,
  ExecutorOptions,
  ExecutorStats,
  RunBody,
  RunError,
  RunErrorCode,
  RunHttpRequest,
  RunOutcome,
  RunRequest,
  RunResponse,
} from "./model.ts";
