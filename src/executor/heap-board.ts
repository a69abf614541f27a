/**
 * Heap sizes of all workers, in KiB, in shared memory: each worker writes its own while it runs, and sees the others'.
 * The limit of one script says what one run may take; this bounds what the process takes, so that several memory bombs
 * at once do not take the machine down.
 */
export class HeapBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(size: number | SharedArrayBuffer) {
    this.buffer = typeof size === "number" ? new SharedArrayBuffer((size + 1) * 4) : size;
    this.#cells = new Int32Array(this.buffer);
  }

  /** Resident bytes of the process above which the largest run is ended. */
  setBound(bytes: number): void {
    Atomics.store(this.#cells, 0, Math.floor(bytes / 1024));
  }

  publish(index: number, bytes: number): void {
    Atomics.store(this.#cells, index + 1, Math.floor(bytes / 1024));
  }

  /** Bytes that a worker last said it has. */
  read(index: number): number {
    return Atomics.load(this.#cells, index + 1) * 1024;
  }

  /** Whether the process is above its bound and no worker has more than this one. */
  isLargest(index: number, residentBytes: number): boolean {
    if (residentBytes / 1024 <= Atomics.load(this.#cells, 0)) return false;
    const own = Atomics.load(this.#cells, index + 1);
    for (let cell = 1; cell < this.#cells.length; cell++) {
      if (Atomics.load(this.#cells, cell) > own) return false;
    }
    return true;
  }
}
