/** How long to wait after failures. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "linear" | "constant";
  readonly baseMs: number;
}

const LONGEST_MS = 3_600_000;
/** Waits differ by so much either way, so that what failed together is not tried together. */
export const DEFAULT_JITTER = 0.2;

/**
 * Milliseconds until the next attempt (CONTRACT 6.5).
 * @param attempts those already made, 1 or more
 * @param random from 0 to 1
 * @param jitter by how much of itself a wait may differ either way, from 0 to 1
 */
export function backoffMs(
  { backoff, baseMs }: Omit<RetryPolicy, "maxAttempts">,
  attempts: number,
  random: number,
  jitter: number,
): number {
  const factor = backoff === "exponential" ? 2 ** (attempts - 1) : backoff === "linear" ? attempts : 1;
  return Math.round(Math.min(baseMs * factor, LONGEST_MS) * (1 - jitter + 2 * jitter * random));
}
