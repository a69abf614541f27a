import type { Database } from "../database/client.ts";
import { extendClaim, type Delivery } from "../services/events/index.ts";
import type { EndedRun } from "./runs.ts";

/** Transactional runs of an app at a time. They hold connections and locks for as long as they take. */
const WIDTH = 4;
/** Times that a run is made which others get in the way of, before that counts as a failed attempt. */
const MAX_TRIES = 10;
const MAX_PAUSE_MS = 40;
/** A claim must last for so long beyond the longest run, as nobody renews it meanwhile. */
const SPARE_SECONDS = 15;

export interface WholeRunsOptions {
  readonly db: Database;
  /** How long a claim lasts. */
  readonly leaseSeconds: number;
  readonly random: () => number;
}

export interface WholeRuns {
  /** Ids of deliveries whose claims must not be renewed now. */
  readonly underWay: ReadonlySet<string>;
  /**
   * @param timeoutMs what the run may take
   * @param run makes it, once
   * @returns null: the delivery is not this process's any more
   */
  make(delivery: Delivery, timeoutMs: number, run: () => Promise<EndedRun>): Promise<EndedRun | null>;
}

/**
 * Runs that are transactions, whose last statement ends their delivery. When others have changed the same data, nothing has
 * happened, and the run is made again at once, with no other transactional run of the app beside it: that is no failed
 * attempt. While such a transaction is under way its claim is not renewed, as that would change the row that it ends.
 */
export function createWholeRuns({ db, leaseSeconds, random }: WholeRunsOptions): WholeRuns {
  const lines = new Map<string, Line>();
  const underWay = new Set<string>();

  const make: WholeRuns["make"] = async (delivery, timeoutMs, run) => {
    const attempt = { appId: delivery.app_id, id: delivery.id, attempt: delivery.attempt_count };
    const neededMs = timeoutMs + SPARE_SECONDS * 1000;
    let lastsUntil = performance.now() + leaseSeconds * 1000;

    async function once(): Promise<EndedRun | null> {
      if (performance.now() + neededMs > lastsUntil) {
        if (!(await extendClaim(db, attempt, neededMs / 1000))) return null;
        lastsUntil = performance.now() + neededMs;
      }
      underWay.add(delivery.id);
      try {
        return await run();
      } finally {
        underWay.delete(delivery.id);
      }
    }

    const first = await inLine(attempt.appId, false, once);
    if (first === null || !isCollision(first)) return first;
    return inLine(attempt.appId, true, async () => {
      let ended = first;
      for (let tries = 1; tries < MAX_TRIES && isCollision(ended); tries++) {
        // What is in the way now are other runs; they get some time to end.
        if (tries > 1) await Bun.sleep(MAX_PAUSE_MS * random());
        // Whatever has changed its row was in the way too.
        lastsUntil = 0;
        const again = await once();
        if (again === null) {
          ended.record();
          return null;
        }
        ended = again;
      }
      if (isCollision(ended)) ended.record();
      return ended;
    });
  };

  async function inLine<T>(appId: string, isAlone: boolean, work: () => Promise<T>): Promise<T> {
    const line = lines.get(appId) ?? new Line();
    lines.set(appId, line);
    await line.enter(isAlone);
    try {
      return await work();
    } finally {
      line.leave();
      if (line.isEmpty) lines.delete(appId);
    }
  }

  return { underWay, make };
}

const isCollision = ({ outcome }: EndedRun): boolean => outcome.delivery === "collided";

/** Whose turn it is: some together, or one alone; whoever comes first is first. */
class Line {
  #running = 0;
  #hasOneAlone = false;
  readonly #waiting: { readonly isAlone: boolean; readonly go: () => void }[] = [];

  get isEmpty(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  async enter(isAlone: boolean): Promise<void> {
    await new Promise<void>((go) => {
      this.#waiting.push({ isAlone, go });
      this.#admit();
    });
  }

  leave(): void {
    this.#running--;
    this.#hasOneAlone = false;
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#hasOneAlone || this.#running >= (next.isAlone ? 1 : WIDTH)) return;
      this.#waiting.shift();
      this.#running++;
      this.#hasOneAlone = next.isAlone;
      next.go();
    }
  }
}
