import type { Schedule } from "./schedule.ts";
import { firstChange, offsetAt } from "./zone.ts";

/** Clocks are set by at most a day and some hours (across the date line). */
const LONGEST_SHIFT_MS = 26 * 3_600_000;
const SECOND_MS = 1000;

/**
 * The first instant after another at which a schedule fires; null: never again. When clocks are set (CONTRACT 6.6):
 * local times that do not exist fire together at the first instant after the gap. What occurs twice fires the first time
 * only where the schedule names times, and each time where it names steps.
 * @param after milliseconds since the epoch
 */
export function nextFiring(schedule: Schedule, after: number): number | null {
  const { timezone, isFixed, nextLocal } = schedule;
  // Schedules know whole seconds.
  let from = Math.floor(after / SECOND_MS) * SECOND_MS;
  let offset = offsetAt(timezone, from);
  let local = from + offset;
  if (isFixed) local = Math.max(local, endOfRepetition(timezone, from) - SECOND_MS);
  for (;;) {
    const match = nextLocal(local);
    if (match === null) return null;
    const at = match - offset;
    // However clocks are set meanwhile, nothing fires long before.
    const near = at - 2 * LONGEST_SHIFT_MS;
    if (near > from) {
      from = near;
      offset = offsetAt(timezone, from);
      local = match - SECOND_MS;
      continue;
    }
    const change = firstChange(timezone, from, at);
    if (change === null) return at;
    const isGap = change.after > offset;
    if (isGap && match < change.at + change.after) return change.at;
    local = change.at + (isGap || !isFixed ? change.after : offset) - SECOND_MS;
    from = change.at;
    offset = change.after;
  }
}

/** The next instants, at most `count`, in order. */
export function nextFirings(schedule: Schedule, after: number, count: number): number[] {
  const result: number[] = [];
  let at = nextFiring(schedule, after);
  while (at !== null && result.length < count) {
    result.push(at);
    at = nextFiring(schedule, at);
  }
  return result;
}

/** The last instant at which it fires up to `until`, `since` being one that is not after it. */
export function lastFiring(schedule: Schedule, since: number, until: number): number {
  let last = since;
  let high = until;
  // Halved rather than walked: a month of seconds is millions of firings.
  while (high - last > SECOND_MS) {
    const middle = Math.floor((last + high) / 2);
    const next = nextFiring(schedule, middle);
    if (next !== null && next <= until) last = next;
    else high = middle;
  }
  const next = nextFiring(schedule, last);
  return next !== null && next <= until ? next : last;
}

/** The local time up to which all has occurred before, as clocks were set back shortly before this instant. */
function endOfRepetition(timezone: string, instant: number): number {
  const change = firstChange(timezone, instant - LONGEST_SHIFT_MS, instant);
  return change !== null && change.before > change.after
    ? change.at + change.before
    : Number.NEGATIVE_INFINITY;
}
