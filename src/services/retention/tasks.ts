import type { Queryable } from "../../database/client.ts";
import { deleteEmptyUsage } from "../usage/index.ts";
import { deleteOldLetters } from "../events/index.ts";
import { deleteOldReceipts } from "../inbound-mail/index.ts";
import {
  deleteExcessExecutions,
  deleteOldAudit,
  deleteOldDrops,
  deleteOldExecutions,
  deleteOldIdempotencyKeys,
  deleteOldSessions,
  FIRST_SCRIPT,
} from "./queries.ts";

/** A recurring piece of housekeeping. */
export interface Task {
  /** Its row in the table `housekeeping`. */
  readonly name: string;
  /** From the end of one time to the next. */
  readonly everyMs: number;
  /**
   * Does a bounded piece of the work, inside the transaction that holds the task.
   * @returns whether there is more to do now
   */
  sweep(sql: Queryable, now: Date): Promise<boolean>;
}

export interface RetentionLimits {
  /** Of the execution log; an app's setting `log_retention_days` goes first. */
  readonly executionLogRetentionDays: number;
  readonly executionLogMaxPerScript: number;
  readonly deadLetterRetentionDays: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** An answer is given again for a day (CONTRACT 14.3). */
const IDEMPOTENCY_MS = DAY_MS;
/** The same message is not delivered twice within a day (CONTRACT 2.11). */
const RECEIPT_MS = DAY_MS;
/** CONTRACT Q36. */
const AUDIT_MS = 365 * DAY_MS;

/** Rows that one statement deletes at most: some tens of milliseconds on a memory card. */
export const BATCH_ROWS = 2000;
/** Scripts whose rows one statement counts. */
export const BATCH_SCRIPTS = 50;

/** The task that is brought forward when many runs were written. */
export const EXECUTIONS = "executions";

/** All that this release sweeps. */
export function retentionTasks(limits: RetentionLimits): readonly Task[] {
  const days = limits.executionLogRetentionDays;
  const before = (now: Date, ms: number): Date => new Date(now.getTime() - ms);
  const untilFewer =
    (sweep: (sql: Queryable, now: Date) => Promise<number>) =>
    async (sql: Queryable, now: Date): Promise<boolean> =>
      (await sweep(sql, now)) === BATCH_ROWS;
  return [
    { name: EXECUTIONS, everyMs: DAY_MS, sweep: executionSweeper(limits) },
    {
      name: "execution_drops",
      everyMs: DAY_MS,
      sweep: untilFewer((sql, now) => deleteOldDrops(sql, before(now, days * DAY_MS), BATCH_ROWS)),
    },
    {
      name: "sessions",
      everyMs: DAY_MS,
      sweep: untilFewer((sql, now) => deleteOldSessions(sql, now, BATCH_ROWS)),
    },
    {
      name: "audit_log",
      everyMs: DAY_MS,
      sweep: untilFewer((sql, now) => deleteOldAudit(sql, before(now, AUDIT_MS), BATCH_ROWS)),
    },
    {
      name: "dead_letters",
      everyMs: DAY_MS,
      sweep: untilFewer((sql, now) =>
        deleteOldLetters(sql, before(now, limits.deadLetterRetentionDays * DAY_MS), BATCH_ROWS),
      ),
    },
    {
      name: "idempotency_keys",
      everyMs: 6 * HOUR_MS,
      sweep: untilFewer((sql, now) => deleteOldIdempotencyKeys(sql, before(now, IDEMPOTENCY_MS), BATCH_ROWS)),
    },
    {
      name: "email_receipts",
      everyMs: 6 * HOUR_MS,
      sweep: untilFewer((sql, now) => deleteOldReceipts(sql, before(now, RECEIPT_MS), BATCH_ROWS)),
    },
    // Those that somebody is writing to are left, so "as many as it may" would not always end.
    {
      name: "data_usage",
      everyMs: DAY_MS,
      sweep: async (sql) => (await deleteEmptyUsage(sql, BATCH_ROWS)) > 0,
    },
  ];
}

/** First what is too old, app by app; then what is too much, some scripts at a time. */
function executionSweeper(limits: RetentionLimits): Task["sweep"] {
  /** Null: old ones first. Else the scripts up to this one are done. */
  let position: typeof FIRST_SCRIPT | null = null;
  return async (sql, now) => {
    if (position === null) {
      const deleted = await deleteOldExecutions(sql, now, limits.executionLogRetentionDays, BATCH_ROWS);
      if (deleted < BATCH_ROWS) position = FIRST_SCRIPT;
      return true;
    }
    const { deleted, next, scripts } = await deleteExcessExecutions(sql, {
      after: position,
      scripts: BATCH_SCRIPTS,
      keep: limits.executionLogMaxPerScript,
      rows: BATCH_ROWS,
    });
    // Some of these scripts may have more.
    if (deleted === BATCH_ROWS) return true;
    position = scripts === BATCH_SCRIPTS ? next : null;
    return position !== null;
  };
}
