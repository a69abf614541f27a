import type { Queryable } from "../../database/client.ts";
import type { CronInput } from "./settings.ts";

/** A trigger that is due, or of which it is not known when it is. */
export interface DueTrigger {
  readonly app_id: string;
  readonly id: string;
  readonly details: CronInput;
  /** Null: to be found out. */
  readonly next_at: Date | null;
  /** An earlier firing waits or runs; only told of triggers that skip then. */
  readonly is_busy: boolean;
}

/** A row of the outbox to be. */
export interface FiringRow {
  readonly id: string;
  readonly app_id: string;
  readonly trigger_id: string;
  /** `ctx.event`. */
  readonly payload: object;
}

/** What is kept of a trigger that was due. */
export interface Rescheduled {
  readonly app_id: string;
  readonly id: string;
  readonly next_at: Date;
  /** Null: as it was. */
  readonly fired_at: Date | null;
}

/** Locks triggers that are due; those of paused apps are not, and those that another process has locked are left to it. */
export async function lockDue(sql: Queryable, now: Date, limit: number): Promise<DueTrigger[]> {
  return sql<DueTrigger[]>`
    select t.app_id, t.id, t.details, t.next_at,
      t.details->>'overlap' = 'skip' and exists (
        select from outbox o where o.app_id = t.app_id and o.trigger_id = t.id and o.ordering_key is not null) as is_busy
    from triggers t
    where t.kind = 'cron' and t.enabled
      and ((t.next_at is null and t.details->'ended' is null)
        or (t.next_at <= ${now} and (t.paused_until is null or t.paused_until <= ${now})
          and not exists (
            select from apps a
            where a.id = t.app_id and a.paused_at is not null and (a.paused_until is null or a.paused_until > ${now}))))
    order by t.next_at nulls last limit ${limit} for update of t skip locked`;
}

/** Writes firings in the order given. Those of triggers that must not overlap come one after the other. */
export async function insertFirings(sql: Queryable, firings: readonly FiringRow[]): Promise<void> {
  if (firings.length === 0) return;
  await sql`
    insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
      origin_principal, retry_max_attempts, retry_backoff, retry_base_ms, transactional, ordering_key)
    select t.app_id, f.id, 'cron', 'fire', t.id, t.script_id, f.payload, 1, f.id, t.registered_by,
      t.retry_max_attempts, t.retry_backoff, t.retry_base_ms, t.transactional,
      case when t.details->>'overlap' in ('skip', 'queue') then 'cron' end
    from unnest(${firings.map(({ app_id }) => app_id)}::uuid[], ${firings.map(({ id }) => id)}::uuid[],
        ${firings.map(({ trigger_id }) => trigger_id)}::uuid[], ${firings.map(({ payload }) => payload) as never}::jsonb[])
      with ordinality as f(app_id, id, trigger_id, payload, turn)
    join triggers t on t.app_id = f.app_id and t.id = f.trigger_id
    order by f.turn`;
}

export async function reschedule(sql: Queryable, triggers: readonly Rescheduled[]): Promise<void> {
  if (triggers.length === 0) return;
  await sql`
    update triggers t set next_at = d.next_at, last_fired_at = coalesce(d.fired_at, t.last_fired_at)
    from unnest(${triggers.map(({ app_id }) => app_id)}::uuid[], ${triggers.map(({ id }) => id)}::uuid[],
        ${triggers.map(({ next_at }) => next_at.toISOString())}::timestamptz[],
        ${triggers.map(({ fired_at }) => fired_at?.toISOString() ?? null) as string[]}::timestamptz[]) as d(app_id, id, next_at, fired_at)
    where t.app_id = d.app_id and t.id = d.id`;
}

type Key = Pick<DueTrigger, "app_id" | "id">;

/** Its schedule has no further firing. It stays enabled: what it has waiting is still wanted. */
export async function end(sql: Queryable, { app_id, id }: Key, firedAt: Date | null): Promise<void> {
  await sql`
    update triggers set next_at = null, details = details || '{"ended": true}',
      last_fired_at = coalesce(${firedAt}::timestamptz, last_fired_at)
    where app_id = ${app_id} and id = ${id}`;
}

/** Its schedule cannot be read; its owner is told why. */
export async function disable(sql: Queryable, { app_id, id }: Key, reason: string): Promise<void> {
  await sql`
    update triggers set enabled = false, disabled_reason = ${reason}, next_at = null
    where app_id = ${app_id} and id = ${id}`;
}

/** When the next trigger is due, or was; null: none is. Pauses are over by then. */
export async function nextDue(sql: Queryable): Promise<Date | null> {
  const [row] = await sql<{ due: Date | null }[]>`
    select min(greatest(t.next_at, t.paused_until, a.paused_until)) as due from triggers t join apps a on a.id = t.app_id
    where t.kind = 'cron' and t.enabled and t.next_at is not null
      and (a.paused_at is null or a.paused_until is not null)`;
  return row?.due ?? null;
}

/** Tells every process, when this transaction commits, that a cron trigger has changed. */
export async function announceCron(sql: Queryable): Promise<void> {
  await sql`select pg_notify('picloud_cron', '')`;
}
