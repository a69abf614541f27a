import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { connect, type Database } from "../../src/database/client.ts";
import { startEmbedded, type EmbeddedPostgres } from "../../src/database/embedded/index.ts";
import { parseExposition } from "../services/metrics/parse.ts";
import { removeDataDirectory, temporaryDirectory } from "../support/test-server.ts";
import { waitFor } from "../support/wait.ts";
import { Client, Installation, type Login, type PiCloud } from "./support/picloud.ts";
import { tcpProxy, type TcpProxy } from "./support/tcp-proxy.ts";

/** A server of its own: this one is killed too. */
let postgres: EmbeddedPostgres;
let directory: string;
let proxy: TcpProxy;
let db: Database;
let login: Login;
let client: Client;
const installations = [new Installation(), new Installation()] as const;
const servers: PiCloud[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  postgres = await startEmbedded({ dataDir: directory });
  proxy = await tcpProxy(postgres.target);
  db = connect(postgres.target, { max: 2, applicationName: "picloud-test" });
  const first = await serve(0);
  if (first.login === null) throw new Error(first.output());
  login = first.login;
  await serve(1);
  client = new Client(first.url, login);
  const saved = await client.deploy(
    "tick",
    // Each firing is an event of its own; that it may run twice when its process is killed is not the point here.
    'kv::collection("fired").set(ctx.event.cron.scheduled_at + " " + ctx.request_id, true);',
  );
  expect(saved.status).toBe(201);
}, 120_000);

afterAll(async () => {
  for (const server of servers) server.kill("SIGCONT");
  for (const installation of installations) await installation.remove();
  await db.end();
  await proxy.close();
  await postgres.stop();
  await removeDataDirectory(directory);
}, 60_000);

async function serve(which: 0 | 1): Promise<PiCloud> {
  const server = await installations[which].serve({ args: ["--database-url", proxy.databaseUrl] });
  servers[which] = server;
  return server;
}

/** Whether a server fires schedules, by its own word. */
async function leads(server: PiCloud): Promise<boolean> {
  const text = await (await fetch(`${server.url}/metrics`, { headers: { Connection: "close" } })).text();
  return parseExposition(text).get("picloud_scheduler_leader")?.samples[0]?.value === 1;
}

/** The server that leads, and the other one. */
async function roles(): Promise<{ readonly leader: 0 | 1; readonly other: 0 | 1 }> {
  const [a, b] = servers;
  if (a === undefined || b === undefined) throw new Error("both run");
  let found: { readonly leader: 0 | 1; readonly other: 0 | 1 } | null = null;
  await waitFor("one of them leads", async () => {
    const [first, second] = await Promise.all([leads(a), leads(b)]);
    if (first !== second) found = first ? { leader: 0, other: 1 } : { leader: 1, other: 0 };
    return found !== null;
  });
  return found ?? { leader: 0, other: 1 };
}

/** By instant: the events that were made for it, as far as they have run. */
async function firings(): Promise<Map<string, string[]>> {
  const rows = await db<
    { key: string }[]
  >`select key from kv_entries where collection = 'fired' order by key`;
  const found = new Map<string, string[]>();
  for (const { key } of rows) {
    const [instant = "", event = ""] = key.split(" ");
    found.set(instant, [...(found.get(instant) ?? []), event]);
  }
  return found;
}
const twice = async () => [...(await firings())].filter(([, events]) => events.length > 1);
/** Until instants after this moment have been fired. */
async function goesOn(what: string, milliseconds: number): Promise<void> {
  const from = new Date().toISOString();
  await waitFor(
    what,
    async () => [...(await firings()).keys()].filter((instant) => instant > from).length >= 3,
    milliseconds,
  );
}

test("two servers on one database that have nothing to do ask it nothing", async () => {
  const { leader, other } = await roles();
  expect([leader, other].toSorted()).toEqual([0, 1]);
  const body = { script_id: "tick", schedule: "0 0 3 1 1 *" };
  for (let n = 0; n < 20; n++) {
    const made = await client.fetch("/api/v1/admin/apps/default/triggers/cron", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
    expect(made.status).toBe(201);
  }
  await Bun.sleep(4000);
  const asked = await db`
    select query from pg_stat_activity where application_name like 'picloud%' and application_name <> 'picloud-test'
      and query_start > now() - interval '2500 ms'`;
  expect([...asked]).toEqual([]);

  const url = ["--database-url", proxy.databaseUrl];
  const args = ["idle-proof", "5s", "--no-wait", "--json", "--data-dir", installations[0].dataDir];
  const { stdout } = await installations[0].run([...args, ...url]);
  const { findings } = JSON.parse(stdout) as {
    findings: { readonly name: string; readonly measured: number }[];
  };
  expect(findings[0]).toMatchObject({ name: "SQL statements", measured: 0 });
  const without = await installations[0].run(args);
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining("has its database elsewhere")]);
  await db`delete from triggers`;
}, 60_000);

/** What a server that was killed had claimed, to be looked at when the leases have ended. */
const orphans: string[] = [];

test("a server is killed while it carries out what it has claimed", async () => {
  const mayfly = new Installation();
  try {
    const server = await mayfly.serve({ args: ["--database-url", proxy.databaseUrl] });
    const to = new Client(server.url, login);
    await to.deploy(
      "slow",
      'sleep(4); kv::collection("slow").set(ctx.request_id, true);',
      "?route=/slow&dispatch=async",
    );
    const owner = (await Bun.file(join(mayfly.dataDir, "instance-id")).text()).trim();
    await waitFor("it has claimed something", async () => {
      expect((await fetch(`${server.url}/slow`, { method: "POST" })).status).toBe(202);
      const claimed = await db<
        { id: string }[]
      >`select id from outbox where claimed_by = ${owner} and source_kind = 'http'`;
      orphans.splice(0, Infinity, ...claimed.map(({ id }) => id));
      return orphans.length > 0;
    });
    server.kill("SIGKILL");
    await server.exited;
    orphans.splice(
      0,
      Infinity,
      ...(await db<{ id: string }[]>`select id from outbox where claimed_by = ${owner}`).map(({ id }) => id),
    );
    expect(orphans).not.toBeEmpty();
  } finally {
    await mayfly.remove();
  }
}, 60_000);

describe("a schedule of every second", () => {
  beforeAll(async () => {
    const made = await client.fetch("/api/v1/admin/apps/default/triggers/cron", {
      method: "POST",
      body: JSON.stringify({ script_id: "tick", schedule: "* * * * * *", missed: "skip" }),
      headers: { "content-type": "application/json" },
    });
    expect(made.status).toBe(201);
    await goesOn("it is fired", 15_000);
  });

  test("goes on within seconds when the leader is killed, and no instant is fired twice", async () => {
    const { leader, other } = await roles();
    servers[leader]?.kill("SIGKILL");
    await goesOn("the other one fires", 10_000);
    const survivor = servers[other];
    expect(survivor === undefined ? false : await leads(survivor)).toBe(true);
    // It does not take the lead back.
    const back = await serve(leader);
    await goesOn("it goes on", 10_000);
    expect(await leads(back)).toBe(false);
    expect(await twice()).toEqual([]);
  }, 60_000);

  test("goes on at once when the leader is stopped in order", async () => {
    const { leader } = await roles();
    expect(await servers[leader]?.stop()).toBe(0);
    await goesOn("the other one fires", 8_000);
    await serve(leader);
    expect(await twice()).toEqual([]);
  }, 60_000);

  test("goes on when the leader is frozen, also when that goes on later", async () => {
    const { leader, other } = await roles();
    servers[leader]?.kill("SIGSTOP");
    await Bun.sleep(1000);
    const from = new Date().toISOString();
    await waitFor(
      "the other one looks after what is overdue",
      async () => [...(await firings()).keys()].some((instant) => instant > from),
      30_000,
    );
    servers[leader]?.kill("SIGCONT");
    await goesOn("it goes on", 10_000);
    expect(await roles()).toEqual({ leader, other });
    expect(await twice()).toEqual([]);
  }, 60_000);

  test("goes on when PostgreSQL was killed, with one leader", async () => {
    await roles();
    const { pid } = postgres;
    if (pid !== null) process.kill(pid, "SIGKILL");
    await waitFor("it is back", () => postgres.pid !== null && postgres.pid !== pid);
    await goesOn("it goes on", 20_000);
    await roles();
    expect(await twice()).toEqual([]);
  }, 60_000);
});

test("what the killed server had claimed was taken over by another when the leases had ended", async () => {
  await waitFor(
    "nothing of it waits",
    async () => (await db`select from outbox where id = any(${orphans}::uuid[])`).length === 0,
    45_000,
  );
  const done = await db`select key from kv_entries where collection = 'slow'`;
  expect(done.length).toBeGreaterThanOrEqual(orphans.length);
  expect(await db`select from dead_letters`).toHaveLength(0);
}, 60_000);
