import { writeSync } from "node:fs";
import { CommandError } from "./command-error.ts";

/**
 * Writes to stdout or stderr and returns when the text is out, so that nothing is lost when the process ends, and so
 * that both streams keep their order on a terminal.
 * @throws Error with code EPIPE when nobody reads any more; CommandError when it cannot be written otherwise, as on a
 * full disk
 */
export function write(stream: "stdout" | "stderr", text: string | Uint8Array): void {
  const file = stream === "stdout" ? 1 : 2;
  let bytes: Uint8Array = typeof text === "string" ? Buffer.from(text) : text;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(file, bytes));
    } catch (error) {
      if (isClosedPipe(error)) throw error;
      // A pipe that does not wait by itself, and is full.
      if (!hasCode(error, "EAGAIN")) throw cannotWrite(stream, error);
      Bun.sleepSync(1);
    }
  }
}

/** Whether the reader of our output has gone, as `head` does: no error, but nothing more to do either. */
export const isClosedPipe = (error: unknown): boolean => hasCode(error, "EPIPE");

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

function cannotWrite(stream: string, error: unknown): CommandError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandError(`Cannot write to ${stream}: ${reason}`, undefined, error);
}
