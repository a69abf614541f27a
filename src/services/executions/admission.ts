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

interface Allowance {
  rows: number;
  /** `Clock.monotonic`. */
  at: number;
}

/** Decides which runs get a row: a token bucket for each app, so that one app's flood hides no other's runs. */
export function createAdmission(clock: Clock): { admit(appId: string, failed: boolean): boolean } {
  const allowances = new Map<string, Allowance>();
  return {
    admit(appId, failed) {
      const now = clock.monotonic();
      let allowance = allowances.get(appId);
      if (allowance === undefined) {
        // Full ones say nothing that a new one does not.
        if (allowances.size >= 1000) {
          for (const [id, old] of allowances) if (refilled(old, now) >= BURST_ROWS) allowances.delete(id);
        }
        allowance = { rows: BURST_ROWS, at: now };
        allowances.set(appId, allowance);
      }
      allowance.rows = refilled(allowance, now);
      allowance.at = now;
      if (allowance.rows < (failed ? 1 : RESERVED_FOR_FAILURES)) return false;
      allowance.rows--;
      return true;
    },
  };
}

const refilled = (allowance: Allowance, now: number): number =>
  Math.min(BURST_ROWS, allowance.rows + ((now - allowance.at) / 1000) * SUSTAINED_ROWS);
