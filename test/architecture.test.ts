import { Glob } from "bun";
import { expect, test } from "bun:test";
import { dirname, join, relative, resolve } from "node:path";

const SRC = resolve(import.meta.dir, "../src");

/** Who may import whom: each part of src, and the parts it may use besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  rhai: [],
  config: ["shared"],
  "data-directory": ["shared", "config"],
  database: ["shared", "config"],
  services: ["shared", "config", "rhai", "database"],
  executor: ["shared", "config", "rhai", "database", "services"],
  orchestrator: ["shared", "config", "database", "services", "executor"],
  manager: ["shared", "config", "rhai", "database", "services"],
  rest: ["shared"],
  "http-server": ["shared", "config", "rest"],
  app: [
    "shared",
    "config",
    "data-directory",
    "database",
    "services",
    "executor",
    "orchestrator",
    "manager",
    "http-server",
  ],
  // Of the manager: the rules by which `apply` checks triggers before it changes anything.
  cli: ["shared", "config", "data-directory", "rhai", "database", "services", "executor", "manager", "app"],
  main: ["cli", "database"],
};

/** Tools that make the product; nothing of the product imports them, and they import what they please. */
const TOOLS = "build";

const partOf = (file: string): string => (relative(SRC, file).split("/")[0] ?? "").replace(/\.ts$/, "");

async function* imports(): AsyncGenerator<{ file: string; target: string }> {
  for await (const path of new Glob("**/*.ts").scan({ cwd: SRC })) {
    const file = join(SRC, path);
    const text = await Bun.file(file).text();
    for (const [, specifier = ""] of text.matchAll(
      /(?:\bfrom\s+|\bimport\s+|\bimport\(|new URL\()"(\.[^"]*)"/g,
    )) {
      const target = resolve(dirname(file), specifier);
      if (target.startsWith(`${SRC}/`)) yield { file: path, target };
    }
  }
}

test("imports only point down", async () => {
  const wrong: string[] = [];
  for await (const { file, target } of imports()) {
    const from = partOf(join(SRC, file));
    const to = partOf(target);
    if (from === TOOLS || from === to) continue;
    if (LAYERS[from] === undefined) wrong.push(`${file}: "${from}" has no place in the layers`);
    else if (!LAYERS[from].includes(to)) wrong.push(`${file} -> ${relative(SRC, target)}`);
  }
  expect(wrong).toEqual([]);
});

test("the language imports nothing from outside its folder", async () => {
  const outside: string[] = [];
  for await (const path of new Glob("rhai/**/*.ts").scan({ cwd: SRC })) {
    const text = await Bun.file(join(SRC, path)).text();
    for (const [, specifier = ""] of text.matchAll(/\bfrom\s+"([^"]+)"/g)) {
      const inside =
        specifier.startsWith(".") && resolve(SRC, dirname(path), specifier).startsWith(join(SRC, "rhai/"));
      if (!inside) outside.push(`${path}: ${specifier}`);
    }
  }
  expect(outside).toEqual([]);
});

test("only config.ts reads the environment, with the exceptions that say why", async () => {
  const readers: string[] = [];
  for await (const path of new Glob("**/*.ts").scan({ cwd: SRC })) {
    if (path.startsWith(`${TOOLS}/`)) continue;
    if (/\bprocess\.env\b|\bBun\.env\b/.test(await Bun.file(join(SRC, path)).text())) readers.push(path);
  }
  // quiet.ts hands its own environment on to the process that it becomes.
  expect(readers.toSorted()).toEqual(["cli/quiet.ts", "config.ts"]);
});

test("only main.ts ends the process", async () => {
  const enders: string[] = [];
  for await (const path of new Glob("**/*.ts").scan({ cwd: SRC })) {
    if (path.startsWith(`${TOOLS}/`)) continue;
    if (/\bprocess\.exit\(/.test(await Bun.file(join(SRC, path)).text())) enders.push(path);
  }
  expect(enders).toEqual(["main.ts"]);
});
