import { JsonError, toJson, type Value } from "../../rhai/index.ts";
import type { LogEntry } from "../../services/executions/index.ts";

/** Entries of one run that are kept (CONTRACT 3.5). */
export const MAX_ENTRIES = 200;
/** Bytes of UTF-8 of one entry's message, and of its data. */
export const MAX_BYTES = 4096;

/** What one run logged, in order. */
export class RunLog {
  readonly #entries: LogEntry[] = [];
  #dropped = 0;

  /** @param data one value, or none at all: () is a value too */
  add(level: LogEntry["level"], message: string, ...data: readonly Value[]): void {
    if (this.#entries.length >= MAX_ENTRIES) {
      this.#dropped++;
      return;
    }
    const entry = { ts: new Date().toISOString(), level, message: cut(message) };
    this.#entries.push(data.length === 0 ? entry : { ...entry, data: plain(data[0]) });
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** The entries, with a last one that counts those beyond the limit. */
  finish(): readonly LogEntry[] {
    if (this.#dropped === 0) return this.#entries;
    const message = `${this.#dropped} more entries were dropped: a run may log ${MAX_ENTRIES}`;
    return [...this.#entries, { ts: new Date().toISOString(), level: "warn", message }];
  }
}

/** Cuts to the limit in bytes, at a character. */
function cut(text: string): string {
  if (text.length * 3 <= MAX_BYTES) return text;
  const bytes = Buffer.from(text.slice(0, MAX_BYTES));
  if (bytes.length <= MAX_BYTES && text.length <= MAX_BYTES) return text;
  return `${bytes
    .subarray(0, MAX_BYTES - 4)
    .toString("utf8")
    .replace(/\ufffd+$/, "")}\u2026`;
}

function plain(data: Value): unknown {
  try {
    const json = toJson(data, MAX_BYTES);
    return json.length * 3 <= MAX_BYTES || Buffer.byteLength(json) <= MAX_BYTES
      ? JSON.parse(json)
      : cut(json);
  } catch (error) {
    if (error instanceof JsonError) return `(not shown: ${error.message})`;
    throw error;
  }
}
