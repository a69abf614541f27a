import type { Queryable } from "../../database/client.ts";
import { after, createdUs, type Position } from "../../database/keyset.ts";
import type { RetryPolicy } from "./backoff.ts";

export const RESOLUTIONS = ["replayed", "ignored", "handled_by_script", "handler_failed"] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** A row of `dead_letters`. */
export interface Letter {
  readonly app_id: string;
  readonly id: string;
  readonly original_event_id: string;
  /** The kind of what happened. */
  readonly source: string;
  readonly op: string;
  readonly trigger_id: string | null;
  readonly script_id: string;
  readonly attempt_count: number;
  readonly first_attempt_at: Date | null;
  readonly last_attempt_at: Date | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly created_us: number;
  readonly resolved_at: Date | null;
  readonly resolution: Resolution | null;
}

/** Absent: any. */
export interface LetterFilter {
  readonly source?: string | undefined;
  readonly triggerId?: string | undefined;
  readonly scriptId?: string | undefined;
  readonly unresolved?: boolean | undefined;
}

const columns = (sql: Queryable) => sql`
  l.app_id, l.id, l.original_event_id, l.source, l.op, l.trigger_id, l.script_id, l.attempt_count, l.first_attempt_at,
  l.last_attempt_at, l.last_error, l.created_at, l.resolved_at, l.resolution, ${createdUs(sql, "l")}`;

const matching = (sql: Queryable, appId: string, filter: LetterFilter) => sql`
  l.app_id = ${appId}
  ${filter.source === undefined ? sql`` : sql`and l.source = ${filter.source}`}
  ${filter.triggerId === undefined ? sql`` : sql`and l.trigger_id = ${filter.triggerId}`}
  ${filter.scriptId === undefined ? sql`` : sql`and l.script_id = ${filter.scriptId}`}
  ${filter.unresolved === true ? sql`and l.resolved_at is null` : sql``}`;

/** Newest first, without their payloads. */
export async function lettersOf(
  sql: Queryable,
  appId: string,
  filter: LetterFilter,
  page: { readonly limit: number; readonly after: Position | null },
): Promise<Letter[]> {
  return sql<Letter[]>`
    select ${columns(sql)} from dead_letters l
    where ${matching(sql, appId, filter)} ${page.after === null ? sql`` : sql`and ${after(sql, "l", page.after)}`}
    order by l.created_at desc, l.id desc limit ${page.limit}`;
}

export async function countLetters(sql: Queryable, appId: string, filter: LetterFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from dead_letters l where ${matching(sql, appId, filter)}`;
  return row?.count ?? 0;
}

/** With `payload`: the whole `ctx.event`, or of an asynchronous route the request. */
export async function findLetter(
  sql: Queryable,
  appId: string,
  id: string,
): Promise<(Letter & { readonly payload: unknown }) | undefined> {
  const [row] = await sql<(Letter & { readonly payload: unknown })[]>`
    select ${columns(sql)}, l.payload from dead_letters l where l.app_id = ${appId} and l.id = ${id}`;
  return row;
}

/** A letter that nobody else resolves until the transaction ends. */
export async function lockLetter(sql: Queryable, appId: string, id: string): Promise<Letter | undefined> {
  const [row] = await sql<Letter[]>`
    select ${columns(sql)} from dead_letters l where l.app_id = ${appId} and l.id = ${id} for update`;
  return row;
}

export async function resolveLetter(
  sql: Queryable,
  appId: string,
  id: string,
  resolution: Resolution,
): Promise<void> {
  await sql`
    update dead_letters set resolution = ${resolution}, resolved_at = now() where app_id = ${appId} and id = ${id}`;
}

/**
 * Puts letters back into the outbox, as they were before their first attempt, the oldest first. How often they are
 * tried is what their trigger says now.
 * @param retry for those whose trigger is gone
 * @param most letters at most
 * @param depth of the runs at least, so that a replay by what a letter caused does not go on for ever
 * @returns the ids of the letters
 */
export async function replayLetters(
  sql: Queryable,
  appId: string,
  filter: LetterFilter & { readonly id?: string },
  retry: RetryPolicy,
  most: number,
  depth = 0,
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with picked as (
      select * from dead_letters l
      where ${matching(sql, appId, filter)} ${filter.id === undefined ? sql`` : sql`and l.id = ${filter.id}`}
      order by l.created_at, l.id limit ${most} for update
    ), sent as (
      insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
        origin_principal, ordering_key, retry_max_attempts, retry_backoff, retry_base_ms, transactional, due_at, created_at)
      select p.app_id, gen_random_uuid(), p.source, p.op, p.trigger_id, p.script_id, p.payload,
        greatest(p.trigger_depth, ${depth}), p.root_execution_id, p.origin_principal, p.ordering_key,
        coalesce(t.retry_max_attempts, ${retry.maxAttempts}),
        coalesce(t.retry_backoff, ${retry.backoff}), coalesce(t.retry_base_ms, ${retry.baseMs}),
        coalesce(t.transactional, false), greatest(now(), t.paused_until), clock_timestamp()
      from picked p left join triggers t on t.app_id = p.app_id and t.id = p.trigger_id
      order by p.created_at, p.id
    )
    update dead_letters l set resolution = 'replayed', resolved_at = now()
    from picked p where l.app_id = p.app_id and l.id = p.id
    returning l.id`;
  return rows.map(({ id }) => id);
}

/** @returns how many were deleted, at most `rows` */
export async function deleteOldLetters(sql: Queryable, before: Date, rows: number): Promise<number> {
  const { count } = await sql`
    delete from dead_letters
    where ctid = any(array(
      select ctid from dead_letters where created_at < ${before} order by created_at limit ${rows}
      for update skip locked))`;
  return count;
}
