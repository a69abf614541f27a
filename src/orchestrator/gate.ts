import type { Clock } from "../shared/clock.ts";
import { unavailable } from "../shared/errors.ts";

export interface GateStats {
  /** Slots in use, over all apps. */
  readonly running: number;
  readonly waiting: number;
  /** Since the start. */
  readonly rejected: number;
}

/** Longest wait for a slot. */
const MAX_WAIT_MS = 1000;
/** What an app may have of the gate (CONTRACT 14.2). */
export interface Share {
  /** Of two apps that wait, the one with fewer runs per weight is next. */
  readonly weight: number;
  /** Runs at once; null: as many as the gate lets one app have. */
  readonly maxConcurrent: number | null;
  /** Requests that may wait. */
  readonly maxQueued: number;
}

export const EVEN_SHARE: Share = { weight: 1, maxConcurrent: null, maxQueued: 100 };

/**
 * Slots that no app alone may fill, so that another app's request finds one at once even while all that the first app
 * runs is endless. A gate too small to give any away has none.
 */
const RESERVED = 2;
const SMALLEST_WITH_RESERVE = 8;

/** How many of the slots one app may have at most. */
export const slotsOfOneApp = (slots: number): number =>
  slots >= SMALLEST_WITH_RESERVE ? slots - RESERVED : slots;

interface Waiter {
  readonly since: number;
  /** With the milliseconds waited; null: in vain. */
  readonly wake: (waitedMs: number | null) => void;
}

interface AppState {
  running: number;
  readonly waiters: Waiter[];
  /** As the latest request had it. */
  share: Share;
}

/**
 * Bounds how many runs there are at once, and shares the slots between apps: an app may use what is free, but when
 * nothing is, the next free slot goes to the app with the fewest runs for its weight. Slots are given back only when a run has really
 * ended.
 */
export class Gate {
  readonly #slots: number;
  readonly #perApp: number;
  readonly #clock: Clock;
  readonly #apps = new Map<string, AppState>();
  #running = 0;
  #waiting = 0;
  #rejected = 0;
  /** Whether a timer is set for the waiter who came first. */
  #isTimed = false;

  constructor(slots: number, clock: Clock) {
    this.#slots = slots;
    this.#perApp = slotsOfOneApp(slots);
    this.#clock = clock;
  }

  stats(): GateStats {
    return { running: this.#running, waiting: this.#waiting, rejected: this.#rejected };
  }

  /**
   * Takes a slot: 0 when there is one, else a promise of the milliseconds waited. Each slot must be given back.
   * @throws AppError 503 `overloaded` (or rejects with it)
   */
  enter(appId: string, share: Share = EVEN_SHARE): 0 | Promise<number> {
    let app = this.#apps.get(appId);
    if (app === undefined) {
      app = { running: 0, waiters: [], share };
      this.#apps.set(appId, app);
    }
    app.share = share;
    if (this.#running < this.#slots && this.#hasRoom(app) && app.waiters.length === 0) {
      this.#running++;
      app.running++;
      return 0;
    }
    if (app.waiters.length >= share.maxQueued) throw this.#refuse();
    return this.#wait(app);
  }

  #hasRoom({ running, share }: AppState): boolean {
    return running < this.#perApp && (share.maxConcurrent === null || running < share.maxConcurrent);
  }

  leave(appId: string): void {
    const app = this.#apps.get(appId);
    if (app === undefined || app.running === 0) return;
    this.#running--;
    app.running--;
    if (this.#waiting > 0) this.#grant();
    else if (app.running === 0 && this.#apps.size > 1000) this.#apps.delete(appId);
  }

  #wait(app: AppState): Promise<number> {
    return new Promise((resolve, reject) => {
      const since = this.#clock.monotonic();
      this.#waiting++;
      app.waiters.push({
        since,
        wake: (waitedMs) => {
          this.#waiting--;
          if (waitedMs === null) reject(this.#refuse());
          else resolve(waitedMs);
        },
      });
      if (this.#isTimed) return;
      this.#isTimed = true;
      setTimeout(this.#expire, MAX_WAIT_MS);
    });
  }

  /** Gives free slots to waiters: the app with the fewest runs for its weight first, then who waits longest. */
  #grant(): void {
    while (this.#running < this.#slots) {
      let best: AppState | null = null;
      for (const app of this.#apps.values()) {
        const [first] = app.waiters;
        if (first === undefined || !this.#hasRoom(app)) continue;
        // Products instead of quotients: whole numbers compare exactly.
        const mine = best === null ? -1 : app.running * best.share.weight;
        const theirs = best === null ? 0 : best.running * app.share.weight;
        if (mine < theirs || (mine === theirs && first.since < (best?.waiters[0]?.since ?? 0))) best = app;
      }
      const waiter = best?.waiters.shift();
      if (best === null || waiter === undefined) return;
      this.#running++;
      best.running++;
      waiter.wake(this.#clock.monotonic() - waiter.since);
    }
  }

  /** Sends those away who have waited long enough; the timer lives only while somebody waits. */
  readonly #expire = (): void => {
    const now = this.#clock.monotonic();
    let oldest = Number.POSITIVE_INFINITY;
    for (const { waiters } of this.#apps.values()) {
      let overdue = 0;
      for (const waiter of waiters) {
        if (now - waiter.since < MAX_WAIT_MS - 1) break;
        overdue++;
      }
      for (const waiter of waiters.splice(0, overdue)) waiter.wake(null);
      const [next] = waiters;
      if (next !== undefined) oldest = Math.min(oldest, next.since);
    }
    this.#isTimed = oldest !== Number.POSITIVE_INFINITY;
    if (this.#isTimed) setTimeout(this.#expire, oldest + MAX_WAIT_MS - now);
  };

  #refuse() {
    this.#rejected++;
    return unavailable("overloaded", "Too many scripts are running. Try again in a moment.", 1);
  }
}
