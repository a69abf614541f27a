import type { Database } from "../../database/client.ts";

/** How often it is looked, at first and at last. */
const FIRST_WAIT_MS = 5;
const MAX_WAIT_MS = 250;

/**
 * Waits until every transaction on this database has ended, or begun a new statement, that may not see what was committed
 * before the call; as PostgreSQL does to build an index concurrently. Nobody has to wait for this in turn, as they would for a
 * lock on the table. The server ends transactions that do nothing after a minute.
 */
export async function olderWritersGone(db: Database, isStopping: () => boolean): Promise<void> {
  const [now] = await db<{ xid: string }[]>`select pg_current_xact_id()::text as xid`;
  const xid = now?.xid ?? "0";
  for (let wait = FIRST_WAIT_MS; !isStopping(); wait = Math.min(wait * 2, MAX_WAIT_MS)) {
    // The older a transaction, the greater the age of its id. What it may not see is told by the snapshot it works with; what
    // it has written that others do not see, by its own id.
    const rows = await db`
      select from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
        and greatest(age(backend_xid), age(backend_xmin)) >= age(${xid}::xid8::xid)
      limit 1`;
    if (rows.length === 0) return;
    await Bun.sleep(wait);
  }
}
