import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashFiles } from "../../src/build/hash.mjs";

const ROOT = join(import.meta.dir, "../..");
const BUILD = join(ROOT, "src/build");
const NODE = Bun.which("node");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "picloud-set-up-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script that imports from src/build, on Node.js where there is one: that is what users have. */
function script(text: string, ...args: string[]) {
  const path = join(folder, `${Bun.randomUUIDv7()}.mjs`);
  writeFileSync(path, text.replaceAll("BUILD", BUILD));
  return Bun.spawn([NODE ?? process.execPath, path, ...args], { stdout: "pipe", stderr: "pipe" });
}

describe("the hash of sources", () => {
  test("changes with a name or a byte, and not with what is built beside them", () => {
    const at = (name: string) => join(folder, "tree", name);
    mkdirSync(at("a/node_modules"), { recursive: true });
    writeFileSync(at("a/x.txt"), "one");
    const first = hashFiles(join(folder, "tree"), ["a"], "");
    writeFileSync(at("a/node_modules/y.txt"), "anything");
    expect(hashFiles(join(folder, "tree"), ["a"], "")).toBe(first);
    expect(hashFiles(join(folder, "tree"), ["a"], "salt")).not.toBe(first);
    writeFileSync(at("a/x.txt"), "two");
    expect(hashFiles(join(folder, "tree"), ["a"], "")).not.toBe(first);
    cpSync(at("a/x.txt"), at("a/z.txt"));
    rmSync(at("a/x.txt"));
    expect(hashFiles(join(folder, "tree"), ["a"], "")).not.toBe(first);
  });
});

describe("becoming the command", () => {
  const CHILD = `let n = 0;
    process.on("SIGINT", () => { n++; setTimeout(() => { console.log("SIGINT " + n); process.exit(7); }, 300); });
    console.log("up"); setInterval(() => {}, 1000);`;

  test("passes Ctrl-C on once, however often the terminal and npm say it, and ends with the command's code", async () => {
    const child = join(folder, "child.mjs");
    writeFileSync(child, CHILD);
    const launcher = script(
      `import { become } from "BUILD/become.mjs"; await become(process.execPath, [process.argv[2]], process.env);`,
      child,
    );
    let output = "";
    for await (const text of launcher.stdout.pipeThrough(new TextDecoderStream())) {
      if (output === "") for (let i = 0; i < 3; i++) launcher.kill("SIGINT");
      output += text;
    }
    expect(output).toBe("up\nSIGINT 1\n");
    expect(await launcher.exited).toBe(7);
  });

  test("ends as a shell would after the command was killed", async () => {
    const launcher = script(
      `import { become } from "BUILD/become.mjs"; await become("sh", ["-c", "kill -9 $$"], process.env);`,
    );
    expect(await launcher.exited).toBe(137);
  });

  test("names a command that cannot be run", async () => {
    const launcher = script(
      `import { become } from "BUILD/become.mjs";
       try { await become("/no/such/bun", [], process.env); } catch (error) { console.log(error.message); }`,
    );
    expect(await launcher.stdout.text()).toStartWith("Cannot run /no/such/bun: ");
  });
});

describe("the set-up lock", () => {
  const WORK = `import { appendFileSync } from "node:fs"; import { withLock } from "BUILD/lock.mjs";
    const [lock, log] = process.argv.slice(2);
    await withLock(lock, async () => {
      appendFileSync(log, "in\\n");
      await new Promise((resolve) => setTimeout(resolve, 150));
      appendFileSync(log, "out\\n");
    });`;

  test("lets one process in at a time", async () => {
    const [lock, log] = [join(folder, "lock"), join(folder, "log")];
    const runs = Array.from({ length: 3 }, () => script(WORK, lock, log));
    expect(await Promise.all(runs.map((run) => run.exited))).toEqual([0, 0, 0]);
    expect(readFileSync(log, "utf8")).toBe("in\nout\n".repeat(3));
  });

  test("is taken over from a process that is gone", async () => {
    const [lock, log] = [join(folder, "stale"), join(folder, "stale-log")];
    const gone = Bun.spawn(["true"]);
    await gone.exited;
    writeFileSync(lock, String(gone.pid));
    expect(await script(WORK, lock, log).exited).toBe(0);
    expect(readFileSync(log, "utf8")).toBe("in\nout\n");
  });
});

describe("a checkout that is set up", () => {
  test("is found to be so in under 100 ms", () => {
    const text = `import { setUp } from "${BUILD}/setup.mjs"; const start = performance.now();
      await setUp(["dependencies", "postgres", "dashboard"]); console.log(performance.now() - start);`;
    const path = join(folder, "time.mjs");
    writeFileSync(path, text);
    const run = Bun.spawnSync([NODE ?? process.execPath, path]);
    expect(run.stderr.toString()).toBe("");
    expect(Number(run.stdout.toString())).toBeLessThan(100);
  });

  test("is told which commands there are", () => {
    const run = Bun.spawnSync([NODE ?? process.execPath, join(BUILD, "run.mjs"), "deploy"]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr.toString()).toBe(
      'Unknown command "deploy". Use one of: start, test, build, bench, chaos, conformance, lint.\n',
    );
  });
});
