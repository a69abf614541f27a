import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "../../../src/rhai/syntax/index.ts";

interface Recorded {
  readonly script: string;
  readonly message: string;
  readonly line: number | null;
  readonly col: number | null;
}

/** Scripts damaged at random, with what the official parser said: up to eight for each kind of message. */
const recorded: Recorded[] = readFileSync(join(import.meta.dir, "parse-errors.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

describe("damaged scripts get the official message at the official place", () => {
  for (const { script, message, line, col } of recorded) {
    test(`${message} in ${JSON.stringify(script)}`, () => {
      const result = parse(script);
      const first = result.ok ? null : result.diagnostics[0];
      expect(first && { message: first.message, line: first.line, col: first.column }).toEqual({
        message,
        line,
        col,
      });
    });
  }
});
