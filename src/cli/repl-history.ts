import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { writeFileWhole } from "../shared/whole-file.ts";

/** Lines that are kept. */
export const HISTORY_SIZE = 1000;

/** The lines of earlier sessions, in a file that only its owner can read. Without a file there is just none. */
export class ReplHistory {
  readonly #path: string;
  /** Latest first, as readline wants them. */
  readonly lines: string[] = [];

  constructor(path: string) {
    this.#path = path;
    try {
      const all = readFileSync(path, "utf8").split("\n").filter(isWorthKeeping);
      this.lines = all.slice(-HISTORY_SIZE).toReversed();
      if (all.length > 2 * HISTORY_SIZE)
        writeFileWhole(path, `${all.slice(-HISTORY_SIZE).join("\n")}\n`, { mode: 0o600 });
    } catch {
      // The first session, or a file that cannot be read.
    }
  }

  /** Kept at once: a session may end in any way. */
  add(line: string): void {
    if (!isWorthKeeping(line)) return;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      appendFileSync(this.#path, `${line}\n`, { mode: 0o600 });
    } catch {
      // A home that cannot be written to: the session itself still has its history.
    }
  }
}

const isWorthKeeping = (line: string): boolean => line.trim() !== "";
