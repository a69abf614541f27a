import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "../../../src/database/client.ts";
import { createExecutor, type Executor } from "../../../src/executor/index.ts";
import { setValue } from "../../../src/services/kv/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import { seed } from "../../services/seed.ts";
import { countingProxy, type CountingProxy } from "../../support/counting-proxy.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { request } from "../support/runs.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let proxy: CountingProxy;
let executor: Executor;
let app = "";
const sources = new Map<string, string>();

beforeAll(async () => {
  database = await testDatabase();
  proxy = await countingProxy(database.target);
  const rows = seed(database.db);
  app = await rows.app("emits");
  const handler = await rows.script(app, "handler", "1");
  for (const kind of ["kv", "docs", "pubsub"]) {
    await database.db`
      insert into triggers (app_id, id, script_id, kind, retry_max_attempts, retry_backoff, retry_base_ms)
      values (${app}, ${newId()}, ${handler}, ${kind}, 1, 'constant', 1)`;
  }
  executor = createExecutor({
    maxConcurrent: 32,
    cacheSize: 16,
    database: proxy.target,
    loadSource: (_app, scriptId) => Promise.resolve(sources.get(scriptId) ?? null),
  });
});

afterAll(async () => {
  await executor.stop(0);
  proxy.stop();
  await database.drop();
});

beforeEach(async () => {
  await database.db`truncate outbox, kv_entries, docs cascade`;
});

/** Who caused the run: nobody, or what a trigger's delivery says. */
interface Cause {
  readonly depth: number;
  readonly root: string;
  readonly user: string;
}

const cause = (depth = 3): Cause => ({ depth, root: newId(), user: newId() });

/** A run in an app that has triggers. */
async function run(source: string, { depth, root, user }: Cause): Promise<string> {
  const known = [...sources].find(([, text]) => text === source)?.[0];
  const scriptId = known ?? newId();
  sources.set(scriptId, source);
  const { response, error } = await executor.execute({
    ...request(app, scriptId, DEFAULT_LIMITS),
    triggerDepth: depth,
    rootExecutionId: root,
    principal: { id: user, username: "ada" },
    emits: true,
  });
  if (response === null) throw new Error(error?.message);
  return String(response.body);
}

const events = () => database.db<{ event: string; depth: number; root: string; user: string | null }[]>`
  select source_kind || ' ' || op as event, trigger_depth as depth, root_execution_id as root, origin_principal as user
  from outbox order by created_at`;

const K = 'let k = kv::collection("c");';
const D = 'let d = docs::collection("c");';

describe("the event of a write tells of the run that caused it", () => {
  for (const [before, call, event] of [
    [K, 'k.set("a", 1)', "kv insert"],
    [`${K} k.set("a", 1);`, 'k.set("a", 2, #{ ttl_seconds: 60 })', "kv update"],
    [K, 'k.set_if("a", 1, ())', "kv insert"],
    [`${K} k.set("a", 1);`, 'k.set_if("a", 2, 1)', "kv update"],
    [K, 'k.incr("a")', "kv insert"],
    [`${K} k.set("a", 1);`, 'k.incr("a", 4)', "kv update"],
    [`${K} k.set("a", 1);`, 'k.delete("a")', "kv delete"],
    [D, "d.create(#{ a: 1 })", "docs create"],
    [`${D} let id = d.create(#{ a: 1 });`, "d.update(id, #{ a: 2 })", "docs update"],
    [`${D} let id = d.create(#{ a: 1 });`, "d.patch(id, #{ b: 2 })", "docs update"],
    [`${D} let id = d.create(#{ a: 1 });`, "d.delete(id)", "docs delete"],
    ["", 'pubsub::publish_durable("a.b", 1)', "pubsub publish"],
  ] as const) {
    test(`${call}, in one statement`, async () => {
      const { depth, root, user } = cause();
      await run(`${before} ${call};`, { depth, root, user });
      await database.db`truncate outbox, kv_entries, docs cascade`;
      const start = proxy.counts.executed;
      await run(`${before} ${call};`, { depth, root, user });
      const isPreceded = before !== "" && before !== K && before !== D;
      expect(proxy.counts.executed - start).toBe(isPreceded ? 2 : 1);
      expect((await events()).at(-1)).toEqual({ event, depth: depth + 1, root, user });
    });
  }

  test("also where it is one of several in a transaction", async () => {
    const { depth, root, user } = cause();
    await run(`${K} ${D} tx::run(|| { k.set("a", 1); d.create(#{ a: 1 }); k.delete("a"); });`, {
      depth,
      root,
      user,
    });
    expect([...(await events())]).toEqual(
      ["kv insert", "docs create", "kv delete"].map((event) => ({ event, depth: depth + 1, root, user })),
    );
  });

  test("and of no other run that has its connection at the same time", async () => {
    const source = `${K} for i in 0..5 { k.set(ctx.root_execution_id, i); k.incr("n"); }`;
    const causes = Array.from({ length: 24 }, (_, index) => cause(index));
    await Promise.all(causes.map((one) => run(source, one)));
    const rows = await database.db<{ key: string; depth: number; root: string; user: string }[]>`
      select payload -> 'kv' ->> 'key' as key, trigger_depth as depth, root_execution_id as root, origin_principal as user
      from outbox`;
    expect(rows.length).toBe(24 * 10);
    for (const row of rows) {
      const one = causes.find(({ root }) => root === row.root);
      expect(row).toMatchObject({ depth: (one?.depth ?? -9) + 1, user: one?.user ?? "" });
      expect([row.root, "n"]).toContain(row.key);
    }
  });
});

test("what no run wrote tells of none, on a connection that one had before", async () => {
  const db = connect(database.target, { max: 1, applicationName: "test" });
  const place = { appId: app, collection: "c", key: "a" };
  const { root, user } = cause();
  await setValue(db, place, "1", null, `7,${root},${user},`);
  await setValue(db, place, "2", null);
  const [told, untold] = await events();
  expect(told).toMatchObject({ event: "kv insert", depth: 8, root, user });
  expect(untold).toMatchObject({ event: "kv update", depth: 1, user: null });
  expect(untold?.root).not.toBe(root);
  await db.end();
});

test("a write that fails leaves the setting to nobody", async () => {
  const db = connect(database.target, { max: 1, applicationName: "test" });
  const { root, user } = cause();
  const bad = setValue(db, { appId: newId(), collection: "c", key: "a" }, "1", null, `7,${root},${user},`);
  expect(await bad.then(() => "written", String)).toContain("kv_entries_app_id_fkey");
  await setValue(db, { appId: app, collection: "c", key: "a" }, "1", null);
  expect(await events()).toMatchObject([{ event: "kv insert", depth: 1, user: null }]);
  await db.end();
});
