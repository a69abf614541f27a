/** `npm run lint`: oxlint, the type checker and the formatter, none of which changes a file. */
import { join } from "node:path";
import { ROOT } from "./compile.ts";

interface Check {
  readonly name: string;
  /** Arguments of this Bun. */
  readonly command: readonly string[];
  /** Where it runs, below the checkout. */
  readonly folder?: string;
  readonly fix: string;
}

const CHECKS: readonly Check[] = [
  {
    name: "lint",
    // By path, run by this Bun: its own first line asks for a Node.js that may not be there.
    command: [join(ROOT, "node_modules/oxlint/bin/oxlint"), "--quiet"],
    fix: "oxlint explains each rule that it names.",
  },
  { name: "types", command: ["check"], fix: "`bun check` repeats this." },
  {
    name: "dashboard",
    command: ["check"],
    folder: "dashboard",
    fix: "`bun check` in dashboard/ repeats this; it needs a build of the dashboard, for SvelteKit's types.",
  },
  {
    name: "format",
    // Code only: prose and recorded data are as their authors want them.
    command: ["fmt", "--check", "**/*.ts", "**/*.mjs", "**/*.svelte"],
    fix: "`bun fmt '**/*.ts' '**/*.mjs' '**/*.svelte'` formats.",
  },
];

/**
 * Runs all checks side by side and prints what those say that fail.
 * @returns the names of those that passed and that failed
 */
export async function lint(): Promise<{
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}> {
  const results = await Promise.all(
    CHECKS.map(async ({ name, command, folder, fix }) => {
      const started = performance.now();
      const child = Bun.spawn([process.execPath, ...command], {
        cwd: join(ROOT, folder ?? ""),
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, error, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      const time = `${((performance.now() - started) / 1000).toFixed(1)} s`;
      console.log(
        code === 0
          ? `  ${name.padEnd(9)} passed in ${time}`
          : `${out}${error}  ${name.padEnd(9)} FAILED. ${fix}`,
      );
      return code === 0;
    }),
  );
  const named = (wanted: boolean): string[] =>
    CHECKS.filter((_, index) => results[index] === wanted).map(({ name }) => name);
  return { passed: named(true), failed: named(false) };
}

if (import.meta.main) {
  const { failed } = await lint();
  process.exitCode = failed.length === 0 ? 0 : 1;
}
