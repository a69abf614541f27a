import type { Database } from "../../database/client.ts";
import type { Clock } from "../../shared/clock.ts";
import { logger } from "../../shared/log.ts";
import { bringForward, holdDueTask, insertTask, nextDue, setDue } from "./queries.ts";
import type { Task } from "./tasks.ts";

export interface HousekeepingOptions {
  readonly clock: Clock;
  readonly tasks: readonly Task[];
  /** From 0 to 1; default Math.random. */
  readonly random?: () => number;
}

export interface Housekeeping {
  /** Notes new tasks and arms the timer. What is overdue comes after half a minute to a minute and a half. */
  start(): Promise<void>;
  /** Does all that is due, as the timer does. Never rejects. */
  runDue(): Promise<void>;
  /** Makes a task due within a minute, unless it is anyway. Returns at once. */
  nudge(name: string): void;
  /** Lets the piece that is under way end; the rest is left for the next start. */
  stop(): Promise<void>;
}

/** A start is busy enough, and several processes that start at once should not all ask at once. */
const START_DELAY_MS = 30_000;
const START_JITTER_MS = 60_000;
/** Between two pieces of a task, so that the disk is others' too. */
const PIECE_PAUSE_MS = 100;
/** Another process holds what is due, or the database is away. */
const LATER_MS = 60_000;
/** A task that failed is due again after this time. */
const RETRY_MS = 10 * 60_000;
/** What is brought forward is due after this time. */
const NUDGE_MS = 60_000;
/** `setTimeout` knows no more than 24.8 days; and after a long sleep of the machine the timer is late by as much. */
const LONGEST_MS = 24 * 3_600_000;

/**
 * Housekeeping by the wall clock. When each task is due stands in the database, so that a machine that is switched off
 * each night gets to it, and several processes share the work: whoever holds the task's row does a piece of it. One
 * timer is armed for the task that is due next; else nothing happens.
 */
export function createHousekeeping(db: Database, options: HousekeepingOptions): Housekeeping {
  const { clock, tasks } = options;
  const random = options.random ?? Math.random;
  const names = tasks.map(({ name }) => name);
  let timer: ReturnType<typeof setTimeout> | null = null;
  let working: Promise<void> = Promise.resolve();
  let stopped = false;

  const nowPlus = (ms: number): Date => new Date(clock.now() + ms);

  function arm(ms: number): void {
    if (timer !== null) clearTimeout(timer);
    timer = stopped ? null : setTimeout(() => void runDue(), Math.min(Math.max(ms, 0), LONGEST_MS));
  }

  /** @param waitMs what is due already waits so long */
  async function armForNext(waitMs: number): Promise<void> {
    const due = await nextDue(db, names);
    if (due === null) return;
    const dueMs = due.getTime() - clock.now();
    arm(dueMs > 0 ? dueMs : waitMs);
  }

  /** One after the other: a nudge may come while a task is under way. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    working = working.then(async () => {
      try {
        if (!stopped) await work();
      } catch (error) {
        logger("retention").warning("housekeeping failed, trying again in a minute: {error}", { error });
        arm(LATER_MS);
      }
    });
    return working;
  }

  const runDue = (): Promise<void> =>
    inTurn(async () => {
      while (!stopped && (await piece())) await Bun.sleep(PIECE_PAUSE_MS);
      // What is still due is in the hands of another process.
      if (!stopped) await armForNext(LATER_MS);
    });

  /** One piece of one task. @returns whether there was one */
  async function piece(): Promise<boolean> {
    let held: Task | undefined;
    try {
      return await db.begin(async (sql) => {
        const now = new Date(clock.now());
        const name = await holdDueTask(sql, names, now);
        held = tasks.find((task) => task.name === name);
        if (held === undefined) return false;
        const more = await held.sweep(sql, now);
        if (!more) await setDue(sql, held.name, new Date(now.getTime() + held.everyMs));
        return true;
      });
    } catch (error) {
      if (held === undefined) throw error;
      // The others must not wait for one that cannot be done.
      await setDue(db, held.name, nowPlus(RETRY_MS));
      logger("retention").error("{name} failed, trying again later: {error}", { name: held.name, error });
      return true;
    }
  }

  return {
    runDue,
    async start() {
      for (const { name, everyMs } of tasks) await insertTask(db, name, nowPlus(everyMs));
      await armForNext(START_DELAY_MS + random() * START_JITTER_MS);
    },
    nudge(name) {
      void inTurn(async () => {
        await bringForward(db, name, nowPlus(NUDGE_MS));
        await armForNext(NUDGE_MS);
      });
    },
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await working;
    },
  };
}
