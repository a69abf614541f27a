import { copyMeter, RhaiError } from "../rhai/index.ts";
import type { Claims } from "./claims.ts";

/** One run's claim on the thread. */
export interface Turn {
  /** Its ticket; see claims.ts. */
  readonly ticket: number;
  /** Bytes of the heap that it may have, and bytes that it had counted when it last gave the thread away. */
  readonly memoryBytes: number;
  counted: number;
  /** Milliseconds that it has computed, as far as can be told. */
  busyMs: number;
  /** What hears of copies on write while it has the thread. */
  listener: typeof copyMeter.listener;
}

/** How long something may be waited for. */
export interface Patience {
  /** In `performance.now()` milliseconds. May be changed while it waits, to later. */
  until: number;
  /** What the run gets when that has passed. */
  readonly late: () => unknown;
  /** Set when it has passed: whatever comes of it is not wanted any more. */
  isOver?: boolean;
}

/** Wakes up the main thread's watchdog when a run goes on after this long; it may have stopped looking. */
const LONG_WAIT_MS = 50;

/** A turn that took longer may have been interrupted by the system. */
const PREEMPTED_ABOVE_MS = 0.3;

/**
 * Who has this thread. Several runs of the app may be under way, but only one of them is at work: a run that waits gives
 * the thread away, and goes on when what it waits for is there and nobody else is at work. So everything that belongs to
 * the run which is at work can be kept in one place, and the main thread can tell which one it is.
 */
export class Turns {
  /** Those that have begun and not ended. */
  readonly underWay = new Set<Turn>();
  readonly #claims: Claims;
  readonly #onFree: () => void;
  readonly #onLongWait: () => void;
  #holder: Turn | null = null;
  #since = 0;
  /** Processor time of this thread in microseconds, as of the last time that it was asked for. */
  #computed = threadComputed();
  /** Runs that can go on, the first to come first. */
  #ready: { readonly turn: Turn; readonly go: () => void }[] = [];
  readonly #waiting = new Set<{ readonly patience: Patience; readonly giveUp: () => void }>();
  #timer: { readonly timer: ReturnType<typeof setTimeout>; readonly at: number } | null = null;

  /**
   * @param onFree called when the thread was given away
   * @param onLongWait called when a run goes on that has waited for long
   */
  constructor(claims: Claims, onFree: () => void, onLongWait: () => void) {
    this.#claims = claims;
    this.#onFree = onFree;
    this.#onLongWait = onLongWait;
  }

  get isTaken(): boolean {
    return this.#holder !== null;
  }

  get holder(): Turn | null {
    return this.#holder;
  }

  /** A run begins, at once. */
  begin(ticket: number, memoryBytes: number): Turn {
    const turn: Turn = { ticket, memoryBytes, counted: 0, busyMs: 0, listener: null };
    this.underWay.add(turn);
    this.#take(turn);
    return turn;
  }

  /** A run has ended. */
  end(turn: Turn): void {
    this.release(turn);
    this.underWay.delete(turn);
  }

  /** To be called now and then: the oftener, the better it is known what a run has computed. */
  mark(): void {
    this.#computed = threadComputed();
  }

  /** Takes the thread away from a run that waits, if it still has it. */
  release(turn: Turn): void {
    if (this.#holder !== turn) return;
    turn.busyMs += this.#busyFor(performance.now() - this.#since);
    turn.listener = copyMeter.listener;
    copyMeter.listener = null;
    this.#holder = null;
    this.#claims.leave();
  }

  /** Gives the thread to the run that has been ready for longest. @returns whether there was one */
  grantNext(): boolean {
    const next = this.#ready.shift();
    if (next === undefined) return false;
    this.#take(next.turn);
    next.go();
    return true;
  }

  /** Gives the thread away until a promise settles and it is this run's turn again. Rejects with `late` when that is too late. */
  wait<T>(turn: Turn, promise: Promise<T>, patience: Patience): Promise<T> {
    const begun = performance.now();
    const result = Promise.withResolvers<T>();
    const entry = {
      patience,
      giveUp: () => {
        patience.isOver = true;
        this.#waiting.delete(entry);
        this.#resume(turn, () => result.reject(patience.late()));
      },
    };
    const settle = (go: () => void): void => {
      if (!this.#waiting.delete(entry)) return;
      if (performance.now() - begun > LONG_WAIT_MS) this.#onLongWait();
      this.#resume(turn, () => {
        if (performance.now() <= patience.until) return go();
        patience.isOver = true;
        result.reject(patience.late());
      });
    };
    this.#waiting.add(entry);
    this.#watch(patience.until);
    promise.then(
      (value) => settle(() => result.resolve(value)),
      (error: unknown) => settle(() => result.reject(error)),
    );
    if (this.#holder === turn) {
      this.release(turn);
      // Not now: the run that gives it away is still on the stack.
      queueMicrotask(this.#onFree);
    }
    return result.promise;
  }

  /** Does a run's work that something else calls, when it is its turn. */
  async within<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => this.#resume(turn, resolve));
    try {
      return await work();
    } finally {
      this.release(turn);
      queueMicrotask(this.#onFree);
    }
  }

  /** What was computed in a time, without what the system gave to other threads. Asked for seldom: it costs 0.4 µs. */
  #busyFor(ms: number): number {
    if (ms < PREEMPTED_ABOVE_MS) return ms;
    const before = this.#computed;
    this.mark();
    return Math.min(ms, (this.#computed - before) / 1000);
  }

  #resume(turn: Turn, go: () => void): void {
    // It waited for several things at once.
    if (this.#holder === turn) return go();
    this.#ready.push({ turn, go });
    if (this.#holder === null) this.#onFree();
  }

  #take(turn: Turn): void {
    this.#holder = turn;
    copyMeter.listener = turn.listener;
    this.#since = performance.now();
    this.#claims.enter(turn.ticket, this.#since);
  }

  #watch(at: number): void {
    if (at === Number.POSITIVE_INFINITY) return;
    if (this.#timer !== null) {
      if (this.#timer.at <= at) return;
      clearTimeout(this.#timer.timer);
    }
    this.#timer = { at, timer: setTimeout(this.#giveUpLate, Math.max(0, at - performance.now())) };
  }

  readonly #giveUpLate = (): void => {
    this.#timer = null;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    // The innermost of what a run waits for comes last.
    for (const { patience, giveUp } of [...this.#waiting].toReversed()) {
      if (patience.until <= now) giveUp();
      else next = Math.min(next, patience.until);
    }
    this.#watch(next);
  };
}

/** Microseconds. */
function threadComputed(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** What a run gets that has waited past its deadline. */
export const pastDeadline = (): RhaiError => new RhaiError("ErrorDeadline", "Script ran past its deadline");
