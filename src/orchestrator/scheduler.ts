import type { Database } from "../database/client.ts";
import { fireDue, nextDue } from "../services/cron/index.ts";
import type { Clock } from "../shared/clock.ts";
import { logger } from "../shared/log.ts";

export interface SchedulerOptions {
  readonly db: Database;
  /** Decides what is due; the database's clock is not asked. */
  readonly clock: Clock;
  /** Something was written to the outbox. */
  readonly onEvents: () => void;
  /** Whether it falls to this process to fire; call `wake` when that changes. Default: it does. */
  readonly leads?: () => boolean;
}

export interface SchedulerStats {
  /** Since the start. */
  readonly fired: number;
  /** How late the last firing was, in milliseconds. */
  readonly lagMs: number;
}

export interface Scheduler {
  /** Fires what was missed, as each trigger wishes, and arms the timer. */
  start(): Promise<void>;
  /** A cron trigger has changed, or a pause. Returns at once, and is cheap to call often. */
  wake(): void;
  stats(): SchedulerStats;
  /** Lets the transaction that is under way end. */
  stop(): Promise<void>;
}

/** Triggers fired by one transaction. */
const BATCH = 100;
/** The database is away: the first wait before it is asked again, and the longest. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2000;
/** Another process has locked what is due. */
const LOCKED_MS = 500;
/** The leader is there and does nothing, as a process does that was stopped by a signal: another one fires. */
const OVERDUE_MS = 15_000;
/** The system's clock may be set while the timer runs: it is compared this often while something is to come. */
const COMPARE_MS = 60_000;

/**
 * Writes the firings of cron triggers to the outbox, and runs nothing. One timer is armed for the trigger that is due
 * first; without any there is none. Of several processes on one database the leader fires, and the others only look after
 * what is overdue. Even if two take themselves for the leader no instant is fired twice: see `fireDue`.
 */
export function createScheduler({ db, clock, onEvents, leads = () => true }: SchedulerOptions): Scheduler {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let working: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let retryMs = FIRST_RETRY_MS;
  let stats: SchedulerStats = { fired: 0, lagMs: 0 };
  let startedAt = clock.now();

  function wake(): void {
    again = true;
    if (working !== null || stopped) return;
    working = look().finally(() => {
      working = null;
      if (again) wake();
    });
  }

  async function look(): Promise<void> {
    try {
      let now = clock.now();
      while (again && !stopped) {
        again = false;
        now = clock.now();
        if (!leads() && (await isLeft(now))) return;
        const batch = await fireDue(db, now, BATCH);
        if (batch.fired > 0) {
          stats = { fired: stats.fired + batch.fired, lagMs: batch.lagMs };
          onEvents();
        }
        if (batch.triggers === BATCH) again = true;
      }
      const due = stopped ? null : await nextDue(db);
      retryMs = FIRST_RETRY_MS;
      disarm();
      if (due === null) return;
      // What was due all the same is in the hands of another process.
      if (due.getTime() <= now) wakeIn(LOCKED_MS);
      else wakeAt(due.getTime());
    } catch (error) {
      logger("scheduler").warning("cannot look for cron triggers, trying again: {error}", { error });
      disarm();
      wakeIn(retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  }

  /** Whether what is due is left to the leader: then the timer is armed for when it would be overdue. */
  async function isLeft(now: number): Promise<boolean> {
    const due = await nextDue(db);
    // Whoever is to lead may be starting as well.
    const overdueAt = due === null ? null : Math.max(due.getTime(), startedAt) + OVERDUE_MS;
    if (overdueAt !== null && overdueAt <= now) {
      logger("scheduler").warning("the process that leads fires nothing: this one does");
      return false;
    }
    disarm();
    if (overdueAt !== null) wakeAt(overdueAt);
    return true;
  }

  function disarm(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  }

  function wakeIn(ms: number): void {
    if (!stopped) timer = setTimeout(wake, ms);
  }

  function wakeAt(at: number): void {
    if (stopped) return;
    const restMs = Math.max(0, at - clock.now());
    timer = setTimeout(() => (clock.now() >= at ? wake() : wakeAt(at)), Math.min(restMs, COMPARE_MS));
  }

  return {
    async start() {
      startedAt = clock.now();
      wake();
      await working;
    },
    wake,
    stats: () => stats,
    async stop() {
      stopped = true;
      again = false;
      disarm();
      await working;
    },
  };
}
