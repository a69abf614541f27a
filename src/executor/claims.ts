/**
 * The memory that a worker and the main thread share about the runs that were posted to it: who may have a run, and
 * since when it has been running. A run that was posted is QUEUED until either the worker starts it or the main thread
 * takes it back to give it to another worker; compare-and-exchange decides, so a run happens exactly once. Of those that
 * were started, one at most has the thread; the others wait for something.
 *
 * A ticket numbers the runs posted to one worker; which slot it has, its remainder tells. Its word is
 * `ticket * 4 + state`, so that a word that was reused by a later ticket can never be claimed for an earlier one.
 */
export class Claims {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #startedAt: Float64Array;
  /** Since when the holder has the thread. */
  readonly #since: Float64Array;
  /** The word of the run that has the thread, or 0. */
  readonly #holder: Int32Array;

  constructor(buffer = new SharedArrayBuffer(SLOTS * 12 + 12)) {
    this.buffer = buffer;
    this.#startedAt = new Float64Array(buffer, 0, SLOTS);
    this.#since = new Float64Array(buffer, SLOTS * 8, 1);
    this.#words = new Int32Array(buffer, SLOTS * 8 + 8, SLOTS);
    this.#holder = new Int32Array(buffer, SLOTS * 12 + 8, 1);
  }

  /** Main thread, before posting. */
  queue(ticket: number): void {
    Atomics.store(this.#words, ticket % SLOTS, word(ticket, QUEUED));
  }

  /** Worker: whether the run is its to make. */
  start(ticket: number): boolean {
    const slot = ticket % SLOTS;
    this.#startedAt[slot] = sharedNow();
    return (
      Atomics.compareExchange(this.#words, slot, word(ticket, QUEUED), word(ticket, STARTED)) ===
      word(ticket, QUEUED)
    );
  }

  /** Worker: the run has the thread from now on. @param now this thread's `performance.now()` */
  enter(ticket: number, now: number): void {
    this.#since[0] = performance.timeOrigin + now;
    Atomics.store(this.#holder, 0, word(ticket, STARTED));
  }

  /** Worker: nobody has the thread. */
  leave(): void {
    Atomics.store(this.#holder, 0, 0);
  }

  /** Whether the run has the thread. */
  holds(ticket: number): boolean {
    return Atomics.load(this.#holder, 0) === word(ticket, STARTED);
  }

  /** Since when the last run that got the thread had it, in `sharedNow` milliseconds; whether it still has it. */
  get lastTurn(): { readonly at: number; readonly isTaken: boolean } {
    return { isTaken: Atomics.load(this.#holder, 0) !== 0, at: this.#since[0] ?? 0 };
  }

  /** Main thread: whether the run has not started. */
  isQueued(ticket: number): boolean {
    return Atomics.load(this.#words, ticket % SLOTS) === word(ticket, QUEUED);
  }

  /** Main thread: whether the run was taken back before it started. */
  steal(ticket: number): boolean {
    const slot = ticket % SLOTS;
    return (
      Atomics.compareExchange(this.#words, slot, word(ticket, QUEUED), word(ticket, STOLEN)) ===
      word(ticket, QUEUED)
    );
  }

  /** When the run started, in `sharedNow` milliseconds; null when it has not. */
  startedAt(ticket: number): number | null {
    const slot = ticket % SLOTS;
    return Atomics.load(this.#words, slot) === word(ticket, STARTED) ? (this.#startedAt[slot] ?? null) : null;
  }
}

/** Runs that may be with one worker at a time. */
export const SLOTS = 64;

const QUEUED = 1;
const STARTED = 2;
const STOLEN = 3;

const word = (ticket: number, state: number): number => (ticket * 4 + state) | 0;

/** Milliseconds that mean the same in every thread; `performance.now()` counts from each thread's own start. */
export const sharedNow = (): number => performance.timeOrigin + performance.now();
