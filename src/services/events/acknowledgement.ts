import type { Queryable } from "../../database/client.ts";

/** One attempt to deliver an event. */
export interface Attempt {
  readonly appId: string;
  /** Of the event. */
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
}

/**
 * Ends a delivery in the transaction of its run: the last statement before the commit. For a handler of dead letters the
 * letter is resolved too. A delivery that was given to somebody else, postponed or dropped meanwhile is not this run's any
 * more, and the transaction must be rolled back then.
 * @returns the transaction's id, by which it can be told later whether it committed; null: the delivery is lost
 */
export async function acknowledge(sql: Queryable, { appId, id, attempt }: Attempt): Promise<string | null> {
  const [row] = await sql<{ transaction: string }[]>`
    with gone as (
      delete from outbox
      where app_id = ${appId} and id = ${id} and attempt_count = ${attempt} and claimed_by is not null
      returning dead_letter_id
    ), handled as (
      update dead_letters l set resolution = 'handled_by_script', resolved_at = now()
      from gone where l.app_id = ${appId} and l.id = gone.dead_letter_id and l.resolved_at is null
    )
    select pg_current_xact_id()::text as transaction from gone`;
  return row?.transaction ?? null;
}

/** What became of a transaction whose commit was not answered. Null: it is too long ago to be known. */
export async function transactionStatus(
  sql: Queryable,
  transaction: string,
): Promise<"committed" | "aborted" | "in progress" | null> {
  const [row] = await sql<{ status: "committed" | "aborted" | "in progress" | null }[]>`
    select pg_xact_status(${transaction}::text::xid8) as status`;
  return row?.status ?? null;
}

/** Has a claim last for so many seconds from now, or longer. @returns whether it still was this attempt's */
export async function extendClaim(
  sql: Queryable,
  { appId, id, attempt }: Attempt,
  seconds: number,
): Promise<boolean> {
  const rows = await sql`
    update outbox set due_at = greatest(due_at, now() + make_interval(secs => ${seconds}))
    where app_id = ${appId} and id = ${id} and attempt_count = ${attempt} and claimed_by is not null returning 1`;
  return rows.length > 0;
}
