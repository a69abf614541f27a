import { nextFiring } from "./firings.ts";
import { planFirings, type FiringPolicy } from "./plan.ts";
import type { Schedule } from "./schedule.ts";
import { firstChange, offsetAt, type ClockChange } from "./zone.ts";

/** A time during which nothing is fired: PiCloud is off, or the trigger paused. Milliseconds since the epoch. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export interface RehearsalOptions {
  readonly schedule: Schedule;
  readonly policy: FiringPolicy;
  /** How long each run takes, in milliseconds; null: not known, and nothing is said of overlaps. */
  readonly durationMs: number | null;
  /** The first instant and the last, in milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** In order. */
  readonly outages: readonly Outage[];
}

/** One firing, or those of a local day. */
export interface Rehearsed {
  readonly first: number;
  readonly last: number;
  /** Runs that there will be. */
  readonly runs: number;
  /** There are more on that day than were counted. */
  readonly isMore: boolean;
  /** What is remarkable, each once. */
  readonly notes: readonly string[];
}

interface Step {
  readonly at: number;
  readonly runs: number;
  readonly notes: readonly string[];
}

/** A day with more is one row. */
const MOST_ROWS_A_DAY = 4;
/** A day with more is not counted to its end. */
const MOST_COUNTED_A_DAY = 1500;
const MINUTE_MS = 60_000;

/**
 * What a trigger will do in a time to come, on a clock that only exists here: nothing is run. Each day by local time; a
 * day with many firings is one row.
 */
export function rehearse(options: RehearsalOptions): Rehearsed[] {
  const { schedule } = options;
  const result: Rehearsed[] = [];
  const changes = changesOf(schedule.timezone, options.from, options.to);
  let day: Step[] = [];
  let dayEnd = Number.NEGATIVE_INFINITY;
  // When the run before ends.
  let busyUntil = Number.NEGATIVE_INFINITY;
  const close = (isMore: boolean): void => {
    result.push(...rowsOf(day, isMore));
    day = [];
  };
  let at = nextFiring(schedule, options.from - 1);
  while (at !== null && at <= options.to) {
    if (at >= dayEnd) {
      close(false);
      dayEnd = endOfDay(schedule.timezone, at);
    }
    const due = at;
    const outage = options.outages.find(({ from, to }) => from <= due && due < to);
    // Beyond what is asked for.
    if (outage !== undefined && outage.to > options.to) break;
    if (outage !== undefined) {
      const { step, nextAt } = afterOutage(options, due, outage.to);
      day.push(step);
      at = nextAt;
      continue;
    }
    const notes = clockNotes(schedule, due, changes);
    const run = overlap(options, due, busyUntil);
    busyUntil = run.busyUntil;
    day.push({ at: due, runs: run.runs, notes: [...notes, ...run.notes] });
    if (day.length < MOST_COUNTED_A_DAY) at = nextFiring(schedule, due);
    else {
      close(true);
      // Outages are not jumped over.
      const start = options.outages.find(({ from }) => from > due)?.from ?? dayEnd;
      at = nextFiring(schedule, Math.min(start, dayEnd) - 1);
    }
  }
  close(false);
  return result;
}

function afterOutage({ schedule, policy }: RehearsalOptions, due: number, back: number) {
  const { firings, nextAt } = planFirings(schedule, due, back, policy);
  const all = planFirings(schedule, due, back, { missed: "once", startDeadlineSeconds: null });
  const missed = all.firings[0]?.missedCount ?? 0;
  const runs = policy.overlap === "skip" ? Math.min(firings.length, 1) : firings.length;
  const note = `${missed} missed (${policy.missed}): ${runs === 0 ? "dropped" : `${runs} on return`}`;
  return { step: { at: back, runs, notes: [note] }, nextAt };
}

function overlap(
  { policy, durationMs }: RehearsalOptions,
  at: number,
  busyUntil: number,
): { readonly runs: number; readonly notes: readonly string[]; readonly busyUntil: number } {
  if (durationMs === null) return { runs: 1, notes: [], busyUntil };
  if (at >= busyUntil) return { runs: 1, notes: [], busyUntil: at + durationMs };
  switch (policy.overlap) {
    case "skip":
      return { runs: 0, notes: ["skipped, as the run before has not ended"], busyUntil };
    case "queue":
      return { runs: 1, notes: ["waits for the run before"], busyUntil: busyUntil + durationMs };
    case "allow":
      return { runs: 1, notes: ["overlaps the run before"], busyUntil: Math.max(busyUntil, at + durationMs) };
  }
}

/** What setting the clocks does to a firing. */
function clockNotes(schedule: Schedule, at: number, changes: readonly ClockChange[]): string[] {
  return changes.flatMap((change) => {
    const minutes = Math.abs(change.after - change.before) / MINUTE_MS;
    if (change.after > change.before) {
      if (at !== change.at) return [];
      const match = schedule.nextLocal(at + change.before - 1000);
      if (match === null || match >= at + change.after) return [];
      return [`clocks go forward ${minutes} min: ${timeOf(match)} does not exist`];
    }
    const repeated = change.before - change.after;
    if (at < change.at - repeated || at >= change.at + repeated) return [];
    if (at >= change.at) return [`clocks went back ${minutes} min: second time`];
    return [`clocks go back ${minutes} min: ${schedule.isFixed ? "first time only" : "first time"}`];
  });
}

function changesOf(zone: string, from: number, to: number): ClockChange[] {
  const result: ClockChange[] = [];
  let change = firstChange(zone, from, to);
  while (change !== null) {
    result.push(change);
    change = firstChange(zone, change.at, to);
  }
  return result;
}

/** The end of the local day, in milliseconds since the epoch. */
function endOfDay(zone: string, at: number): number {
  const local = at + offsetAt(zone, at);
  const midnight = (Math.floor(local / 86_400_000) + 1) * 86_400_000;
  const guess = midnight - offsetAt(zone, at);
  return Math.max(midnight - offsetAt(zone, guess), at + 1);
}

function rowsOf(day: readonly Step[], isMore: boolean): Rehearsed[] {
  if (day.length <= MOST_ROWS_A_DAY && !isMore)
    return day.map(({ at, runs, notes }) => ({ first: at, last: at, runs, isMore: false, notes }));
  const counts = new Map<string, number>();
  for (const note of day.flatMap(({ notes }) => notes)) counts.set(note, (counts.get(note) ?? 0) + 1);
  return [
    {
      first: day[0]?.at ?? 0,
      last: day.at(-1)?.at ?? 0,
      runs: day.reduce((sum, { runs }) => sum + runs, 0),
      isMore,
      notes: [...counts].map(([note, times]) => (times === 1 ? note : `${note} (${times} times)`)),
    },
  ];
}

/** Of a local time as if it were UTC: `02:30:00`. */
const timeOf = (local: number): string => new Date(local).toISOString().slice(11, 19);
