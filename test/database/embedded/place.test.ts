import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, chown, cp, lstat, mkdir, readlink, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "../../../src/database/client.ts";
import { accountByName } from "../../../src/database/embedded/account.ts";
import { startEmbedded } from "../../../src/database/embedded/index.ts";
import { processesIn } from "../../../src/database/embedded/processes.ts";
import { canReach } from "../../../src/database/embedded/server-account.ts";
import type { ConnectionTarget } from "../../../src/database/target.ts";
import { startEmbeddedProcess } from "../../support/embedded-process.ts";
import { removeDataDirectory, temporaryDirectory } from "../../support/test-server.ts";

setDefaultTimeout(60_000);

const isRoot = process.getuid?.() === 0;
const nobody = accountByName("nobody");
/** Why a test that changes users does not run here; undefined: it does. */
const noUsers = !isRoot
  ? "only root can run programs as other users"
  : nobody === undefined
    ? "there is no user nobody"
    : !canReach(nobody, import.meta.dir)
      ? "the user nobody cannot enter this checkout"
      : undefined;
if (noUsers !== undefined)
  process.stderr.write(`place.test.ts: tests with several users skipped: ${noUsers}\n`);

let top: string;
const made: string[] = [];

beforeEach(async () => {
  top = await temporaryDirectory();
});

afterEach(async () => {
  for (const dataDir of made.splice(0)) await removeDataDirectory(dataDir);
  await rm(top, { recursive: true, force: true });
});

describe("the embedded server's place", () => {
  test("may have a path far longer than a socket address, from the main thread and from a Worker", async () => {
    const dataDir = await make(...Array.from({ length: 6 }, (_, index) => `${"long".repeat(15)}-${index}`));
    expect(Buffer.byteLength(dataDir)).toBeGreaterThan(300);
    const server = await startEmbedded({ dataDir });
    expect(await ask(server.target)).toBe("picloud");
    const worker = new Worker(new URL("../../support/ask-worker.ts", import.meta.url).href);
    const answer = new Promise((resolve) => {
      worker.addEventListener("message", (event) => resolve(event.data));
    });
    worker.postMessage(server.target);
    expect(await answer).toBe("picloud");
    worker.terminate();
    await server.stop();
  });

  test("refuses a path that Postgres could not hold, naming the limit", async () => {
    const dataDir = await make(...Array.from({ length: 15 }, (_, index) => `${"long".repeat(15)}-${index}`));
    await expect(startEmbedded({ dataDir })).rejects.toMatchObject({
      code: "path_too_long",
      message: expect.stringContaining("at most 880. Choose a shorter one (--data-dir)."),
    });
  });

  test("moves along with its data directory", async () => {
    const dataDir = await make("before");
    await createKept(dataDir);
    const after = join(top, "after");
    made.push(after);
    await rename(dataDir, after);
    expect(await readKept(after)).toBe(1);
  });

  test.skipIf(noUsers !== undefined)(
    "runs as an ordinary user, and as that user when root starts it next",
    async () => {
      const account = nobody ?? { uid: 0, gid: 0 };
      const dataDir = await make("mine");
      await chown(dataDir, account.uid, account.gid);
      await chmod(dataDir, 0o700);
      const server = await startEmbeddedProcess(dataDir, account);
      expect((await stat(`/proc/${server.postmasterPid}`)).uid).toBe(account.uid);
      server.kill("SIGTERM");
      expect(await server.exited).toBe(0);

      await chmod(join(dataDir, "picloud.lock"), 0o666);
      const again = await startEmbedded({ dataDir });
      expect(await ask(again.target)).toBe("picloud");
      expect((await stat(`/proc/${again.pid}`)).uid).toBe(account.uid);
      await again.stop();
    },
  );

  test.skipIf(!isRoot)(
    "is outside, behind a link, when only root may enter the data directory's place",
    async () => {
      const dataDir = await make("closed", "data");
      await chmod(join(top, "closed"), 0o700);
      await createKept(dataDir);
      expect((await lstat(join(dataDir, "postgres"))).isSymbolicLink()).toBe(true);
      expect(await readlink(join(dataDir, "postgres"))).toStartWith("/var/lib/picloud-postgres/");
      // Where it is has been decided: opening the place changes nothing.
      await chmod(join(top, "closed"), 0o711);
      expect(await readKept(dataDir)).toBe(1);
      // The data directory may move, link and all.
      const moved = join(top, "closed", "moved");
      made.push(moved);
      await rename(dataDir, moved);
      expect(await readKept(moved)).toBe(1);
    },
  );

  test.skipIf(!isRoot)(
    "is copied when a data directory was copied with its link, and refused while it runs",
    async () => {
      const dataDir = await make("closed", "data");
      await chmod(join(top, "closed"), 0o700);
      await createKept(dataDir);
      const copy = join(top, "closed", "copy");
      made.push(copy);
      await cp(dataDir, copy, { recursive: true, verbatimSymlinks: true });

      const original = await startEmbedded({ dataDir });
      await expect(startEmbedded({ dataDir: copy })).rejects.toMatchObject({ code: "postgres_copied" });
      await original.stop();

      expect(await readKept(copy)).toBe(1);
      expect(await readlink(join(copy, "postgres"))).not.toBe(await readlink(join(dataDir, "postgres")));
      expect(await readKept(dataDir)).toBe(1);
    },
  );

  test.skipIf(!isRoot)(
    "moves outside when its data directory was moved to where only root may enter",
    async () => {
      const dataDir = await make("open");
      await createKept(dataDir);
      await mkdir(join(top, "closed"), { mode: 0o700 });
      const moved = join(top, "closed", "data");
      made.push(moved);
      await rename(dataDir, moved);
      expect(await readKept(moved)).toBe(1);
      expect((await lstat(join(moved, "postgres"))).isSymbolicLink()).toBe(true);
    },
  );

  test.skipIf(!isRoot)("starts empty outside when the data directory was deleted and made anew", async () => {
    const dataDir = await make("closed", "data");
    await chmod(join(top, "closed"), 0o700);
    await createKept(dataDir);
    const old = await readlink(join(dataDir, "postgres"));
    await rm(join(dataDir, "postgres"));
    await createKept(dataDir);
    expect(await readlink(join(dataDir, "postgres"))).not.toBe(old);
    await rm(old, { recursive: true });
  });

  test.skipIf(!isRoot)("takes up a start that was cut off before its link was made", async () => {
    const dataDir = await make("closed", "data");
    await chmod(join(top, "closed"), 0o700);
    await createKept(dataDir);
    const link = join(dataDir, "postgres");
    const outside = await readlink(link);
    const owner = join(outside, "data-directory.json");
    await writeFile(owner, JSON.stringify({ ...((await Bun.file(owner).json()) as object), linked: false }));
    await rm(link);
    expect(await readKept(dataDir)).toBe(1);
    expect(await readlink(link)).toBe(outside);
  });

  test.skipIf(!isRoot)("refuses a link to nowhere instead of starting empty", async () => {
    const dataDir = await make("closed", "data");
    await chmod(join(top, "closed"), 0o700);
    await createKept(dataDir);
    await rm(await readlink(join(dataDir, "postgres")), { recursive: true });
    await expect(startEmbedded({ dataDir })).rejects.toMatchObject({ code: "postgres_missing" });
  });
});

async function make(...names: string[]): Promise<string> {
  const dataDir = join(top, ...names);
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  made.push(dataDir);
  return dataDir;
}

async function createKept(dataDir: string): Promise<void> {
  const server = await startEmbedded({ dataDir });
  const db = connect(server.target, { max: 1, applicationName: "test" });
  await db`CREATE TABLE kept AS SELECT 1 AS n`;
  await db.end({ timeout: 1 });
  await server.stop();
}

async function readKept(dataDir: string): Promise<unknown> {
  const server = await startEmbedded({ dataDir });
  const db = connect(server.target, { max: 1, applicationName: "test" });
  const [row] = await db`SELECT n FROM kept`;
  await db.end({ timeout: 1 });
  await server.stop();
  expect(processesIn(join(dataDir, "postgres/data"))).toEqual([]);
  return row?.["n"];
}

async function ask(target: ConnectionTarget): Promise<unknown> {
  const db = connect(target, { max: 1, applicationName: "test" });
  const [row] = await db`SELECT current_user AS user`;
  await db.end({ timeout: 1 });
  return row?.["user"];
}
