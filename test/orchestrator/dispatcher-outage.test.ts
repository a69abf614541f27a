import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Database } from "../../src/database/client.ts";
import { urlTarget } from "../../src/database/target.ts";
import { createDispatcher, type Dispatcher } from "../../src/orchestrator/index.ts";
import { renew } from "../../src/services/events/index.ts";
import { newId } from "../../src/shared/ids.ts";
import { tcpProxy, type TcpProxy } from "../e2e/support/tcp-proxy.ts";
import { waitFor } from "../support/wait.ts";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

setDefaultTimeout(60_000);

let plane: DataPlane;
/** Between the dispatcher and the database; scripts and this test have ways of their own. */
let proxy: TcpProxy;
let db: Database;
let dispatcher: Dispatcher;
const owner = newId();

beforeAll(async () => {
  plane = await startDataPlane();
  proxy = await tcpProxy(plane.database.target);
  db = connect(urlTarget(proxy.databaseUrl), { max: 4, applicationName: "dispatcher" });
  dispatcher = start(owner);
  await dispatcher.start();
});

afterAll(async () => {
  await dispatcher.stop(1000);
  await db.end({ timeout: 1 });
  await proxy.close();
  await plane.stop();
});

const start = (as: string, runOnce = plane.orchestrator.runOnce): Dispatcher =>
  createDispatcher({
    db,
    catalog: plane.catalog,
    runOnce,
    owner: as,
    maxConcurrent: 8,
    maxDepth: 8,
  });

/** An event as it waits, or is claimed, for a script. */
async function event(
  scriptId: string,
  over: { readonly claimedBy?: string; readonly attempts?: number; readonly dueIn?: string } = {},
): Promise<string> {
  const id = newId();
  await plane.database.db`
    insert into outbox (app_id, id, source_kind, op, script_id, payload, trigger_depth, root_execution_id,
      retry_max_attempts, retry_backoff, retry_base_ms, claimed_by, due_at, attempt_count)
    values (${plane.appId}, ${id}, 'kv', 'insert', ${scriptId}, '{"source": "kv"}', 1, ${id}, 3, 'constant', 10,
      ${over.claimedBy ?? null}, now() + ${over.dueIn ?? "0 s"}::interval, ${over.attempts ?? 0})`;
  return id;
}

const waits = async (id: string): Promise<boolean> =>
  (await plane.database.db`select from outbox where id = ${id}`).length > 0;
const value = async (key: string): Promise<unknown> => {
  const [row] = await plane.database.db<{ value: unknown }[]>`
    select value from kv_entries where app_id = ${plane.appId} and collection = 'ran' and key = ${key}`;
  return row?.value;
};

test("a run that ends while the database is away is told when it is back, and not made again", async () => {
  const slow = await plane.deploy(
    "/slow",
    'let ran = kv::collection("ran"); ran.incr("slow"); while ran.get("go") == () { } ran.set("over", true);',
    { timeoutSeconds: 30, sandbox: { max_operations: 1_000_000_000 } },
  );
  const id = await event(slow);
  dispatcher.wake();
  await waitFor("it runs", async () => (await value("slow")) === 1);
  await proxy.cut();
  await plane.database.db`
    insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, 'ran', 'go', 'true')`;
  await waitFor("it has ended", async () => (await value("over")) === true);
  // Long enough for it to be told in vain.
  await Bun.sleep(300);
  expect(await waits(id)).toBe(true);
  await proxy.restore();
  await waitFor("the outbox knows", async () => !(await waits(id)), 10_000);
  expect(await value("slow")).toBe(1);
});

test("a claim whose answer was lost is made again at once, and does not count", async () => {
  const script = await plane.deploy("/lost", 'kv::collection("ran").set("lost", ctx.attempt)');
  await proxy.cut();
  dispatcher.wake();
  await event(script, { claimedBy: owner, attempts: 1, dueIn: "1 hour" });
  await Bun.sleep(100);
  await proxy.restore();
  await waitFor("it has run", async () => (await value("lost")) !== undefined, 10_000);
  expect(await value("lost")).toBe(1);
});

test("an event whose script cannot be read is given back, and that attempt does not count", async () => {
  const script = await plane.deploy("/unread", 'kv::collection("ran").set("unread", ctx.attempt)');
  let isFirst = true;
  const other = start(newId(), async (run) => {
    if (isFirst) {
      isFirst = false;
      await proxy.cut();
      setTimeout(() => void proxy.restore(), 100);
    }
    // As where the source is read.
    await db`select 1`;
    return plane.orchestrator.runOnce(run);
  });
  await event(script);
  await other.start();
  await waitFor("it has run", async () => (await value("unread")) !== undefined, 10_000);
  expect(await value("unread")).toBe(1);
  await other.stop(1000);
});

test("an event whose last attempt was cut off is not run again, but becomes a dead letter", async () => {
  const script = await plane.deploy("/deadly", 'kv::collection("ran").set("deadly", true)');
  const dead = newId();
  const id = await event(script, { claimedBy: dead, attempts: 3, dueIn: "1 hour" });
  const after = start(dead);
  await after.start();
  await waitFor("it is gone", async () => !(await waits(id)));
  await after.stop(1000);
  expect(await value("deadly")).toBeUndefined();
  const letters = await plane.database
    .db`select last_error from dead_letters where original_event_id = ${id}`;
  expect(letters.map((letter) => letter["last_error"])).toEqual([
    "PiCloud stopped while it ran, and that was the last attempt.",
  ]);
});

test("claims are renewed for what is under way, and for nothing else", async () => {
  const script = await plane.deploy("/renewed", "1");
  const other = newId();
  const ids = [
    await event(script, { claimedBy: other, attempts: 1, dueIn: "10 minutes" }),
    await event(script, { claimedBy: other, attempts: 1, dueIn: "10 minutes" }),
  ];
  const held = async (): Promise<boolean[]> => {
    const rows = await plane.database.db<{ late: boolean }[]>`
      select due_at > now() + interval '30 minutes' as late from outbox where claimed_by = ${other} order by id`;
    return rows.map(({ late }) => late);
  };
  await renew(plane.database.db, other, ids.slice(0, 1), 3600);
  expect(await held()).toEqual([true, false]);
  // One that lasts longer is not made shorter.
  await renew(plane.database.db, other, ids.slice(0, 1), 30);
  expect(await held()).toEqual([true, false]);
  await plane.database.db`delete from outbox where claimed_by = ${other}`;
});
