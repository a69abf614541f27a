/** Sweeps out what is older than it has to be kept. */
export { afterRows } from "./after-rows.ts";
export { createHousekeeping, type Housekeeping, type HousekeepingOptions } from "./housekeeping.ts";
export { EXECUTIONS, retentionTasks, type RetentionLimits, type Task } from "./tasks.ts";
