import type { Queryable } from "../../database/client.ts";
import type { RetryPolicy } from "../../services/events/index.ts";
import type { Kept } from "./kinds/index.ts";

/** A row of `triggers`, with the name of its script. */
export interface Trigger extends Kept {
  readonly app_id: string;
  readonly id: string;
  readonly script_id: string;
  readonly script_name: string;
  readonly kind: string;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly paused_until: Date | null;
  readonly retry_max_attempts: number;
  readonly retry_backoff: RetryPolicy["backoff"];
  readonly retry_base_ms: number;
  readonly ordering: "key" | null;
  readonly transactional: boolean;
  readonly registered_by: string | null;
  /** Events that waited when it was disabled. */
  readonly dropped: number;
  /** Of cron: when it was fired last. */
  readonly last_fired_at: Date | null;
  /** The last run that it caused, as far as the log has it. */
  readonly last_run_id: string | null;
  readonly last_run_at: Date | null;
  readonly last_status: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const triggers = (sql: Queryable) => sql`
  select t.*, s.name as script_name, l.id as last_run_id, l.created_at as last_run_at, l.status as last_status
  from triggers t join scripts s on s.app_id = t.app_id and s.id = t.script_id
  left join lateral (
    select e.id, e.created_at, e.status from executions e
    where e.app_id = t.app_id and e.trigger_id = t.id
    order by e.created_at desc, e.id desc limit 1) l on true`;

export async function triggersOf(sql: Queryable, appId: string): Promise<Trigger[]> {
  return sql<Trigger[]>`${triggers(sql)} where t.app_id = ${appId} order by t.created_at, t.id`;
}

/** One trigger, which nobody else changes until the transaction ends. */
export async function lockTrigger(sql: Queryable, appId: string, id: string): Promise<Trigger | undefined> {
  const [row] = await sql<Trigger[]>`
    ${triggers(sql)} where t.app_id = ${appId} and t.id = ${id} for update of t`;
  return row;
}

export type NewTrigger = Omit<
  Trigger,
  | "script_name"
  | "created_at"
  | "updated_at"
  | "dropped"
  | "last_fired_at"
  | "last_run_id"
  | "last_run_at"
  | "last_status"
>;

export async function insertTrigger(sql: Queryable, row: NewTrigger): Promise<void> {
  await sql`
    insert into triggers (app_id, id, script_id, kind, enabled, paused_until, pattern, ops, details,
      retry_max_attempts, retry_backoff, retry_base_ms, ordering, transactional, registered_by, next_at)
    values (${row.app_id}, ${row.id}, ${row.script_id}, ${row.kind}, ${row.enabled}, ${row.paused_until},
      ${row.pattern}, ${row.ops as string[]}::text[], ${sql.json(row.details as never)}, ${row.retry_max_attempts},
      ${row.retry_backoff}, ${row.retry_base_ms}, ${row.ordering}, ${row.transactional}, ${row.registered_by}, ${row.next_at})`;
}

export async function updateTrigger(sql: Queryable, row: NewTrigger): Promise<void> {
  await sql`
    update triggers
    set enabled = ${row.enabled}, disabled_reason = ${row.disabled_reason}, paused_until = ${row.paused_until},
      pattern = ${row.pattern}, ops = ${row.ops as string[]}::text[], details = ${sql.json(row.details as never)},
      retry_max_attempts = ${row.retry_max_attempts}, retry_backoff = ${row.retry_backoff},
      retry_base_ms = ${row.retry_base_ms}, ordering = ${row.ordering},
      transactional = ${row.transactional}, registered_by = ${row.registered_by},
      next_at = ${row.next_at}, updated_at = now()
    where app_id = ${row.app_id} and id = ${row.id}`;
}

/** @returns how many events waited, and are dropped */
export async function deleteTrigger(
  sql: Queryable,
  { app_id: appId, id, dropped }: Trigger,
): Promise<number> {
  // The row of one that is disabled tells how many they were.
  await sql`update triggers set enabled = false where app_id = ${appId} and id = ${id}`;
  const [row] = await sql<{ dropped: number }[]>`
    select dropped from triggers where app_id = ${appId} and id = ${id}`;
  await sql`delete from triggers where app_id = ${appId} and id = ${id}`;
  return (row?.dropped ?? dropped) - dropped;
}

export async function countTriggersOfScript(
  sql: Queryable,
  appId: string,
  scriptId: string,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from triggers where app_id = ${appId} and script_id = ${scriptId}`;
  return row?.count ?? 0;
}
