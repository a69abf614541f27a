import type { Queryable } from "../../database/client.ts";
import { newId } from "../../shared/ids.ts";
import type { RetryPolicy } from "./backoff.ts";

/**
 * Sends an event to one trigger, as if it had happened. Handlers of dead letters are not tried again.
 * @returns its id, which its first run has too
 */
export async function sendEvent(
  sql: Queryable,
  trigger: {
    readonly app_id: string;
    readonly id: string;
    readonly kind: string;
    readonly script_id: string;
    readonly retry_max_attempts: number;
    readonly retry_backoff: RetryPolicy["backoff"];
    readonly retry_base_ms: number;
    readonly transactional: boolean;
  },
  event: Readonly<Record<string, unknown>>,
): Promise<string> {
  const id = newId();
  await sql`
    insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
      retry_max_attempts, retry_backoff, retry_base_ms, transactional)
    values (${trigger.app_id}, ${id}, ${trigger.kind}, ${String(event["op"])}, ${trigger.id}, ${trigger.script_id},
      ${sql.json(event as never)}, 1, ${id},
      ${trigger.kind === "dead_letter" ? 1 : trigger.retry_max_attempts}, ${trigger.retry_backoff},
      ${trigger.retry_base_ms}, ${trigger.transactional})`;
  return id;
}

/** What waits for its first attempt waits until then, or no longer. What waits for another one waits at least as long. */
export async function holdEvents(
  sql: Queryable,
  appId: string,
  triggerId: string,
  until: Date | null,
): Promise<void> {
  await sql`
    update outbox set due_at = greatest(now(), ${until}::timestamptz, case when attempt_count > 0 then due_at end)
    where app_id = ${appId} and trigger_id = ${triggerId} and claimed_by is null`;
}

/** Tells every process, when this transaction commits, that something may be due. */
export async function announceEvents(sql: Queryable): Promise<void> {
  await sql`select pg_notify('picloud_outbox', '')`;
}
