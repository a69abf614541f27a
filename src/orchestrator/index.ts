/** Takes requests of the data plane to a run of a script and back. */
export { createDispatcher, type Dispatcher, type DispatcherStats } from "./dispatcher.ts";
export { createScheduler, type Scheduler, type SchedulerStats } from "./scheduler.ts";
export type { GateStats } from "./gate.ts";
export {
  createOrchestrator,
  type Invocation,
  type Orchestrator,
  type OrchestratorOptions,
} from "./orchestrator.ts";
export type { EndedRun, OneRun } from "./runs.ts";
export type { RequestOrigin } from "./http-request.ts";
