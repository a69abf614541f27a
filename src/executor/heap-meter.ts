import { heapSize } from "bun:jsc";
import type { RunOptions } from "../rhai/index.ts";
import type { HeapBoard } from "./heap-board.ts";
import type { Turn } from "./turns.ts";

/** The heap must have grown by this much before garbage is collected again: collecting costs milliseconds. */
const COLLECT_STEP = 4 * 1024 * 1024;

/** A run with less than this is never blamed for what the process has. */
const BLAMELESS = 4 * 1024 * 1024;

/**
 * Milliseconds between two looks at the process. Twenty endless loops that asked every 20,000 operations kept each other,
 * and everybody else, waiting for the kernel's lock on the memory map.
 */
const LOOK_EVERY_MS = 25;

/**
 * The real heap of this worker, as far as it belongs to runs. It is looked at twice: by the runtime when a script has
 * allocated much (the script's own limit), and every so many operations (the bound of the whole process), because what
 * a script holds and what its garbage takes are two things. Garbage is collected before anybody is blamed for it.
 *
 * Between collections `heapSize()` stands still; the capacity (`heapTotal`) grows with every block. So what is in use
 * is what was alive at the last collection, and what the capacity has grown by since.
 *
 * The heap does not tell which run has what of it. What other runs have counted is theirs, at most up to their limits;
 * the rest is blamed on the run that asks, which is one that has counted more than its limit itself.
 */
export class HeapMeter {
  readonly #heaps: HeapBoard;
  readonly #index: number;
  /** Those that have values in this heap. */
  readonly #underWay: ReadonlySet<Turn>;
  readonly #emptySize = heapSize();
  readonly #emptyCapacity = process.memoryUsage().heapTotal;
  #alive = 0;
  #capacity = 0;
  #nextLook = 0;

  constructor(heaps: HeapBoard, index: number, underWay: ReadonlySet<Turn>) {
    this.#heaps = heaps;
    this.#index = index;
    this.#underWay = underWay;
  }

  /** The two readings that the runtime asks for, of one run. */
  of(turn: Turn): Required<Pick<RunOptions, "heapBytes" | "cancelled">> {
    if (this.#underWay.size === 1) {
      this.#alive = 0;
      this.#capacity = this.#emptyCapacity;
    }
    let isFirst = true;
    return {
      heapBytes: () => {
        // The zero of the run, which costs nothing.
        if (isFirst) {
          isFirst = false;
          return 0;
        }
        return Math.max(0, this.#measure(turn.memoryBytes).used - this.#othersOf(turn));
      },
      cancelled: (counted) => this.#mustStop(turn, counted),
    };
  }

  #othersOf(turn: Turn): number {
    let bytes = 0;
    for (const other of this.#underWay) {
      if (other !== turn) bytes += Math.min(other.counted, other.memoryBytes);
    }
    return bytes;
  }

  /** Whether a run must end because the process is too large and this run has the most of it. */
  #mustStop(turn: Turn, counted: number): boolean {
    const now = performance.now();
    if (now < this.#nextLook) return false;
    this.#nextLook = now + LOOK_EVERY_MS;
    const { rss } = this.#measure(turn.memoryBytes);
    if (!this.#heaps.isLargest(this.#index, rss)) return false;
    for (const other of this.#underWay) if (other !== turn && other.counted > counted) return false;
    return this.#measure(0).used > BLAMELESS && this.#heaps.isLargest(this.#index, rss);
  }

  /** Bytes of all runs and of the process; after a collection if the runs are above `bound` and it may help. */
  #measure(bound: number): { readonly used: number; readonly rss: number } {
    const { heapTotal, rss } = process.memoryUsage();
    const grown = Math.max(0, heapTotal - this.#capacity);
    let used = this.#alive + grown;
    if (used > bound && grown > COLLECT_STEP) {
      Bun.gc(true);
      this.#alive = Math.max(0, heapSize() - this.#emptySize);
      this.#capacity = process.memoryUsage().heapTotal;
      used = this.#alive;
    }
    this.#heaps.publish(this.#index, used);
    return { used, rss };
  }
}
