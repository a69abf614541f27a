import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countsOf, summary } from "../../src/build/counts.ts";

/** A real `bun test` over these files. */
function runFiles(files: Readonly<Record<string, string>>): { output: string; code: number } {
  const folder = mkdtempSync(join(tmpdir(), "picloud-counts-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), `import { expect, test } from "bun:test";\n${text}`);
    }
    const run = Bun.spawnSync([process.execPath, "test"], {
      cwd: folder,
      env: { ...process.env, FORCE_COLOR: "1" },
    });
    return { output: run.stderr.toString(), code: run.exitCode };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("counts passed, failed, skipped and todo tests", () => {
  // The text of a test file that is run to be counted: nothing of this suite is skipped here.
  const { output, code } = runFiles({
    "a.test.ts": `test("a", () => {}); test("b", () => {}); test.skip("c", () => {}); test.todo("d");
      test("e", () => expect(1).toBe(2));`,
  });
  expect(code).not.toBe(0);
  expect(countsOf(output, code)).toEqual({ passed: 2, failed: 1, skipped: 2 });
});

test("counts a file that cannot be loaded as a failure", () => {
  const { output, code } = runFiles({
    "a.test.ts": `test("a", () => {}); `,
    "b.test.ts": `import "./missing.ts"; test("b", () => {});`,
  });
  expect(countsOf(output, code)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("counts a run that ends without a summary as a failure", () => {
  const { output, code } = runFiles({ "a.test.ts": `test("a", () => process.exit(3));` });
  expect(countsOf(output, code).failed).toBe(1);
});

test("takes the last summary, whatever a test has printed before", () => {
  expect(countsOf(" 7 fail\n 3 pass\n\n 5 pass\n 0 fail\n", 0)).toEqual({ passed: 5, failed: 0, skipped: 0 });
});

test("ends the suite with one line, and names skipped tests only when there are some", () => {
  expect(summary({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  expect(summary({ passed: 12, failed: 1, skipped: 2 })).toBe("12 passed, 1 failed, 2 skipped");
});
