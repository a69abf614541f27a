/** The record of every run. */
export { createExecutionLog, type ExecutionLog } from "./log.ts";
export { listLogs, type LogPage } from "./queries.ts";
export { ExecutionError, ExecutionStatus, LogDTO, LogEntry, type ExecutionRow } from "./model.ts";
