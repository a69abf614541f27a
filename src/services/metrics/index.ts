/** Figures for Prometheus. */
export { createMetrics, type Metrics, type MetricsDeps } from "./service.ts";
export type { EndedRun } from "./runs.ts";
