import type { Database } from "../../database/client.ts";
import { AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import { nextFiring } from "./firings.ts";
import { planFirings, type Firing, type FiringPlan } from "./plan.ts";
import {
  disable,
  end,
  insertFirings,
  lockDue,
  reschedule,
  type DueTrigger,
  type FiringRow,
  type Rescheduled,
} from "./queries.ts";
import { parseCron, type Cron, type CronInput } from "./settings.ts";

export interface FiredBatch {
  /** Triggers looked at: as many as the limit means that there may be more. */
  readonly triggers: number;
  /** Rows written to the outbox. */
  readonly fired: number;
  /** Between the instant that was meant and this one, of the latest; 0: nothing was fired. */
  readonly lagMs: number;
}

/**
 * Fires what is due, in one transaction: the rows of the outbox, and when each trigger is due next. Whoever has locked a
 * trigger's row fires it, and `next_at` only moves past `now`: so no instant is fired twice, by however many processes.
 * A trigger whose `next_at` is null is given one.
 * @param now by the clock of this process, in milliseconds since the epoch; the database's is not asked
 * @param limit triggers at most
 */
export async function fireDue(db: Database, now: number, limit: number): Promise<FiredBatch> {
  return db.begin(async (sql) => {
    const due = await lockDue(sql, new Date(now), limit);
    const rows: FiringRow[] = [];
    const moved: Rescheduled[] = [];
    let lagMs = 0;
    for (const trigger of due) {
      const cron = readable(trigger);
      if (typeof cron === "string") {
        await disable(sql, trigger, cron);
        continue;
      }
      const { firings, nextAt } = firingsOf(trigger, cron, now);
      for (const firing of firings) {
        lagMs = Math.max(lagMs, now - firing.at);
        const payload = cronEvent(trigger.id, cron.details, firing, now);
        rows.push({ id: newId(), app_id: trigger.app_id, trigger_id: trigger.id, payload });
      }
      const firedAt = firings.length > 0 ? new Date(now) : null;
      const { app_id, id } = trigger;
      if (nextAt === null) await end(sql, trigger, firedAt);
      else moved.push({ app_id, id, next_at: new Date(nextAt), fired_at: firedAt });
    }
    await insertFirings(sql, rows);
    await reschedule(sql, moved);
    return { triggers: due.length, fired: rows.length, lagMs };
  });
}

/** Or why it cannot be read. */
function readable({ details }: DueTrigger): Cron | string {
  try {
    return parseCron(details);
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

function firingsOf(trigger: DueTrigger, { schedule, policy }: Cron, now: number): FiringPlan {
  if (trigger.next_at === null) return { firings: [], nextAt: nextFiring(schedule, now) };
  const plan = planFirings(schedule, trigger.next_at.getTime(), now, policy);
  if (policy.overlap !== "skip") return plan;
  // Of several that were missed, those after the first would overlap with it.
  return { ...plan, firings: plan.firings.slice(0, trigger.is_busy ? 0 : 1) };
}

/** `ctx.event` of a firing (CONTRACT 3.3). @param now when it is fired, in milliseconds since the epoch */
export const cronEvent = (
  triggerId: string,
  { schedule, timezone }: Pick<CronInput, "schedule" | "timezone">,
  { at, missed, missedCount }: Firing,
  now: number,
) => ({
  source: "cron",
  op: "fire",
  cron: {
    trigger_id: triggerId,
    schedule,
    timezone,
    scheduled_at: new Date(at).toISOString(),
    fired_at: new Date(now).toISOString(),
    missed,
    ...(missedCount !== undefined && { missed_count: missedCount }),
  },
});
