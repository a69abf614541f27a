/** Takes requests of the data plane to a run of a script and back. */
export { createOrchestrator, type Orchestrator, type OrchestratorOptions } from "./orchestrator.ts";
export type { GateStats } from "./gate.ts";
