import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type Database } from "../../../src/database/client.ts";
import { startEmbedded } from "../../../src/database/embedded/index.ts";
import { processesIn } from "../../../src/database/embedded/processes.ts";
import { serverAccount } from "../../../src/database/embedded/server-account.ts";
import { startEmbeddedProcess } from "../../support/embedded-process.ts";
import { removeDataDirectory, temporaryDirectory } from "../../support/test-server.ts";
import { isAlive, waitFor } from "../../support/wait.ts";

setDefaultTimeout(60_000);

let dataDir: string;
let cluster: string;

beforeAll(async () => {
  dataDir = await temporaryDirectory();
  cluster = join(dataDir, "postgres/data");
  const server = await startEmbeddedProcess(dataDir);
  await withDatabase(server, (db) => db`CREATE TABLE kept (n integer)`);
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
});

afterAll(() => removeDataDirectory(dataDir));

describe("the embedded server", () => {
  test("ends by itself, cleanly, when PiCloud is killed; the next start finds all that was committed", async () => {
    const server = await startEmbeddedProcess(dataDir);
    await withDatabase(server, (db) => db`INSERT INTO kept VALUES (1)`);
    server.kill("SIGKILL");
    await waitFor("the postmaster ends", async () => !(await isAlive(server.postmasterPid)), 20_000);
    await waitFor("no process of it is left", () => processesIn(cluster).length === 0, 20_000);
    // A clean shutdown removes the pid file.
    expect(await readdir(cluster)).not.toContain("postmaster.pid");

    const next = await startEmbedded({ dataDir });
    expect(await rows(next)).toContain(1);
    await next.stop();
  });

  test("is restarted when its postmaster is killed, and connections recover", async () => {
    const server = await startEmbedded({ dataDir });
    const reasons: string[] = [];
    server.onExit((reason) => reasons.push(reason));
    const db = connect(server.target, { max: 2, applicationName: "test" });
    try {
      await db`INSERT INTO kept VALUES (2)`;
      const first = server.pid ?? 0;
      process.kill(first, "SIGKILL");
      await waitFor("a query works again", () =>
        // Backends of the dead server may still answer for a moment.
        db`SELECT 1`.then(() => server.pid !== null && server.pid !== first).catch(() => false),
      );
      expect(reasons).toEqual(["signal SIGKILL"]);
      expect((await db`SELECT n FROM kept`).map((row) => row["n"])).toContain(2);
    } finally {
      await db.end({ timeout: 1 });
      await server.stop();
    }
    expect(processesIn(cluster)).toEqual([]);
  });

  test("is restarted at once however often its postmaster is killed, as long as it comes up", async () => {
    const server = await startEmbedded({ dataDir });
    try {
      const began = performance.now();
      for (let kill = 0; kill < 7; kill++) {
        const { pid } = server;
        process.kill(pid ?? 0, "SIGKILL");
        await waitFor("it runs again", () => server.pid !== null && server.pid !== pid, 40_000);
      }
      // Were each wait longer than the one before, it would be more than a minute.
      expect(performance.now() - began).toBeLessThan(50_000);
    } finally {
      await server.stop();
    }
  }, 120_000);

  test("starts at once after PiCloud and postmaster were both killed with connections open", async () => {
    const server = await startEmbeddedProcess(dataDir);
    const db = connect(server.target, { max: 4, applicationName: "test" });
    await Promise.all([1, 2, 3].map(() => db`SELECT pg_sleep(0.05)`));
    await db`INSERT INTO kept VALUES (3)`;
    process.kill(server.postmasterPid, "SIGKILL");
    server.kill("SIGKILL");
    await server.exited;

    const next = await startEmbedded({ dataDir });
    expect(await rows(next)).toContain(3);
    await next.stop();
    await db.end({ timeout: 1 });
  });

  test("takes over from a postmaster that still runs without its PiCloud", async () => {
    const server = await startEmbedded({ dataDir });
    const binary = (await readdir(join(dataDir, "postgres"))).find((name) => /^\d/.test(name)) ?? "";
    await server.stop();
    const account = serverAccount(cluster);
    const orphan = Bun.spawn([join(dataDir, "postgres", binary, "bin/postgres"), "-D", cluster], {
      stdio: ["ignore", "ignore", "ignore"],
      cwd: "/",
      ...(process.getuid?.() === 0 ? { uid: account.uid, gid: account.gid } : {}),
    });
    await waitFor("the orphan is up", () =>
      readdir(cluster).then((files) => files.includes(".s.PGSQL.5432")),
    );

    const next = await startEmbedded({ dataDir });
    expect(await orphan.exited).toBe(0);
    expect(await rows(next)).toContain(1);
    await next.stop();
  });

  test("does not believe a pid file whose number another process has", async () => {
    const account = serverAccount(cluster);
    // Of the same user as Postgres: the case that Postgres itself refuses.
    const stranger = Bun.spawn(["sleep", "60"], {
      stdio: ["ignore", "ignore", "ignore"],
      ...(process.getuid?.() === 0 ? { uid: account.uid, gid: account.gid } : {}),
    });
    await writeFile(
      join(cluster, "postmaster.pid"),
      `${stranger.pid}\n${cluster}\n1700000000\n5432\n.\n\n  1 1\nready\n`,
    );
    const server = await startEmbedded({ dataDir });
    expect(await rows(server)).toContain(1);
    expect(await readFile(join(cluster, "postmaster.pid"), "utf8")).toStartWith(`${server.pid}\n`);
    await server.stop();
    expect(await isAlive(stranger.pid)).toBe(true);
    stranger.kill();
    await stranger.exited;
  });

  test("stop() ends it while connections are open without running out of patience, and can be called twice", async () => {
    const server = await startEmbedded({ dataDir });
    const db = connect(server.target, { max: 1, applicationName: "test" });
    const running = db`SELECT pg_sleep(30)`.catch((error: unknown) => error);
    await waitFor("the query runs", async () => processesIn(cluster).length > 5);
    const before = performance.now();
    await Promise.all([server.stop(), server.stop()]);
    expect(performance.now() - before).toBeLessThan(9_000);
    expect(processesIn(cluster)).toEqual([]);
    expect(await running).toBeInstanceOf(Error);
    await db.end({ timeout: 1 });
  });
});

type Server = Pick<Awaited<ReturnType<typeof startEmbedded>>, "target">;

async function withDatabase<T>(server: Server, work: (db: Database) => Promise<T>): Promise<T> {
  const db = connect(server.target, { max: 1, applicationName: "test" });
  try {
    return await work(db);
  } finally {
    await db.end({ timeout: 1 });
  }
}

const rows = (server: Server): Promise<number[]> =>
  withDatabase(server, async (db) => (await db<{ n: number }[]>`SELECT n FROM kept`).map((row) => row.n));
