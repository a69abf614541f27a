/**
 * `npm test`: the whole suite. `npm test -- PATTERN…` runs the test files whose path contains a pattern (arguments go
 * to `bun test`) and leaves lint out. The last line is the count; the exit code is 0 when nothing failed.
 */
import { startTestPostgres, TEST_POSTGRES } from "../../test/support/test-server.ts";
import { compile, ROOT } from "./compile.ts";
import { add, countsOf, summary, type Counts } from "./counts.ts";
import { lint } from "./lint.ts";
import { HOST, platformOf } from "./platform.ts";

const args = process.argv.slice(2);
const signals: AbortController = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => signals.abort(name));

let failedChecks: readonly string[] = [];
let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
try {
  const checks = args.length === 0 ? await lint() : { passed: [], failed: [] };
  failedChecks = checks.failed;
  counts = add(counts, { passed: checks.passed.length, failed: checks.failed.length, skipped: 0 });
  counts = add(counts, await runTests());
} catch (error) {
  report(error);
  counts = add(counts, { passed: 0, failed: 1, skipped: 0 });
}
if (signals.signal.aborted) console.log(`Stopped by ${String(signals.signal.reason)}.`);
if (failedChecks.length > 0) console.log(`Failed before the tests, see the top: ${failedChecks.join(", ")}.`);
console.log(summary(counts));
process.exit(counts.failed > 0 || signals.signal.aborted ? 1 : 0);

async function runTests(): Promise<Counts> {
  // The end-to-end tests run what users run: the compiled, minified binary.
  const started = performance.now();
  const [binary, postgres] = await Promise.all([compile(platformOf(HOST)), startTestPostgres()]);
  console.log(
    `  binary    ${binary.built ? "built" : "is up to date"}, PostgreSQL started, in ` +
      `${((performance.now() - started) / 1000).toFixed(1)} s\n`,
  );
  try {
    if (signals.signal.aborted) return { passed: 0, failed: 0, skipped: 0 };
    const child = Bun.spawn([process.execPath, "test", "--no-orphans", ...patterns(args)], {
      cwd: ROOT,
      env: {
        ...environment(),
        [TEST_POSTGRES]: postgres.environmentValue,
        ...(process.stderr.isTTY ? { FORCE_COLOR: "1" } : {}),
      },
      stdio: ["ignore", "inherit", "pipe"],
    });
    const stop = () => child.kill("SIGTERM");
    signals.signal.addEventListener("abort", stop);
    let output = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      process.stderr.write(text);
      output += text;
    }
    return countsOf(output, await child.exited);
  } finally {
    await postgres.stop();
  }
}

/** Ours, without what configures a PiCloud: tests set that themselves. */
function environment(): Record<string, string | undefined> {
  const configures = (name: string): boolean =>
    name === "DATABASE_URL" || (name.startsWith("PICLOUD_") && name !== "PICLOUD_ARM64_SYSROOT");
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !configures(name)));
}

/** Only files under test/, whatever else lies in the checkout. */
function patterns(given: readonly string[]): readonly string[] {
  return given.some((text) => !text.startsWith("-")) ? given : ["./test/", ...given];
}

function report(error: unknown): void {
  if (error instanceof AggregateError) for (const cause of error.errors) console.error(String(cause));
  console.error(error);
}
