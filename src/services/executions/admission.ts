import type { Clock } from "../../shared/clock.ts";

/**
 * Rows per second that one app may have in its log for long. A row is some 600 bytes, about three times that with
 * indexes and WAL: 500 a second are 1 MB/s, which a memory card takes, and cost some percent of one core; the 20,000
 * trivial requests a second that the machine can answer would cost all of it and wear the card out.
 */
export const SUSTAINED_ROWS = 500;
/** Rows at once after a quiet time, so that every run of an ordinary burst is there. */
export const BURST_ROWS = 2000;
/** Part of the allowance that successes leave to failures. */
const RESERVED_FOR_FAILURES = 200;

/** Bytes of bodies a second that one app may have in its log for long, and at once: about what its rows themselves take. */
export const SUSTAINED_BODY_BYTES = 512 * 1024;
export const BURST_BODY_BYTES = 4 * 1024 * 1024;

export interface Admission {
  /** Whether a run gets a row. */
  admit(appId: string, failed: boolean): boolean;
  /** Whether so many bytes of a body may stand in it. */
  admitBody(appId: string, bytes: number): boolean;
}

interface Bucket {
  left: number;
  /** `Clock.monotonic`. */
  at: number;
}

/** Decides what is written of which runs: token buckets for each app, so that one app's flood hides no other's runs. */
export function createAdmission(clock: Clock): Admission {
  const rows = buckets(clock, BURST_ROWS, SUSTAINED_ROWS);
  const bodies = buckets(clock, BURST_BODY_BYTES, SUSTAINED_BODY_BYTES);
  return {
    admit: (appId, failed) => rows.take(appId, 1, failed ? 0 : RESERVED_FOR_FAILURES - 1),
    admitBody: (appId, bytes) => bodies.take(appId, bytes, 0),
  };
}

function buckets(clock: Clock, burst: number, perSecond: number) {
  const all = new Map<string, Bucket>();
  const refilled = (bucket: Bucket, now: number): number =>
    Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond);
  return {
    /** Takes so much, unless less than `reserve` would be left. */
    take(appId: string, amount: number, reserve: number): boolean {
      const now = clock.monotonic();
      let bucket = all.get(appId);
      if (bucket === undefined) {
        // Full ones say nothing that a new one does not.
        if (all.size >= 1000) {
          for (const [id, old] of all) if (refilled(old, now) >= burst) all.delete(id);
        }
        bucket = { left: burst, at: now };
        all.set(appId, bucket);
      }
      bucket.left = refilled(bucket, now);
      bucket.at = now;
      if (bucket.left < amount + reserve) return false;
      bucket.left -= amount;
      return true;
    },
  };
}
