import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "../../../src/database/client.ts";
import { POSTGRES_VERSION, SERVER_FOLDER } from "../../../src/database/embedded/archive.ts";
import { startEmbedded, type EmbeddedPostgres } from "../../../src/database/embedded/index.ts";
import { removeDataDirectory, temporaryDirectory } from "../../support/test-server.ts";

setDefaultTimeout(60_000);

let dataDir: string;
let folder: string;
let server: EmbeddedPostgres | undefined;

beforeAll(async () => {
  dataDir = await temporaryDirectory();
  folder = join(dataDir, "postgres");
});

afterEach(() => stop());

afterAll(() => removeDataDirectory(dataDir));

describe("the embedded server", () => {
  test("clears away a half-finished unpacking and initdb, and starts a fresh cluster telling each step", async () => {
    await mkdir(join(folder, `${SERVER_FOLDER}.part/bin`), { recursive: true });
    await mkdir(join(folder, "data.part/base"), { recursive: true });
    await writeFile(join(folder, "data.part/PG_VERSION"), "18\n");

    const steps: string[] = [];
    await start(steps);
    expect(steps).toEqual([
      `Unpacking PostgreSQL ${POSTGRES_VERSION}`,
      "Creating the database cluster",
      "Starting PostgreSQL",
    ]);
    expect(await readdir(folder).then((names) => names.toSorted())).toEqual([SERVER_FOLDER, "data"]);
  });

  test("starts a second time without unpacking or creating anything", async () => {
    const steps: string[] = [];
    await start(steps);
    expect(steps).toEqual(["Starting PostgreSQL"]);
  });

  test("has role, database, encoding and durability as promised", async () => {
    const settings = await query(`SELECT current_user AS user, current_database() AS database,
      current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
      current_setting('data_checksums') AS checksums, current_setting('server_encoding') AS encoding,
      current_setting('TimeZone') AS zone, current_setting('server_version') AS version,
      (SELECT concat(datlocprovider, ' ', datlocale) FROM pg_database WHERE datname = current_database()) AS locale`);
    expect(settings).toEqual({
      user: "picloud",
      database: "picloud",
      fsync: "on",
      full_page_writes: "on",
      checksums: "on",
      encoding: "UTF8",
      zone: "UTC",
      version: POSTGRES_VERSION,
      locale: "b C.UTF-8",
    });
  });

  test("listens on its Unix socket alone, in a folder that only its user may enter", async () => {
    await start();
    const listening = await listeningSockets(server?.pid ?? 0);
    expect(listening).toEqual({ tcp: [], unix: ["./.s.PGSQL.5432"] });
    expect((await stat(join(folder, "data"))).mode & 0o777).toBe(0o700);
  });

  test("inherits nothing of the environment and no open file but its output", async () => {
    await writeFile(join(dataDir, "held.txt"), "held");
    const held = Bun.file(join(dataDir, "held.txt")).stream().getReader();
    await start();
    const pid = server?.pid ?? 0;
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8"))
      .split("\0")
      .map((pair) => pair.split("=")[0]);
    expect(
      environment.filter((name) => name?.startsWith("PICLOUD") || name === "HOME" || name === "DATABASE_URL"),
    ).toEqual([]);
    const open = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
    );
    expect(open.filter((path) => path.startsWith(dataDir) && !path.startsWith(join(folder, "data")))).toEqual(
      [],
    );
    await held.cancel();
  });

  test("gets the settings of this binary over those of an older one, and the operator's custom.conf over both", async () => {
    const conf = join(folder, "data/postgresql.conf");
    await writeFile(conf, "max_connections = 7\nlisten_addresses = '*'\n");
    await writeFile(join(folder, "data/custom.conf"), "work_mem = '5MB'\n");
    expect(
      await query(`SELECT current_setting('max_connections') AS max, current_setting('listen_addresses') AS listen,
        current_setting('work_mem') AS work_mem`),
    ).toEqual({ max: "100", listen: "", work_mem: "5MB" });
  });

  test("tells what Postgres said when it does not start", async () => {
    await writeFile(join(folder, "data/custom.conf"), "no_such_setting = 1\n");
    await expect(start()).rejects.toMatchObject({
      code: "postgres_failed",
      message: expect.stringContaining("no_such_setting"),
    });
    await writeFile(join(folder, "data/custom.conf"), "");
  });

  test("refuses a cluster of another major version, naming both and the way out", async () => {
    const version = join(folder, "data/PG_VERSION");
    await writeFile(version, "17\n");
    await expect(start()).rejects.toMatchObject({
      code: "postgres_version_mismatch",
      message:
        `The database in ${folder}/data was made by PostgreSQL 17; this PiCloud brings PostgreSQL ${POSTGRES_VERSION}, which cannot read it. ` +
        "Start the PiCloud release that made it, dump the database with pg_dump, and restore the dump into a new data directory; " +
        "or run a PostgreSQL 17 server on that folder and set DATABASE_URL.",
    });
    await writeFile(version, "18\n");
    await start();
  });
});

async function start(steps: string[] = []): Promise<EmbeddedPostgres> {
  server = await startEmbedded({ dataDir, onProgress: (text) => void steps.push(text) });
  return server;
}

async function stop(): Promise<void> {
  await server?.stop();
  server = undefined;
}

async function query(sql: string): Promise<Record<string, unknown>> {
  const { target } = await start();
  const db = connect(target, { max: 1, applicationName: "test" });
  try {
    return { ...(await db.unsafe(sql))[0] };
  } finally {
    await db.end({ timeout: 1 });
  }
}

/** What a process listens on, by the kernel's own tables. */
async function listeningSockets(pid: number): Promise<{ tcp: string[]; unix: string[] }> {
  const fds = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const table = async (name: string) =>
    (await readFile(`/proc/${pid}/net/${name}`, "utf8")).trim().split("\n").slice(1);
  const tcp = [...(await table("tcp")), ...(await table("tcp6"))].filter((line) =>
    inodes.has(line.trim().split(/\s+/)[9]),
  );
  const unix = (await table("unix"))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => inodes.has(fields[6]));
  // The two without a name are its output.
  return { tcp, unix: unix.flatMap((fields) => fields[7] ?? []) };
}
