import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Launch } from "../../../src/database/embedded/trampoline.ts";
import { temporaryDirectory } from "../../support/test-server.ts";

const SCRIPT = join(import.meta.dir, "../../../src/database/embedded/trampoline-script.ts");

let folder: string;

beforeAll(async () => {
  folder = await temporaryDirectory();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(
  launch: Partial<Launch>,
): Promise<{ pid: number; code: number; out: string; err: string }> {
  const whole: Launch = {
    parent: process.pid,
    user: null,
    program: "/bin/sh",
    args: [],
    cwd: folder,
    env: {},
    ...launch,
  };
  const child = Bun.spawn([process.execPath, SCRIPT, JSON.stringify(whole)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { SECRET: "not for Postgres" },
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { pid: child.pid, code, out, err };
}

describe("the trampoline", () => {
  test("becomes the program: same process id, its arguments, its environment, its folder, its own session", async () => {
    const script =
      'echo "$$"; pwd; for argument in "$@"; do echo "<$argument>"; done; cut -d" " -f6 /proc/$$/stat; env';
    const { pid, code, out, err } = await run({
      args: ["-c", script, "sh", "two words", "", 'quote"é', "-x"],
      env: { NAME: "a b=c", PATH: "/usr/bin:/bin" },
    });
    const lines = out.trim().split("\n");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(lines.slice(0, 7)).toEqual([`${pid}`, folder, "<two words>", "<>", '<quote"é>', "<-x>", `${pid}`]);
    expect(lines).toContain("NAME=a b=c");
    expect(out).not.toContain("SECRET");
  });

  test("launches nothing when its launcher is gone", async () => {
    expect(await run({ parent: 999_999_999 })).toMatchObject({
      code: 126,
      out: "",
      err: "FATAL:  picloud: the launcher is gone\n",
    });
  });

  test("says what it could not run, with a hint where the right to run is missing", async () => {
    const program = join(folder, "no-program");
    expect((await run({ program })).err).toStartWith(`FATAL:  picloud: cannot run ${program}, errno 2`);
    await writeFile(program, "", { mode: 0o644 });
    expect((await run({ program })).err).toEndWith("is its file system mounted noexec?\n");
    expect((await run({ cwd: join(folder, "none") })).err).toBe(
      `FATAL:  picloud: cannot enter ${folder}/none\n`,
    );
  });

  test("says that it cannot change the user", async () => {
    // Not permitted for an ordinary user, and no user id at all for root.
    const user = { name: "nobody", uid: 2 ** 32 - 1, gid: 0 };
    expect((await run({ user })).err).toMatch(
      /^FATAL: {2}picloud: cannot change to user nobody \(uid 4294967295\), errno (1|22)\n$/,
    );
  });
});
