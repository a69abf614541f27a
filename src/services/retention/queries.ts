import type { Queryable } from "../../database/client.ts";

// Rows are found by an index, at most so many, and deleted by their place in the table (ctid), so that no plan ever reads
// the whole of it. Nobody updates these rows, so they do not move in between.

/** Runs that are older than their app keeps them; the others' `days` hold where an app has no setting of its own. */
export async function deleteOldExecutions(
  sql: Queryable,
  now: Date,
  days: number,
  rows: number,
): Promise<number> {
  const { count } = await sql`
    delete from executions where ctid = any(array(
      select old.ctid
      from apps a
      cross join lateral (
        select e.ctid from executions e
        where e.app_id = a.id
          and e.created_at < ${now}::timestamptz
            - make_interval(days => coalesce((a.settings->>'log_retention_days')::integer, ${days}))
        order by e.created_at, e.id
        limit ${rows}
      ) old
      limit ${rows}))`;
  return count;
}

/** Before all scripts, in the order of their keys. */
export const FIRST_SCRIPT = {
  appId: "00000000-0000-0000-0000-000000000000",
  scriptId: "00000000-0000-0000-0000-000000000000",
};

/**
 * The oldest runs of scripts that have more than `keep`. Only the index is read to find where the excess begins.
 * @param page looks at so many scripts, those after the one given, and deletes at most so many rows
 * @returns the last script that was looked at, how many were, and how many rows went
 */
export async function deleteExcessExecutions(
  sql: Queryable,
  page: {
    readonly after: typeof FIRST_SCRIPT;
    readonly scripts: number;
    readonly keep: number;
    readonly rows: number;
  },
): Promise<{ readonly next: typeof FIRST_SCRIPT; readonly scripts: number; readonly deleted: number }> {
  const { after } = page;
  const [row] = await sql<
    { app_id: string | null; script_id: string | null; scripts: number; deleted: number }[]
  >`
    with looked_at as (
      select app_id, id from scripts
      where (app_id, id) > (${after.appId}::uuid, ${after.scriptId}::uuid)
      order by app_id, id
      limit ${page.scripts}
    ), excess as (
      select l.app_id, l.id as script_id, newest.created_at, newest.id
      from looked_at l
      cross join lateral (
        select e.created_at, e.id from executions e
        where e.app_id = l.app_id and e.script_id = l.id
        order by e.created_at desc, e.id desc
        offset ${page.keep} limit 1
      ) newest
    ), gone as (
      delete from executions where ctid = any(array(
        select old.ctid
        from excess x
        cross join lateral (
          select e.ctid from executions e
          where e.app_id = x.app_id and e.script_id = x.script_id and (e.created_at, e.id) <= (x.created_at, x.id)
          limit ${page.rows}
        ) old
        limit ${page.rows}))
      returning 1
    )
    select last.app_id, last.id as script_id, (select count(*) from looked_at)::integer as scripts,
      (select count(*) from gone)::integer as deleted
    from (select 1) as one
    left join (select app_id, id from looked_at order by app_id desc, id desc limit 1) last on true`;
  return {
    next: { appId: row?.app_id ?? after.appId, scriptId: row?.script_id ?? after.scriptId },
    scripts: row?.scripts ?? 0,
    deleted: row?.deleted ?? 0,
  };
}

export async function deleteOldDrops(sql: Queryable, before: Date, rows: number): Promise<number> {
  const { count } = await sql`
    delete from execution_drops
    where ctid = any(array(select ctid from execution_drops where minute < ${before} limit ${rows}))`;
  return count;
}

export async function deleteOldSessions(sql: Queryable, now: Date, rows: number): Promise<number> {
  const { count } = await sql`
    delete from sessions
    where expires_at <= ${now} and token_sha256 = any(array(
      select token_sha256 from sessions where expires_at <= ${now} limit ${rows}))`;
  return count;
}

export async function deleteOldIdempotencyKeys(sql: Queryable, before: Date, rows: number): Promise<number> {
  // A key may be taken again meanwhile, which makes it new.
  const { count } = await sql`
    delete from idempotency_keys k
    using (select app_id, scope_id, key from idempotency_keys where created_at < ${before} limit ${rows}) old
    where k.app_id = old.app_id and k.scope_id = old.scope_id and k.key = old.key and k.created_at < ${before}`;
  return count;
}

export async function deleteOldAudit(sql: Queryable, before: Date, rows: number): Promise<number> {
  const { count } = await sql`
    delete from audit_log
    where ctid = any(array(
      select ctid from audit_log where created_at < ${before} order by created_at limit ${rows}))`;
  return count;
}

/** Makes sure that a task has a row. @param dueAt of a new one */
export async function insertTask(sql: Queryable, name: string, dueAt: Date): Promise<void> {
  await sql`insert into housekeeping (task, due_at) values (${name}, ${dueAt}) on conflict (task) do nothing`;
}

/** When the next of some tasks is due. */
export async function nextDue(sql: Queryable, names: readonly string[]): Promise<Date | null> {
  const [row] = await sql<{ due_at: Date | null }[]>`
    select min(due_at) as due_at from housekeeping where task = any(${names as string[]})`;
  return row?.due_at ?? null;
}

/** Holds a task that is due until the transaction ends, unless somebody else holds it. Undefined: there is none. */
export async function holdDueTask(
  sql: Queryable,
  names: readonly string[],
  now: Date,
): Promise<string | undefined> {
  const [row] = await sql<{ task: string }[]>`
    select task from housekeeping
    where task = any(${names as string[]}) and due_at <= ${now}
    order by due_at
    limit 1
    for update skip locked`;
  return row?.task;
}

export async function setDue(sql: Queryable, name: string, dueAt: Date): Promise<void> {
  await sql`update housekeeping set due_at = ${dueAt} where task = ${name}`;
}

export async function bringForward(sql: Queryable, name: string, dueAt: Date): Promise<void> {
  await sql`update housekeeping set due_at = ${dueAt} where task = ${name} and due_at > ${dueAt}`;
}
