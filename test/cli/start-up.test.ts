import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const CLI = resolve(import.meta.dir, "../../src/cli");
const scanner = new Bun.Transpiler({ loader: "ts" });

/** Everything that is loaded before this module runs: its imports and theirs, but neither types nor `import()`. */
function loadedBy(file: string, loaded = new Set<string>()): Set<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  for (const { path, kind } of scanner.scanImports(readFileSync(file, "utf8"))) {
    if (kind !== "import-statement") continue;
    if (!path.startsWith(".")) loaded.add(path);
    else if (path.endsWith(".ts")) loadedBy(resolve(dirname(file), path), loaded);
  }
  return loaded;
}

test.each(["program", "run", "check", "fmt", "repl"])("%s starts without the server", (name) => {
  const loaded = [...loadedBy(`${CLI}/${name}.ts`)];
  const server =
    /^(elysia|postgres|@sinclair|@logtape|croner)|\/src\/(app|manager|orchestrator|services|database)\b/;
  expect(loaded.filter((path) => server.test(path))).toEqual([]);
  expect(loaded.length).toBeGreaterThan(1);
});

test("the program loads no command before it knows which", () => {
  const commands = [...loadedBy(`${CLI}/program.ts`)].filter((path) =>
    /\/(serve|run|check|fmt|repl)\.ts$|\/commands\/(?!index)|\/(apply|completions)\//.test(path),
  );
  expect(commands).toEqual([]);
});

test("a link named pic gives the program that name", async () => {
  const child = Bun.spawn([process.execPath, resolve(CLI, "../main.ts"), "apps", "--help"], {
    argv0: "pic",
    stdout: "pipe",
  });
  expect(await new Response(child.stdout).text()).toStartWith("Usage: pic apps ");
});

test("output that cannot be written is an error in one sentence", async () => {
  const program = `"${process.execPath}" "${resolve(CLI, "../main.ts")}"`;
  const child = Bun.spawn(["sh", "-c", `exec ${program} version > /dev/full`], { stderr: "pipe" });
  expect(await new Response(child.stderr).text()).toMatch(
    /^picloud: Cannot write to stdout: ENOSPC[^\n]*\n$/,
  );
  expect(await child.exited).toBe(1);
});
