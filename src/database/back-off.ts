const WAITS_MS = [50, 100, 250, 500, 1_000, 2_000, 5_000];

/** How long a connection that is meant to stay waits before it is made again. @param attempts in vain so far; from 0 */
export const backOffMs = (attempts: number): number => WAITS_MS[Math.min(attempts, WAITS_MS.length - 1)] ?? 0;
