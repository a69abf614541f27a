import { lastFiring, nextFiring } from "./firings.ts";
import type { Schedule } from "./schedule.ts";

/** What becomes of firings that nobody was there for. */
export const MISSED_POLICIES = ["skip", "once", "all"] as const;
/** What happens when the run before has not ended. */
export const OVERLAP_POLICIES = ["allow", "skip", "queue"] as const;

export interface FiringPolicy {
  readonly missed: (typeof MISSED_POLICIES)[number];
  readonly overlap: (typeof OVERLAP_POLICIES)[number];
  /** A firing that is later than this is dropped; null: however late. */
  readonly startDeadlineSeconds: number | null;
}

export interface Firing {
  /** The instant that the schedule names, in milliseconds since the epoch. */
  readonly at: number;
  /** It comes late because nobody was there, or stands for others that do. */
  readonly missed: boolean;
  /** Firings that it stands for, itself included if it is late; counted up to 1,000. */
  readonly missedCount?: number;
}

export interface FiringPlan {
  /** Oldest first. */
  readonly firings: readonly Firing[];
  /** Null: the schedule has no further one. */
  readonly nextAt: number | null;
}

/** A firing that comes no later is on time: timers are late on a busy machine, and databases slow. */
const ON_TIME_MS = 5000;
/** Of `all` (CONTRACT 14.11). */
const MOST_MISSED = 100;
const MOST_COUNTED = 1000;

/**
 * What is to be done now for a schedule that is due (CONTRACT 6.6 and 14.11). Firings that a later one has overtaken were
 * missed, and so was the last if it is too late.
 * @param dueAt the first instant that has not been fired, not after `now`
 */
export function planFirings(
  schedule: Schedule,
  dueAt: number,
  now: number,
  policy: Omit<FiringPolicy, "overlap">,
): FiringPlan {
  const second = nextFiring(schedule, dueAt);
  const isOne = second === null || second > now;
  const last = isOne ? dueAt : lastFiring(schedule, second, now);
  const nextAt = isOne ? second : nextFiring(schedule, last);
  const earliest =
    policy.startDeadlineSeconds === null
      ? Number.NEGATIVE_INFINITY
      : now - policy.startDeadlineSeconds * 1000;
  const isOnTime = now - last <= ON_TIME_MS;
  const current: readonly Firing[] = isOnTime && last >= earliest ? [{ at: last, missed: false }] : [];
  switch (policy.missed) {
    case "skip":
      return { firings: current, nextAt };
    case "once": {
      if (last < earliest) return { firings: [], nextAt };
      const missedCount = firingsFrom(schedule, dueAt, isOnTime ? last - 1 : last, MOST_COUNTED).length;
      const once = missedCount > 0 ? { at: last, missed: true, missedCount } : { at: last, missed: false };
      return { firings: [once], nextAt };
    }
    case "all": {
      const first = dueAt >= earliest ? dueAt : nextFiring(schedule, earliest - 1);
      const late = firingsFrom(schedule, first, isOnTime ? last - 1 : last, MOST_MISSED);
      return { firings: [...late.map((at) => ({ at, missed: true })), ...current], nextAt };
    }
  }
}

function firingsFrom(schedule: Schedule, first: number | null, until: number, most: number): number[] {
  const result: number[] = [];
  for (let at = first; at !== null && at <= until && result.length < most; at = nextFiring(schedule, at))
    result.push(at);
  return result;
}
