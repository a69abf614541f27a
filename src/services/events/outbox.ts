import type { Queryable } from "../../database/client.ts";

/** A delivery that this process has claimed. */
export interface Delivery {
  readonly app_id: string;
  readonly id: string;
  readonly source_kind: string;
  readonly op: string;
  readonly trigger_id: string | null;
  readonly script_id: string;
  /** JSON text. */
  readonly payload: string;
  readonly trigger_depth: number;
  readonly root_execution_id: string;
  /** This one included. */
  readonly attempt_count: number;
  readonly retry_max_attempts: number;
  readonly retry_backoff: "exponential" | "linear" | "constant";
  readonly retry_base_ms: number;
  readonly transactional: boolean;
  readonly dead_letter_id: string | null;
  /** As whom it runs: who registered the trigger, or who sent the request; null: nobody. */
  readonly user_id: string | null;
  readonly username: string | null;
}

export interface Claim {
  /** Of this process. */
  readonly owner: string;
  /** Deliveries at most. */
  readonly limit: number;
  /** A claim that is not renewed for so long is void. */
  readonly leaseSeconds: number;
  /** Kinds that this binary knows; others are left for a newer one. */
  readonly kinds: readonly string[];
}

/**
 * Claims what is due: the oldest of each app by turns, so that no app's backlog holds up another's. What a paused app has
 * waiting is left alone. Looks at no more rows than it claims, however many wait.
 */
export async function claim(
  sql: Queryable,
  { owner, limit, leaseSeconds, kinds }: Claim,
): Promise<Delivery[]> {
  return sql<Delivery[]>`
    with due as (
      select d.app_id, d.id, row_number() over (partition by d.app_id order by d.due_at, d.created_at) as turn, d.due_at
      from apps a cross join lateral (
        select o.app_id, o.id, o.due_at, o.created_at from outbox o
        where o.app_id = a.id and o.due_at <= now() and o.source_kind = any(${kinds as string[]}::text[])
          and (o.ordering_key is null or not exists (
            select from outbox p
            where p.app_id = o.app_id and p.trigger_id = o.trigger_id and p.ordering_key = o.ordering_key
              and (p.created_at, p.id) < (o.created_at, o.id)))
        order by o.due_at, o.created_at limit ${limit} for update skip locked) d
      where a.paused_at is null or a.paused_until <= now()
    ), picked as (
      select app_id, id from due order by turn, due_at limit ${limit}
    ), claimed as (
      update outbox o
      set claimed_by = ${owner}, due_at = now() + make_interval(secs => ${leaseSeconds}),
        attempt_count = o.attempt_count + 1, first_attempt_at = coalesce(o.first_attempt_at, now())
      from picked p where o.app_id = p.app_id and o.id = p.id
      returning o.*
    )
    select c.app_id, c.id, c.source_kind, c.op, c.trigger_id, c.script_id, c.payload::text as payload, c.trigger_depth,
      c.root_execution_id, c.attempt_count, c.retry_max_attempts, c.retry_backoff, c.retry_base_ms, c.transactional,
      c.dead_letter_id, u.id as user_id, u.username
    from claimed c
    left join triggers t on t.app_id = c.app_id and t.id = c.trigger_id
    left join users u on u.is_active
      and u.id = case when c.source_kind = 'http' then c.origin_principal else t.registered_by end
    order by c.created_at`;
}

type Key = Pick<Delivery, "app_id" | "id" | "attempt_count">;

/** The delivery succeeded, or is not wanted any more. @returns whether it still was this attempt's */
export async function complete(sql: Queryable, { app_id, id, attempt_count }: Key): Promise<boolean> {
  const rows = await sql`
    delete from outbox where app_id = ${app_id} and id = ${id} and attempt_count = ${attempt_count} returning 1`;
  return rows.length > 0;
}

/** It failed, and is tried again later. */
export async function postpone(
  sql: Queryable,
  { app_id, id, attempt_count }: Key,
  waitMs: number,
  error: string,
): Promise<void> {
  await sql`
    update outbox
    set claimed_by = null, due_at = now() + make_interval(secs => ${waitMs / 1000}), last_error = ${error}
    where app_id = ${app_id} and id = ${id} and attempt_count = ${attempt_count}`;
}

/** It was not tried after all; the attempt does not count. */
export async function giveBack(
  sql: Queryable,
  { app_id, id, attempt_count }: Key,
  waitMs: number,
): Promise<void> {
  await sql`
    update outbox
    set claimed_by = null, due_at = now() + make_interval(secs => ${waitMs / 1000}), attempt_count = attempt_count - 1
    where app_id = ${app_id} and id = ${id} and attempt_count = ${attempt_count}`;
}

/**
 * It failed for the last time: it becomes a dead letter, and each trigger for such gets a delivery, which is never tried
 * again.
 */
export async function bury(sql: Queryable, { app_id, id, attempt_count }: Key, error: string): Promise<void> {
  await sql`
    with gone as (
      delete from outbox where app_id = ${app_id} and id = ${id} and attempt_count = ${attempt_count} returning *
    ), letter as (
      insert into dead_letters (app_id, id, original_event_id, source, op, trigger_id, script_id, payload, trigger_depth,
        root_execution_id, attempt_count, first_attempt_at, last_attempt_at, last_error)
      select app_id, gen_random_uuid(), id, source_kind, op, trigger_id, script_id, payload, trigger_depth,
        root_execution_id, attempt_count, first_attempt_at, now(), ${error}
      from gone
      returning *
    )
    insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
      retry_max_attempts, retry_backoff, retry_base_ms, dead_letter_id)
    select t.app_id, gen_random_uuid(), 'dead_letter', 'exhausted', t.id, t.script_id,
      jsonb_build_object('source', 'dead_letter', 'op', 'exhausted', 'dead_letter', jsonb_build_object(
        'dead_letter_id', l.id, 'original', l.payload, 'attempts', l.attempt_count, 'last_error', l.last_error,
        'trigger_id', l.trigger_id, 'script_id', l.script_id, 'first_attempt_at', l.first_attempt_at,
        'last_attempt_at', l.last_attempt_at)),
      l.trigger_depth + 1, l.root_execution_id, 1, 'constant', 1, l.id
    from letter l join triggers t on t.app_id = l.app_id and t.kind = 'dead_letter' and t.enabled
    where (t.details->>'source_filter' is null or t.details->>'source_filter' = l.source)
      and (t.details->>'trigger_id_filter' is null or t.details->>'trigger_id_filter' = l.trigger_id::text)
      and (t.details->>'script_id_filter' is null or t.details->>'script_id_filter' = l.script_id::text)`;
}

/** A handler of a dead letter has ended; what it did is the letter's resolution. */
export async function completeHandler(
  sql: Queryable,
  delivery: Key & Pick<Delivery, "dead_letter_id">,
  failed: boolean,
): Promise<void> {
  await sql`
    with gone as (
      delete from outbox
      where app_id = ${delivery.app_id} and id = ${delivery.id} and attempt_count = ${delivery.attempt_count}
      returning dead_letter_id
    )
    update dead_letters l
    set resolution = ${failed ? "handler_failed" : "handled_by_script"}, resolved_at = now()
    from gone
    where l.app_id = ${delivery.app_id} and l.id = gone.dead_letter_id and l.resolved_at is null`;
}

/** Claims of this process are good for another lease: those that it knows to be under way, and no others. */
export async function renew(
  sql: Queryable,
  owner: string,
  ids: readonly string[],
  leaseSeconds: number,
): Promise<void> {
  await sql`
    update outbox set due_at = now() + make_interval(secs => ${leaseSeconds})
    where claimed_by = ${owner} and id = any(${ids as string[]}::uuid[])`;
}

/** Claims of a process that is gone are due again at once. Its attempts count: they may have had effects. */
export async function releaseClaims(sql: Queryable, owner: string): Promise<number> {
  const rows = await sql`
    update outbox set claimed_by = null, due_at = now(), last_error = 'PiCloud stopped while it ran'
    where claimed_by = ${owner} returning 1`;
  return rows.length;
}

/**
 * Claims that were made, but whose answer never came, are due again at once; the attempt does not count.
 * @param known what this process has under way
 */
export async function releaseLostClaims(
  sql: Queryable,
  owner: string,
  known: readonly string[],
): Promise<void> {
  await sql`
    update outbox set claimed_by = null, due_at = now(), attempt_count = attempt_count - 1
    where claimed_by = ${owner} and not id = any(${known as string[]}::uuid[])`;
}

/**
 * Milliseconds until something is due, by the database's clock; 0: something is. Null: nothing waits, or only for
 * somebody to resume its app. Looks at one row of each app, however many wait.
 */
export async function msUntilDue(sql: Queryable, kinds: readonly string[]): Promise<number | null> {
  const [row] = await sql<{ ms: number | null }[]>`
    select greatest(0, extract(epoch from min(greatest(d.due_at, a.paused_until)) - now()) * 1000)::double precision as ms
    from apps a cross join lateral (
      select o.due_at from outbox o
      where o.app_id = a.id and o.source_kind = any(${kinds as string[]}::text[])
      order by o.due_at limit 1) d
    where a.paused_at is null or a.paused_until is not null
    having min(d.due_at) is not null`;
  return row?.ms ?? null;
}
