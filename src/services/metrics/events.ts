import { logger } from "../../shared/log.ts";
import type { Exposition, Sample } from "./exposition.ts";

/** What there is to tell of events. */
export interface EventFigures {
  /** Of this process, since its start. */
  readonly counts: () => {
    readonly underWay: number;
    readonly delivered: number;
    readonly failed: number;
    readonly deadLettered: number;
    readonly tooDeep: number;
  };
  /** How late the last cron trigger was fired, in milliseconds. */
  readonly cronLagMs: () => number;
  /** Whether it is this process that fires schedules. */
  readonly leads: () => boolean;
  /** Asks the database. */
  readonly waiting: () => Promise<{
    readonly pending: readonly (readonly [kind: string, count: number])[];
    readonly oldestSeconds: number;
    /** By the app's slug. */
    readonly deadLetters: readonly (readonly [app: string, count: number])[];
    /** By the app's slug. */
    readonly dropped: readonly (readonly [app: string, count: number])[];
  }>;
}

/** A scrape does not wait longer for the database; it then lacks what only that knows. */
const PATIENCE_MS = 2000;

/** What waits, asked for now; null: the database does not answer. */
export async function waitingNow(
  events: EventFigures,
): Promise<Awaited<ReturnType<EventFigures["waiting"]>> | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), PATIENCE_MS);
  try {
    return await Promise.race([events.waiting(), late.promise]);
  } catch (error) {
    logger("metrics").warning("what waits could not be counted: {error}", { error });
    return null;
  } finally {
    clearTimeout(timer);
  }
}

export function writeEvents(
  out: Exposition,
  { counts: countsOf, leads }: EventFigures,
  waiting: Awaited<ReturnType<typeof waitingNow>>,
): void {
  const counts = countsOf();
  const by = (label: string, figures: readonly (readonly [string, number])[]): Sample[] =>
    figures.map(([name, count]): Sample => [{ [label]: name }, count]);
  out.counter("picloud_events_total", "Attempts to deliver events, by how they ended.", [
    [{ outcome: "delivered" }, counts.delivered],
    [{ outcome: "failed" }, counts.failed],
    [{ outcome: "too_deep" }, counts.tooDeep],
  ]);
  out.counter("picloud_events_dead_lettered_total", "Events that became dead letters.", counts.deadLettered);
  out.gauge("picloud_events_under_way", "Events whose scripts are running.", counts.underWay);
  out.gauge(
    "picloud_scheduler_leader",
    "Whether this process fires schedules: one of those on a database does.",
    leads() ? 1 : 0,
  );
  if (waiting === null) return;
  out.gauge("picloud_outbox_pending", "Events to be delivered, by kind.", by("kind", waiting.pending));
  out.gauge(
    "picloud_outbox_oldest_seconds",
    "For how long the oldest of them has been due.",
    waiting.oldestSeconds,
  );
  out.gauge(
    "picloud_dead_letters_unresolved",
    "Dead letters that nobody has dealt with, by app.",
    by("app", waiting.deadLetters),
  );
  out.counter(
    "picloud_events_dropped_total",
    "Events that waited when their trigger was disabled or deleted, by app.",
    by("app", waiting.dropped),
  );
}
