import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Database } from "../../src/database/client.ts";
import { runningTarget } from "../../src/database/embedded/index.ts";
import { withDatabase } from "../../src/database/target.ts";
import { temporaryDirectory } from "../support/test-server.ts";
import { waitFor } from "../support/wait.ts";
import { Client, Installation, type PiCloud } from "./support/picloud.ts";

const resting = new Installation();
const busy = new Installation();
let server: PiCloud;
let other: PiCloud;
let client: Client;

beforeAll(async () => {
  [server, other] = await Promise.all([resting.serve(), busy.serve()]);
  // PostgreSQL itself writes down each statement, in PiCloud's database only.
  await administer(resting, (db) => db.unsafe("alter database picloud set log_statement = 'all'"));
  client = await withScript(server);
  for (let n = 0; n < 50; n++) {
    await trigger(client, "cron", { schedule: `0 ${n} 3 1 ${inAYearsTime()} *` });
    const kinds = [
      ["kv", { collection_glob: `c${n}` }],
      ["docs", { collection_glob: `c${n}:*` }],
      ["pubsub", { topic_pattern: "orders.*" }],
      ["dead_letter", {}],
    ] as const;
    const [kind, fields] = kinds[n % 4] ?? kinds[0];
    await trigger(client, kind, fields);
  }
  await trigger(await withScript(other), "cron", { schedule: "* * * * * *" });
}, 120_000);

afterAll(async () => {
  await resting.remove();
  await busy.remove();
}, 60_000);

async function withScript({ url, login, output }: PiCloud): Promise<Client> {
  if (login === null) throw new Error(output());
  const made = new Client(url, login);
  expect((await made.deploy("handler", 'kv::collection("seen").incr("n")', "?route=/handler")).status).toBe(
    201,
  );
  return made;
}

async function trigger(of: Client, kind: string, fields: object): Promise<void> {
  const answer = await of.fetch(`/api/v1/admin/apps/default/triggers/${kind}`, {
    method: "POST",
    body: JSON.stringify({ script_id: "handler", ...fields }),
    headers: { "Content-Type": "application/json", Connection: "close" },
  });
  expect([await answer.text(), answer.status]).toEqual([expect.any(String), 201]);
}

/** A month that does not begin while this runs. */
const inAYearsTime = (): number => ((new Date().getMonth() + 6) % 12) + 1;

/** Works on a server's own PostgreSQL, in another database than PiCloud's. */
async function administer<T>(installation: Installation, work: (db: Database) => Promise<T>): Promise<T> {
  const target = withDatabase(await runningTarget(installation.dataDir), "postgres");
  const db = connect(target, { max: 1, applicationName: "picloud-test" });
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

interface Proof {
  readonly ok: boolean;
  readonly seconds: number;
  readonly findings: readonly { readonly name: string; readonly measured: number; readonly ok: boolean }[];
}

describe("with 50 crons, none due, and 50 triggers", () => {
  // Both look at the same minute: neither disturbs the other.
  test.concurrent(
    "no SQL statement is sent in a minute",
    async () => {
      const statements = () => server.output().match(/"(?:statement|execute \S+): /g)?.length ?? 0;
      // Connections that are open now may be older than the setting, and are closed by then.
      await Bun.sleep(13_000);
      const before = statements();
      await Bun.sleep(60_000);
      expect(statements()).toBe(before);
      // It does count.
      await (await fetch(`${server.url}/handler`, { headers: { Connection: "close" } })).text();
      await waitFor("statements are written down", () => statements() > before);
    },
    120_000,
  );

  test.concurrent(
    "picloud idle-proof finds nothing above its budget",
    async () => {
      const { code, stdout, stderr } = await resting.run([
        "idle-proof",
        "20s",
        "--json",
        "--data-dir",
        resting.dataDir,
      ]);
      const proof = JSON.parse(stdout) as Proof;
      expect([proof.findings.filter(({ ok }) => !ok), stderr]).toEqual([
        [],
        expect.stringContaining("Measuring"),
      ]);
      expect([proof.ok, proof.seconds, code]).toEqual([true, 20, 0]);
      expect(proof.findings.map(({ name }) => name)).toEqual([
        "SQL statements",
        "WAL",
        "CPU",
        "context switches of PiCloud",
        "context switches of PostgreSQL",
        "memory of PiCloud",
        "private memory of PostgreSQL",
      ]);
      const memory = proof.findings.find(({ name }) => name === "memory of PiCloud")?.measured;
      expect(memory).toBeGreaterThan(10);
    },
    180_000,
  );

  test.concurrent(
    "picloud idle-proof exits with 1 for a server that is at work, and says what is above",
    async () => {
      const { code, stdout } = await busy.run(["idle-proof", "6", "--no-wait", "--data-dir", busy.dataDir]);
      expect(stdout).toMatch(/^SQL statements +\d+ +0 +ABOVE$/m);
      expect(stdout).toMatch(/^WAL +\d+ +0 +bytes +ABOVE$/m);
      expect(stdout).toMatch(/^Not idle: SQL statements, WAL, .*\.$/m);
      expect(stdout).toContain("connections to its database open");
      expect(code).toBe(1);
    },
    60_000,
  );
});

describe("picloud idle-proof exits with 2", () => {
  test.each(["0", "4s", "2h", "-5s", "1.5m", "soon", "20 s", ""])(
    "for a duration of %p",
    async (duration) => {
      const { code, stdout, stderr } = await resting.run([
        "idle-proof",
        "--data-dir",
        resting.dataDir,
        "--",
        duration,
      ]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("from 5s to 1h");
    },
  );

  test("where no server runs, also when another process has its number now", async () => {
    const folder = await temporaryDirectory();
    const run = () => resting.run(["idle-proof", "20s", "--data-dir", folder]);
    const nobody = [2, "", expect.stringContaining(`No PiCloud runs on the data directory ${folder}`)];
    const shown = async () => {
      const { code, stdout, stderr } = await run();
      return [code, stdout, stderr];
    };
    expect(await shown()).toEqual(nobody);
    for (const left of ["", "no number", "999999999", String(process.pid)]) {
      await Bun.write(`${folder}/picloud.lock`, left);
      expect(await shown()).toEqual(nobody);
    }
  });

  test("when the server ends meanwhile", async () => {
    const measuring = busy.run(["idle-proof", "12s", "--no-wait", "--data-dir", busy.dataDir]);
    await Bun.sleep(5000);
    expect(await other.stop()).toBe(0);
    const { code, stdout, stderr } = await measuring;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`Process ${other.pid} ended while it was measured.`);
  }, 60_000);
});
