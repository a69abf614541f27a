/** The record of every change made through the control plane. */
export type { Actor, AuditEntry } from "./model.ts";
export { LOCAL_ACTOR } from "./model.ts";
export { recordAudit } from "./record.ts";
