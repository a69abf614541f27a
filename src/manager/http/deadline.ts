import { unavailable } from "../../shared/errors.ts";

/**
 * The result of some work, or 503 when it does not come in time. The work itself goes on; it is for work that ends by
 * itself as a rule (the database ends a statement after 30 s), so that no client waits for ever when it does not.
 */
export async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        unavailable(
          "no_answer_in_time",
          "PiCloud or its database did not get it done in time. Try again shortly.",
          5,
        ),
      );
    }, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
