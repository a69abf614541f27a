import type { Database } from "../../database/client.ts";
import { logger } from "../../shared/log.ts";
import { DROP_AFTER_SECONDS, finishIndexes, hasUnfinished } from "./building.ts";

export interface IndexBuilder {
  /** Goes on with what an earlier process left. */
  start(): void;
  /** An index was asked for, or for one to be dropped. Returns at once. */
  changed(): void;
  /** Lets the batch that is under way end; the rest is left for the next start. */
  stop(): Promise<void>;
}

/** The database was away, or another process is at it. */
const RETRY_MS = 30_000;

/** Builds and drops indexes of documents when they are asked for. Armed only while there is one that is not finished. */
export function createIndexBuilder(db: Database): IndexBuilder {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let working: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  function later(ms: number): void {
    if (stopped || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      changed();
    }, ms);
  }

  function changed(): void {
    again = true;
    if (stopped || working !== null) return;
    working = work().finally(() => {
      working = null;
    });
  }

  async function work(): Promise<void> {
    try {
      while (again && !stopped) {
        again = false;
        await finishIndexes(
          db,
          () => stopped,
          (index) => logger("docs").info("index on {field} of {collection}: {state}", { ...index }),
        );
      }
      if (!stopped && (await hasUnfinished(db))) later(DROP_AFTER_SECONDS * 1000);
    } catch (error) {
      logger("docs").warning("indexes could not be built, trying again: {error}", { error });
      later(RETRY_MS);
    }
  }

  return {
    start: changed,
    changed,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await working;
    },
  };
}
