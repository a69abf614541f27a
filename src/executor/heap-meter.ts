import { heapSize } from "bun:jsc";
import type { HeapBoard } from "./heap-board.ts";

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
 */
export class HeapMeter {
  readonly #heaps: HeapBoard;
  readonly #index: number;
  readonly #emptySize = heapSize();
  readonly #emptyCapacity = process.memoryUsage().heapTotal;
  #limit = 0;
  #alive = 0;
  #capacity = 0;
  #readings = 0;
  #nextLook = 0;

  constructor(heaps: HeapBoard, index: number) {
    this.#heaps = heaps;
    this.#index = index;
  }

  /** @param limit bytes that the run may have */
  begin(limit: number): void {
    this.#limit = limit;
    this.#alive = 0;
    this.#capacity = this.#emptyCapacity;
    this.#readings = 0;
  }

  /** For the runtime. The first reading of a run is its zero, and costs nothing. */
  readonly read = (): number => {
    if (this.#readings++ === 0) return 0;
    return this.#measure(this.#limit).used;
  };

  /** For the runtime: whether the run must end because the process is too large and this run has the most of it. */
  readonly mustStop = (): boolean => {
    const now = performance.now();
    if (now < this.#nextLook) return false;
    this.#nextLook = now + LOOK_EVERY_MS;
    const { rss } = this.#measure(this.#limit);
    if (!this.#heaps.isLargest(this.#index, rss)) return false;
    return this.#measure(0).used > BLAMELESS && this.#heaps.isLargest(this.#index, rss);
  };

  /** Bytes of the run and of the process; after a collection if the run is above `bound` and it may help. */
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
