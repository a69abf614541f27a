/** The record of every run. */
export { createExecutionLog, type ExecutionLog, type RunKey } from "./log.ts";
export { maskJson, maskMultipart, maskPairs, type OnMasked } from "./mask.ts";
export {
  ExecutionDTO,
  ExecutionError,
  ExecutionStatus,
  LogDTO,
  LogEntry,
  RecordedBody,
  RecordedRequest,
  type BodyBudget,
  type ExecutionRow,
  type RequestRecord,
} from "./model.ts";
export {
  findExecution,
  logDto,
  runsOfRoot,
  searchExecutions,
  type ExecutionFilter,
  type WholeExecution,
} from "./read.ts";
export { listLogs, type LogPage } from "./queries.ts";
export { maskError, maskLogs, maskText, summaryOf, toMicroseconds } from "./row.ts";
export { looksSecret, NOT_RECORDED } from "./secret-names.ts";
