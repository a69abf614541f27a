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
  /** Others that have the same wait for it. */
  readonly ordering_key: string | null;
  /** As whom it runs: who registered the trigger, or who sent the request; null: nobody. */
  readonly user_id: string | null;
  readonly username: string | null;
}

export interface Claim {
  /** Of this process. */
  readonly owner: string;
  /** Deliveries at most, 1 or more. */
  readonly limit: number;
  /** Deliveries that one app may have under way in this process. */
  readonly limitPerApp: number;
  /** What each app has under way in this process. */
  readonly underWay: ReadonlyMap<string, number>;
  /** Ids of the deliveries that it knows to have claimed: when those are due again is its own affair. */
  readonly held: readonly string[];
  /** A claim that is not renewed for so long is void. */
  readonly leaseSeconds: number;
  /** The same for transactional deliveries, whose claims are not renewed while they run. */
  readonly wholeLeaseSeconds: number;
  /** Kinds that this binary knows; others are left for a newer one. */
  readonly kinds: readonly string[];
  /** Apps that are looked at; null: all. Those are asked one by one, which counts where a thousand have something waiting. */
  readonly apps: readonly string[] | null;
  /** How many due rows of an app are looked at: those of a key whose turn has not come are marked. */
  readonly window: number;
}

type Row = Pick<Delivery, "app_id" | "id">;

export interface Claimed {
  readonly deliveries: readonly Delivery[];
  /** Rows that were marked as waiting for others of their key. Somebody must look again whether they still do. */
  readonly blocked: readonly Row[];
  /** Apps of which more is due: they have what they may have, or it was beyond the limit. */
  readonly crowded: readonly string[];
  /** Whether something is due that another process locks, as it does for a moment when it claims. */
  readonly isLocked: boolean;
  /** Milliseconds until something else of these apps is due, by the database's clock. Null: nothing is. */
  readonly nextMs: number | null;
}

/**
 * Claims what is due, of each app the oldest first. The next is always of the app that has the fewest under way for its
 * weight (CONTRACT 14.2), so no app's backlog holds up another's. What a paused app has waiting is left alone. Looks at
 * one row of each app that has any waiting, and at some more of those that have some due.
 *
 * Does not wait for the disk: a claim that is lost in a power cut is made again, and what was written in between was
 * committed after it, so it tells.
 */
export async function claim(sql: Queryable, wanted: Claim): Promise<Claimed> {
  const { owner, limit, kinds } = wanted;
  const rows = await sql<(Outlook & Delivery)[]>`
    with recursive relaxed as materialized (
      select set_config('synchronous_commit', 'off', true) as done
    ), walked as (
      (select app_id, due_at, id from outbox where not blocked and ${wanted.apps === null} order by app_id, due_at limit 1)
      union all
      select n.app_id, n.due_at, n.id from walked w cross join lateral (
        select o.app_id, o.due_at, o.id from outbox o where o.app_id > w.app_id and not o.blocked
        order by o.app_id, o.due_at limit 1) n
    ), waiting as (
      select * from walked
      union all
      select n.app_id, n.due_at, n.id from unnest(${(wanted.apps ?? []) as string[]}::uuid[]) a (id) cross join lateral (
        select o.app_id, o.due_at, o.id from outbox o where o.app_id = a.id and not o.blocked
        order by o.due_at limit 1) n
    ), open as (
      select a.id as app_id, w.due_at, w.id, a.paused_until, a.paused_at is not null and a.paused_until > now() as is_paused,
        coalesce(u.runs, 0) as runs, coalesce((a.settings->>'weight')::float8, 1) as weight,
        least((a.settings->>'max_concurrent')::int, ${wanted.limitPerApp}::int) - coalesce(u.runs, 0) as room
      from waiting w join apps a on a.id = w.app_id
      left join unnest(${[...wanted.underWay.keys()]}::uuid[], ${[...wanted.underWay.values()]}::int[]) u (app_id, runs)
        on u.app_id = a.id
      where a.paused_at is null or a.paused_until is not null
    ), due as materialized (
      select p.app_id, d.id, d.due_at, d.is_next, p.room,
        row_number() over (partition by p.app_id, d.is_next order by d.due_at, d.created_at) as nth,
        (p.runs + row_number() over (partition by p.app_id, d.is_next order by d.due_at, d.created_at)) / p.weight as turn
      from open p cross join lateral (
        select o.id, o.due_at, o.created_at, ${isNextOfKey(sql)} as is_next
        from outbox o
        where o.app_id = p.app_id and not o.blocked and o.due_at <= now() and o.source_kind = any(${kinds as string[]}::text[])
        order by o.due_at, o.created_at limit ${wanted.window}) d
      where p.due_at <= now() and not p.is_paused
    ), picked as (
      select app_id, id from due where is_next and nth <= room order by turn, due_at limit ${limit}
    ), locked as (
      select o.app_id, o.id from picked p join outbox o on o.app_id = p.app_id and o.id = p.id
      where o.due_at <= now() for update of o skip locked
    ), claimed as (
      update outbox o
      set claimed_by = ${owner}, due_at = now() + make_interval(
          secs => case when o.transactional then ${wanted.wholeLeaseSeconds}::float8 else ${wanted.leaseSeconds}::float8 end),
        attempt_count = o.attempt_count + 1, first_attempt_at = coalesce(o.first_attempt_at, now())
      from locked l where o.app_id = l.app_id and o.id = l.id
      returning o.*
    ), behind as (
      select o.app_id, o.id from due d join outbox o on o.app_id = d.app_id and o.id = d.id
      where not d.is_next and not o.blocked for update of o skip locked
    ), marked as (
      update outbox o set blocked = true from behind b where o.app_id = b.app_id and o.id = b.id
      returning o.app_id, o.id
    ), rest as (
      select array(
          select d.app_id::text from due d where d.is_next group by d.app_id
          having count(*) > (select count(*) from picked p where p.app_id = d.app_id)) as crowded,
        (select count(*) from picked) > (select count(*) from claimed) as locked,
        coalesce((select jsonb_agg(m) from marked m), '[]') as blocked,
        (select extract(epoch from min(case
           when p.is_paused then greatest(p.due_at, p.paused_until)
           when p.due_at > now() and not p.id = any(${wanted.held as string[]}::uuid[]) then p.due_at
           else (
             select o.due_at from outbox o
             where o.app_id = p.app_id and not o.blocked and o.due_at > now()
               and o.source_kind = any(${kinds as string[]}::text[]) and not o.id = any(${wanted.held as string[]}::uuid[])
             order by o.due_at limit 1)
         end) - now())::float8 * 1000 from open p) as next_ms
      from relaxed
    )
    select r.crowded, r.locked, r.blocked, r.next_ms, c.app_id, c.id, c.source_kind, c.op, c.trigger_id, c.script_id,
      c.payload::text as payload, c.trigger_depth, c.root_execution_id, c.attempt_count, c.retry_max_attempts,
      c.retry_backoff, c.retry_base_ms, c.transactional, c.dead_letter_id, c.ordering_key,
      u.id as user_id, u.username
    from rest r
    left join claimed c on true
    left join triggers t on t.app_id = c.app_id and t.id = c.trigger_id
    left join users u on u.is_active
      and u.id = case when c.source_kind = 'http' then c.origin_principal else t.registered_by end
    order by c.created_at`;
  const [first] = rows;
  return {
    deliveries: rows.filter(({ id }) => id !== null),
    blocked: first?.blocked ?? [],
    crowded: first?.crowded ?? [],
    isLocked: first?.locked ?? false,
    nextMs: first === undefined || first.next_ms === null ? null : Math.max(0, first.next_ms),
  };
}

/** In every row, also when nothing was claimed. */
interface Outlook {
  readonly crowded: readonly string[];
  readonly locked: boolean;
  readonly blocked: readonly Row[];
  readonly next_ms: number | null;
}

/**
 * Whether a row `o` is the next of its key. One that was begun before an older one was committed comes first all the same,
 * also when its lease has ended.
 */
const isNextOfKey = (sql: Queryable) => sql`
  (o.ordering_key is null or o.claimed_by is not null
    -- Not "there is none before it": for that the planner may look at all rows of the app.
    or o.id = (
      select p.id from outbox p
      where p.app_id = o.app_id and p.trigger_id = o.trigger_id and p.ordering_key = o.ordering_key
        and p.source_kind = o.source_kind
      order by p.created_at, p.id limit 1)
    and not exists (
      select from outbox p
      where p.app_id = o.app_id and p.trigger_id = o.trigger_id and p.ordering_key = o.ordering_key
        and p.source_kind = o.source_kind and p.claimed_by is not null and p.id <> o.id))`;

/**
 * Takes the mark off those of these rows that do not wait for others of their key any more: the other one may have ended
 * while the row was being marked. (The trigger outbox_deleted sees to all others.)
 * @returns how many
 */
export async function unblock(sql: Queryable, rows: readonly Row[]): Promise<number> {
  const unblocked = await sql`
    update outbox o set blocked = false
    from unnest(${rows.map((row) => row.app_id)}::uuid[], ${rows.map((row) => row.id)}::uuid[]) d (app_id, id)
    where o.app_id = d.app_id and o.id = d.id and o.blocked and ${isNextOfKey(sql)}
    returning 1`;
  return unblocked.length;
}

/** The same for all rows: a process may have ended between the mark and the second look. */
export async function unblockAll(sql: Queryable): Promise<void> {
  await sql`update outbox o set blocked = false where o.blocked and o.ordering_key is not null and ${isNextOfKey(sql)}`;
}

/**
 * Takes the mark off the row that is next after one which ended in a transaction of a run: that does not see who is next. (The
 * trigger outbox_deleted sees to all others.)
 */
export async function unblockNext(
  sql: Queryable,
  { app_id, trigger_id, ordering_key, source_kind }: Delivery,
): Promise<void> {
  if (ordering_key === null) return;
  await sql`select unblock_next(${app_id}, ${trigger_id}, ${ordering_key}, ${source_kind})`;
}

type Key = Pick<Delivery, "app_id" | "id" | "attempt_count">;

/** These succeeded, or are not wanted any more. What is not that attempt's any more is left alone. */
export async function complete(sql: Queryable, deliveries: readonly Key[]): Promise<void> {
  await sql`
    delete from outbox o
    using unnest(${deliveries.map((d) => d.app_id)}::uuid[], ${deliveries.map((d) => d.id)}::uuid[],
      ${deliveries.map((d) => d.attempt_count)}::int[]) d (app_id, id, attempt_count)
    where o.app_id = d.app_id and o.id = d.id and o.attempt_count = d.attempt_count`;
}

/** When a trigger's row may be claimed that would be due after so many milliseconds: not while the trigger is paused. */
const dueIn = (sql: Queryable, waitMs: number) => sql`
  greatest(now() + make_interval(secs => ${waitMs / 1000}),
    (select t.paused_until from triggers t where t.app_id = outbox.app_id and t.id = outbox.trigger_id))`;

/** It failed, and is tried again later. @returns whether it still was this attempt's */
export async function postpone(
  sql: Queryable,
  { app_id, id, attempt_count }: Key,
  waitMs: number,
  error: string,
): Promise<boolean> {
  const rows = await sql`
    update outbox
    set claimed_by = null, due_at = ${dueIn(sql, waitMs)}, last_error = ${error}
    where app_id = ${app_id} and id = ${id} and attempt_count = ${attempt_count} returning 1`;
  return rows.length > 0;
}

/** It was not tried after all; the attempt does not count. */
export async function giveBack(
  sql: Queryable,
  { app_id, id, attempt_count }: Key,
  waitMs: number,
): Promise<void> {
  await sql`
    update outbox
    set claimed_by = null, due_at = ${dueIn(sql, waitMs)}, attempt_count = attempt_count - 1
    where app_id = ${app_id} and id = ${id} and attempt_count = ${attempt_count}`;
}

const rfc3339 = (sql: Queryable, time: ReturnType<Queryable>) => sql`
  to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** In the shape of `ctx.event` (CONTRACT 3.3), which a request of an asynchronous route has not had. */
const originalEvent = (sql: Queryable) => sql`
  case when l.source = 'http' then jsonb_build_object('source', l.source, 'op', l.op, 'http', l.payload) else l.payload end`;

/**
 * It failed for the last time: it becomes a dead letter, and each trigger for such gets a delivery, which is never tried
 * again.
 * @returns whether it still was this attempt's
 */
export async function bury(
  sql: Queryable,
  { app_id, id, attempt_count }: Key,
  error: string,
): Promise<boolean> {
  const rows = await sql`
    with gone as (
      delete from outbox where app_id = ${app_id} and id = ${id} and attempt_count = ${attempt_count} returning *
    ), letter as (
      insert into dead_letters (app_id, id, original_event_id, source, op, trigger_id, script_id, payload, trigger_depth,
        root_execution_id, origin_principal, ordering_key, attempt_count, first_attempt_at, last_attempt_at, last_error)
      select app_id, gen_random_uuid(), id, source_kind, op, trigger_id, script_id, payload, trigger_depth,
        root_execution_id, origin_principal, ordering_key, attempt_count, first_attempt_at, now(), ${error}
      from gone
      returning *
    ), sent as (
      insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
        retry_max_attempts, retry_backoff, retry_base_ms, transactional, due_at, dead_letter_id)
      select t.app_id, gen_random_uuid(), 'dead_letter', 'exhausted', t.id, t.script_id,
        jsonb_build_object('source', 'dead_letter', 'op', 'exhausted', 'dead_letter', jsonb_build_object(
          'dead_letter_id', l.id, 'original', ${originalEvent(sql)}, 'attempts', l.attempt_count, 'last_error', l.last_error,
          'trigger_id', l.trigger_id, 'script_id', l.script_id, 'first_attempt_at', ${rfc3339(sql, sql`l.first_attempt_at`)},
          'last_attempt_at', ${rfc3339(sql, sql`l.last_attempt_at`)})),
        l.trigger_depth + 1, l.root_execution_id, 1, 'constant', 1, t.transactional,
        greatest(now(), t.paused_until), l.id
      from letter l join triggers t on t.app_id = l.app_id and t.kind = 'dead_letter' and t.enabled
      where (t.details->>'source_filter' is null or t.details->>'source_filter' = l.source)
        and (t.details->>'trigger_id_filter' is null or t.details->>'trigger_id_filter' = l.trigger_id::text)
        and (t.details->>'script_id_filter' is null or t.details->>'script_id_filter' = l.script_id::text)
    )
    select from gone`;
  return rows.length > 0;
}

/**
 * A handler of a dead letter has ended; what it did is the letter's resolution. Of several, one that failed tells.
 * @returns whether it still was this attempt's
 */
export async function completeHandler(
  sql: Queryable,
  delivery: Key & Pick<Delivery, "dead_letter_id">,
  failed: boolean,
): Promise<boolean> {
  const rows = await sql`
    with gone as (
      delete from outbox
      where app_id = ${delivery.app_id} and id = ${delivery.id} and attempt_count = ${delivery.attempt_count}
      returning dead_letter_id
    ), resolved as (
      update dead_letters l
      set resolution = ${failed ? "handler_failed" : "handled_by_script"}, resolved_at = now()
      from gone
      where l.app_id = ${delivery.app_id} and l.id = gone.dead_letter_id
        and (l.resolved_at is null or (${failed} and l.resolution = 'handled_by_script'))
    )
    select from gone`;
  return rows.length > 0;
}

/** Claims of this process are good for another lease, or as long as they were: those that it knows to be under way, and no others. */
export async function renew(
  sql: Queryable,
  owner: string,
  ids: readonly string[],
  leaseSeconds: number,
): Promise<void> {
  await sql`
    update outbox set due_at = greatest(due_at, now() + make_interval(secs => ${leaseSeconds}))
    where claimed_by = ${owner} and id = any(${ids as string[]}::uuid[])`;
}

/** Claims of a process that is gone are due again, at once unless their trigger is paused. Its attempts count: they may have had effects. */
export async function releaseClaims(sql: Queryable, owner: string): Promise<number> {
  const rows = await sql`
    update outbox set claimed_by = null, due_at = ${dueIn(sql, 0)}, last_error = 'PiCloud stopped while it ran'
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
    update outbox set claimed_by = null, due_at = ${dueIn(sql, 0)}, attempt_count = attempt_count - 1
    where claimed_by = ${owner} and not id = any(${known as string[]}::uuid[])`;
}

/** Takes away what is left of rows that are gone, so that those who look for what is due do not come across it. */
export async function sweep(sql: Queryable): Promise<void> {
  await sql`vacuum (truncate false) outbox`;
}
