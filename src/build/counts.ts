/** How many tests, and checks, ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** The last line of the suite. */
export const summary = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/**
 * Counts of a `bun test` run, from the summary at the end of its output. (Its JUnit report leaves out files that
 * cannot be loaded.)
 * @param code the run's exit code; a failure without a summary (a crash) counts as one
 */
export function countsOf(output: string, code: number): Counts {
  const text = Bun.stripANSI(output);
  const number = (word: string): number =>
    Number(
      text
        .match(new RegExp(`^ (\\d+) ${word}$`, "gm"))
        ?.at(-1)
        ?.split(" ")[1] ?? 0,
    );
  const failed = number("fail");
  return {
    passed: number("pass"),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: number("skip") + number("todo"),
  };
}
