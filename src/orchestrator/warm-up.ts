/** How many deliveries may be under way while workers are not there yet. */
export interface WarmUp {
  /** Runs that may be under way now. Asked when somebody looks for events. @param runs those that are */
  allowed(runs: number): number;
  /** A run has ended. */
  ended(): void;
  /** When there is more to do than is allowed: milliseconds until more is, if no run ends. Null: there is no more. */
  moreInMs(): number | null;
}

/** After a rest, as workers retire. */
const FIRST = 2;
/** The pool's workers end when they were idle for so long. */
const COLD_AFTER_MS = 5000;
/** When no run ends for so long there is room for more, by this share: runs that take long do not keep others waiting. */
const STALLED_MS = 200;
const GROWTH = 0.25;

/**
 * A run whose script no worker knows gets a worker of its own, and to start one takes a tenth of a second of a processor.
 * Thirty at once would keep everybody waiting for seconds, above all after a crash that left a backlog; where a few go
 * first, the others share their workers. So it begins with a few; each that ends makes room for one more, and so does
 * each moment in which none does.
 * @param most runs at all
 * @param now in milliseconds, monotonic
 */
export function createWarmUp(most: number, now: () => number = () => performance.now()): WarmUp {
  let room = Math.min(FIRST, most);
  /** When a run ended last, or room was made. */
  let movedAt = now();
  return {
    allowed(runs) {
      const quiet = now() - movedAt;
      if (runs === 0) {
        if (quiet > COLD_AFTER_MS) room = Math.min(FIRST, most);
        movedAt = now();
      } else if (quiet >= STALLED_MS) {
        room = Math.min(Math.ceil(room * (1 + GROWTH)), most);
        movedAt = now();
      }
      return room;
    },
    ended() {
      room = Math.min(room + 1, most);
      movedAt = now();
    },
    moreInMs: () => (room < most ? STALLED_MS : null),
  };
}
