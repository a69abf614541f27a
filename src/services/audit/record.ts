import { createHash } from "node:crypto";
import type { Queryable } from "../../database/client.ts";
import { newId } from "../../shared/ids.ts";
import type { Actor, AuditEntry, LOCAL_ACTOR } from "./model.ts";

/**
 * Writes one change down. Called inside the transaction that makes the change, so that there is never one without the
 * other. What leaves everything as it was, such as an update to the same values, is no change.
 */
export async function recordAudit(
  sql: Queryable,
  actor: Actor | typeof LOCAL_ACTOR,
  { action, appId, target, before, after, changed = [] }: AuditEntry,
): Promise<void> {
  const names = [...changedFields(before, after), ...changed];
  if (before !== undefined && after !== undefined && names.length === 0) return;
  await sql`
    insert into audit_log (id, actor_id, actor_name, key_id, app_id, action, target_kind, target_id, target_name,
      before_sha256, after_sha256, changed, request_id, address)
    values (${newId()}, ${actor.userId}, ${actor.username}, ${actor.key?.id ?? null}, ${appId}, ${action},
      ${target.kind}, ${target.id}, ${target.name}, ${hash(before)}, ${hash(after)}, ${names}, ${actor.requestId},
      ${actor.address})`;
}

/** Fields of the two that differ; none when there is only one of them. `updated_at` differs always and tells nothing. */
function changedFields(before: AuditEntry["before"], after: AuditEntry["after"]): string[] {
  if (before === undefined || after === undefined) return [];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  names.delete("updated_at");
  return [...names].filter((name) => canonical(before[name]) !== canonical(after[name])).toSorted();
}

const hash = (value: AuditEntry["before"]): Uint8Array | null =>
  value === undefined ? null : createHash("sha256").update(canonical(value), "utf8").digest();

/** The same text for the same value, in whatever order its members were written. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, member: unknown) =>
      typeof member === "object" && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? "null"
  );
}
