import type { Queryable } from "../../database/client.ts";
import { complete, type Delivery } from "./outbox.ts";

type Completed = Pick<Delivery, "app_id" | "id" | "attempt_count">;

export interface Completions {
  /** The delivery succeeded, or is not wanted any more. Resolves when that is committed. */
  complete(delivery: Completed): Promise<void>;
}

/**
 * Ends deliveries together: those that succeed while a statement is under way share the next one, and with it one commit.
 * One that is alone does not wait for others.
 */
export function createCompletions(sql: Queryable): Completions {
  let waiting: Completed[] = [];
  let next: Promise<void> | null = null;
  let last: Promise<void> = Promise.resolve();

  async function send(after: Promise<void>): Promise<void> {
    await after;
    const batch = waiting;
    waiting = [];
    next = null;
    await complete(sql, batch);
  }

  return {
    complete(delivery) {
      waiting.push(delivery);
      if (next === null) {
        next = send(last);
        last = next.catch(() => {});
      }
      return next;
    },
  };
}
