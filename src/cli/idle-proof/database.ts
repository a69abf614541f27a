import { connect } from "../../database/client.ts";
import { toAppError } from "../../database/errors.ts";
import type { ConnectionTarget } from "../../database/target.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

/** What a database has counted, at one moment. */
export interface Look {
  /** By the server's clock. */
  readonly at: string;
  /** Transactions, those of connecting included. Each statement is one, or belongs to one. */
  readonly transactions: number;
  readonly sessions: number;
  readonly walBytes: number;
  /** Where the latest checkpoint is in the WAL. */
  readonly checkpoint: string;
  /** PiCloud's connections that were given a statement since the look before. */
  readonly begun: number;
  /** Connections that are not PiCloud's. */
  readonly others: number;
}

export interface Sent {
  readonly statements: number;
  readonly walBytes: number;
  readonly checkpoint: boolean;
  /** Others have worked there too, so `statements` only has what PiCloud's open connections were given last. */
  readonly shared: boolean;
}

/**
 * Looks at PiCloud's database, on a connection of its own.
 * @param database where PiCloud's data is, if the connection is to another database of the server
 * @param since the moment of the look before
 * @throws CommandError with exit code 2 when it cannot be reached
 */
export async function lookAt(
  target: ConnectionTarget,
  database: string | null,
  since: string | null,
): Promise<Look> {
  const db = connect(target, { max: 1, applicationName: "idle-proof" });
  try {
    const [look] = await db<Look[]>`
      select clock_timestamp()::text as at, (s.xact_commit + s.xact_rollback)::double precision as transactions,
        s.sessions::double precision as sessions,
        pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::double precision as "walBytes",
        (select checkpoint_lsn::text from pg_control_checkpoint()) as checkpoint,
        (select count(*)::int from pg_stat_activity a
          where a.datid = s.datid and starts_with(a.application_name, 'picloud') and a.query_start > ${since}::timestamptz) as begun,
        (select count(*)::int from pg_stat_activity a
          where a.datid = s.datid and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
            and not starts_with(a.application_name, 'picloud')) as others
      from pg_stat_database s where s.datname = coalesce(${database}, current_database())`;
    if (look === undefined) throw new Error("a database counts its transactions");
    return look;
  } catch (error) {
    const known = toAppError(error);
    throw known === undefined ? error : new CommandError(known.message, EXIT.usage, error);
  } finally {
    await db.end();
  }
}

/**
 * What was sent to the database between two looks. A connection counts its transactions up to ten seconds late, but at
 * once when it closes, and when it was last given a statement is known at all times: together nothing is missed. What
 * autovacuum does is not a statement of anybody's.
 * @param counted whether the first look counts there itself: it closed its connection after it
 */
export function sentBetween(before: Look, after: Look, counted: boolean): Sent {
  const own = counted ? 1 : 0;
  const sessions = after.sessions - before.sessions - own;
  // Connecting is a transaction too.
  const transactions = after.transactions - before.transactions - 2 * own - sessions;
  const shared = before.others > 0 || after.others > 0;
  const seen = after.begun > 0 || (sessions > 0 && !shared);
  return {
    statements: shared || !seen ? after.begun : Math.max(after.begun, sessions, transactions),
    walBytes: after.walBytes - before.walBytes,
    checkpoint: after.checkpoint !== before.checkpoint,
    shared,
  };
}
