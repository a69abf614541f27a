import type { Database } from "../../src/database/client.ts";

/**
 * Statements that others began in this database within the last milliseconds: what a test that asks nothing meanwhile
 * finds, somebody else asked. (The server's own counters lag behind by up to ten seconds.)
 */
export async function statementsBegun(db: Database, milliseconds: number): Promise<string[]> {
  const rows = await db<{ query: string }[]>`
    select query from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and query_start > clock_timestamp() - make_interval(secs => ${milliseconds / 1000})`;
  return rows.map(({ query }) => query);
}
