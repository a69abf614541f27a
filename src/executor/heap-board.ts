/**
 * Heap sizes of all workers, in KiB, in shared memory: each worker writes its own while it runs, and sees the sum. The
 * limit of one script says what one run may take; this bounds what all runs take together, so that several memory
 * bombs at once do not take the machine down.
 */
export class HeapBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(size: number | SharedArrayBuffer) {
    this.buffer = typeof size === "number" ? new SharedArrayBuffer((size + 1) * 4) : size;
    this.#cells = new Int32Array(this.buffer);
  }

  /** What all workers may take together. Grows with the largest limit that any script was given. */
  setBudget(bytes: number): void {
    Atomics.store(this.#cells, 0, Math.floor(bytes / 1024));
  }

  publish(index: number, bytes: number): void {
    Atomics.store(this.#cells, index + 1, Math.floor(bytes / 1024));
  }

  /** Bytes that a worker last said it has. */
  read(index: number): number {
    return Atomics.load(this.#cells, index + 1) * 1024;
  }

  /** Whether the budget is used up and this worker has the largest share of it: then it is the one to stop. */
  mustStop(index: number): boolean {
    let sum = 0;
    let largest = 0;
    for (let cell = 1; cell < this.#cells.length; cell++) {
      const kib = Atomics.load(this.#cells, cell);
      sum += kib;
      if (kib > largest) largest = kib;
    }
    return sum > Atomics.load(this.#cells, 0) && Atomics.load(this.#cells, index + 1) >= largest;
  }
}
