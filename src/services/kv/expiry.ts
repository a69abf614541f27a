import type { Database } from "../../database/client.ts";
import type { Clock } from "../../shared/clock.ts";
import { logger } from "../../shared/log.ts";
import { deleteExpired, nextExpiry } from "./queries.ts";

export interface Expiry {
  /** Looks up when the next entry expires, and arms the timer. */
  start(): Promise<void>;
  /** An entry was written that expires at this moment, in milliseconds since the epoch. Returns at once. */
  expires(at: number): void;
  /** Lets the piece that is under way end. */
  stop(): Promise<void>;
}

/** Entries removed by one statement. */
const BATCH = 1000;
/** Entries that expire close together go together. */
const TOGETHER_MS = 250;
/** The database was away. */
const RETRY_MS = 60_000;
/** `setTimeout` knows no more than 24.8 days. */
const LONGEST_MS = 24 * 3_600_000;

/**
 * Removes entries when their life ends: one timer, armed for the one that ends first, and only while there is one. Nobody
 * depends on it: what has expired is not seen by anybody from that moment on.
 */
export function createExpiry(db: Database, clock: Clock): Expiry {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let armedFor = Number.POSITIVE_INFINITY;
  let working: Promise<void> = Promise.resolve();
  let stopped = false;

  function arm(at: number): void {
    if (stopped || at >= armedFor) return;
    if (timer !== null) clearTimeout(timer);
    armedFor = at;
    const waitMs = Math.min(Math.max(0, at - clock.now()) + TOGETHER_MS, LONGEST_MS);
    timer = setTimeout(() => {
      timer = null;
      armedFor = Number.POSITIVE_INFINITY;
      working = working.then(sweep);
    }, waitMs);
  }

  async function sweep(): Promise<void> {
    try {
      while (!stopped && (await deleteExpired(db, BATCH)) === BATCH);
      const next = stopped ? null : await nextExpiry(db);
      if (next !== null) arm(next.getTime());
    } catch (error) {
      logger("kv").warning("expired entries could not be removed, trying again in a minute: {error}", {
        error,
      });
      arm(clock.now() + RETRY_MS);
    }
  }

  return {
    async start() {
      const next = await nextExpiry(db);
      if (next !== null) arm(next.getTime());
    },
    expires: arm,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await working;
    },
  };
}
