import { unavailable } from "../../shared/errors.ts";

/** Until when a request must have its answer. */
export interface Deadline {
  /**
   * The result of some work, or 503 when it does not come in time. The work itself goes on; it is for work that ends by
   * itself as a rule (the database ends a statement after 30 s), so that no client waits for ever when it does not.
   */
  inTime<T>(work: Promise<T>): Promise<T>;
  /** Work that is under way may take so long from now on. */
  extend(milliseconds: number): void;
}

export function deadline(milliseconds: number): Deadline {
  let allowedMs = milliseconds;
  let rearm: (() => void) | null = null;
  return {
    async inTime(work) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        rearm = () => {
          clearTimeout(timer);
          timer = setTimeout(() => reject(noAnswer()), allowedMs);
        };
        rearm();
      });
      try {
        return await Promise.race([work, late]);
      } finally {
        clearTimeout(timer);
        rearm = null;
      }
    },
    extend(ms) {
      allowedMs = Math.max(allowedMs, ms);
      rearm?.();
    },
  };
}

const noAnswer = () =>
  unavailable(
    "no_answer_in_time",
    "PiCloud or its database did not get it done in time. Try again shortly.",
    5,
  );
