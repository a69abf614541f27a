import { logger } from "../shared/log.ts";
import { backOffMs } from "./back-off.ts";
import { connectionLost } from "./errors.ts";
import { openPool, type Database } from "./pool.ts";
import type { ConnectionTarget } from "./target.ts";

/** One process of those on a database, for what only one should do. */
export interface Leadership {
  /** Whether this process leads, as far as it knows: another one may, since a moment ago. */
  readonly leads: () => boolean;
  /** Gives it up, or the waiting for it. */
  close(): Promise<void>;
}

/** Of a process that has its database for itself. */
export const SOLE: Leadership = { leads: () => true, close: () => Promise.resolve() };

/** Of the advisory lock that the leader holds. */
export const LEADER_KEY = 7_424_691;

/**
 * For as long as it takes: waiting, and being the leader, last. A machine that lost power says no goodbye, so the
 * server asks it after ten seconds of silence; its kernel answers, no process wakes up.
 */
const SETTINGS = {
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  transaction_timeout: "0",
  tcp_keepalives_idle: "10",
  tcp_keepalives_interval: "5",
  tcp_keepalives_count: "3",
};

/**
 * Wants to lead, until closed. The leader holds a connection with a session's locks on it, so leadership ends with that
 * connection, however that ends, and the server gives it to who waited longest. Nobody asks: those who wait have a
 * statement under way, which the server answers when it is their turn.
 *
 * They do not wait for the advisory lock itself: a SELECT that waits keeps its snapshot, and as long as it does VACUUM
 * removes nothing in the whole database. LOCK TABLE waits without one. The advisory lock is what others may look for.
 * @param onChange told when it leads, and when it does not any more
 */
export function campaign(
  target: ConnectionTarget,
  { applicationName, onChange }: { readonly applicationName: string; readonly onChange: () => void },
): Leadership {
  const log = logger("leader");
  const closing = Promise.withResolvers<void>();
  let closed = false;
  let leads = false;
  const isClosed = () => closed;

  const set = (now: boolean): void => {
    if (leads === now) return;
    leads = now;
    log.info(now ? "this process leads: it fires schedules" : "this process does not lead any more");
    onChange();
  };

  /** @returns when the connection is gone, or nobody wants it any more */
  async function stand(): Promise<void> {
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => {});
    const db = openPool(target, {
      max: 1,
      applicationName,
      idleTimeoutSeconds: null,
      onClose: () => lost.reject(connectionLost()),
    });
    try {
      await Promise.race([prepare(db), lost.promise, closing.promise]);
      if (isClosed()) return;
      const election = db.unsafe(
        `begin; lock table leadership in exclusive mode; select pg_advisory_lock(${LEADER_KEY})`,
      );
      await Promise.race([election, lost.promise, closing.promise]);
      if (isClosed()) {
        // A server that waits for a lock does not see that its client has gone: it is told.
        election.cancel();
        await Promise.race([election.catch(() => {}), Bun.sleep(CANCEL_MS)]);
        return;
      }
      set(true);
      await Promise.race([lost.promise, closing.promise]);
    } finally {
      set(false);
      // At once: whoever waits would not end, and the lock is to be free.
      await db.end({ timeout: 0 }).catch(() => {});
    }
  }

  async function run(): Promise<void> {
    for (let attempts = 0; !isClosed(); attempts++) {
      const since = performance.now();
      try {
        await stand();
      } catch (error) {
        if (attempts === 0) log.warning("the connection for the leader was lost: {error}", { error });
      }
      if (performance.now() - since > WELL_AFTER_MS) attempts = 0;
      await Promise.race([Bun.sleep(backOffMs(attempts)), closing.promise]);
    }
  }

  const running = run();
  return {
    leads: () => leads,
    close() {
      closed = true;
      closing.resolve();
      return running;
    },
  };
}

/** A connection that stood this long was well: its end is a first one again. */
const WELL_AFTER_MS = 10_000;

/** What cancelling may take. */
const CANCEL_MS = 1000;

async function prepare(db: Database): Promise<void> {
  await db`
    select set_config(name, value, false) from jsonb_each_text(${db.json(SETTINGS)}) as wanted(name, value)
    join pg_settings using (name)`;
  // Else what a killed process leaves waiting stays until its turn comes. Not every system can.
  await db`select set_config('client_connection_check_interval', '60s', false)`.catch(() => {});
  // The first time it reads the catalog to find the view, and would wait with the snapshot of that.
  await db.unsafe("begin; lock table leadership in access share mode; commit");
}
