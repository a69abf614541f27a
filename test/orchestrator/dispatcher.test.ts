import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDispatcher, type Dispatcher } from "../../src/orchestrator/index.ts";
import { listen } from "../../src/database/listen.ts";
import { renew } from "../../src/services/events/index.ts";
import { newId } from "../../src/shared/ids.ts";
import { statementsBegun } from "../support/quiet.ts";
import { waitFor } from "../support/wait.ts";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

setDefaultTimeout(60_000);

let plane: DataPlane;
let dispatcher: Dispatcher;
const owner = newId();

beforeAll(async () => {
  plane = await startDataPlane({ onEvents: () => dispatcher.wake() });
  dispatcher = start();
  await dispatcher.start();
});

afterAll(async () => {
  await dispatcher.stop(1000);
  await plane.stop();
});

const start = (over: { readonly owner?: string; readonly maxDepth?: number } = {}): Dispatcher =>
  createDispatcher({
    db: plane.database.db,
    catalog: plane.catalog,
    runOnce: plane.orchestrator.runOnce,
    owner,
    maxConcurrent: 8,
    maxDepth: 8,
    random: () => 0.5,
    ...over,
  });

interface TriggerOptions {
  readonly pattern?: string;
  readonly ops?: readonly string[];
  readonly attempts?: number;
  readonly baseMs?: number;
  readonly ordering?: "key";
  readonly details?: Readonly<Record<string, unknown>>;
  readonly appId?: string;
}

let paths = 0;
/** A script with a route, which is its way to be called by hand. */
const script = async (
  source: string,
  appId?: string,
): Promise<{ readonly id: string; readonly path: string }> => {
  const path = `/d${++paths}`;
  return { id: await plane.deploy(path, source, appId === undefined ? {} : { appId }), path };
};

async function trigger(kind: string, scriptId: string, options: TriggerOptions = {}): Promise<string> {
  const { db } = plane.database;
  const appId = options.appId ?? plane.appId;
  const id = newId();
  await db`
    insert into triggers (app_id, id, script_id, kind, pattern, ops, details, retry_max_attempts, retry_backoff,
      retry_base_ms, ordering)
    values (${appId}, ${id}, ${scriptId}, ${kind}, ${options.pattern ?? "*"}, ${[...(options.ops ?? [])]}::text[],
      ${db.json((options.details ?? {}) as never)}, ${options.attempts ?? 3}, 'exponential', ${options.baseMs ?? 10},
      ${options.ordering ?? null})`;
  await plane.rows.announce(appId);
  await plane.catalog.refresh(appId);
  return id;
}

const waitingIds = async (): Promise<string[]> =>
  (await plane.database.db<{ id: string }[]>`select id from outbox`).map(({ id }) => id);
const waiting = async (): Promise<number> => (await plane.database.db`select from outbox`).length;
const idle = () => waitFor("nothing waits", async () => (await waiting()) === 0);
const stored = async (key: string, collection = "seen"): Promise<unknown> => {
  const [row] = await plane.database.db<{ value: unknown }[]>`
    select value from kv_entries where app_id = ${plane.appId} and collection = ${collection} and key = ${key}`;
  return row?.value;
};

/** Appends what it is called with to a list, under a key. */
const recorder = (key: string): string =>
  `let c = kv::collection("seen"); tx::run(|| { let all = c.get("${key}"); if all == () { all = []; } all.push(ctx.event); c.set("${key}", all); });`;

describe("a change of kv", () => {
  test("calls the scripts whose triggers match, with what was there before and after", async () => {
    const seen = await script(recorder("kv"));
    await trigger("kv", seen.id, { pattern: "orders" });
    await trigger("kv", seen.id, { pattern: "other" });
    const writer = await script(
      'let c = kv::collection("orders"); c.set("a", 1); c.set("a", #{ n: 2.0 }); c.incr("n"); c.delete("a"); c.delete("a"); kv::collection("orders2").set("a", 1);',
    );
    expect((await plane.call(writer.path)).status).toBe(200);
    await idle();
    const events = (await stored("kv")) as { readonly op: string; readonly kv: object }[];
    const byOp = events.map(({ op, kv }) => [op, kv]);
    expect(byOp).toHaveLength(4);
    expect(byOp).toContainEqual(["insert", { collection: "orders", key: "a", value: 1, prev_value: null }]);
    expect(byOp).toContainEqual([
      "update",
      { collection: "orders", key: "a", value: { n: 2.0 }, prev_value: 1 },
    ]);
    expect(byOp).toContainEqual(["insert", { collection: "orders", key: "n", value: 1, prev_value: null }]);
    expect(byOp).toContainEqual([
      "delete",
      { collection: "orders", key: "a", value: null, prev_value: { n: 2.0 } },
    ]);
  });

  test("that is rolled back causes nothing, and one in a transaction comes with its commit", async () => {
    const seen = await script(recorder("tx"));
    await trigger("kv", seen.id, { pattern: "tx:*", ops: ["insert"] });
    const writer = await script(
      'let c = kv::collection("tx:a"); try { tx::run(|| { c.set("lost", 1); throw 1; }); } catch { } tx::run(|| { c.set("x", 1); c.set("y", 2); c.set("x", 3); });',
    );
    await plane.call(writer.path);
    await idle();
    const events = (await stored("tx")) as { readonly kv: { readonly key: string } }[];
    expect(events.map(({ kv }) => kv.key).toSorted()).toEqual(["x", "y"]);
  });
});

describe("a change of docs", () => {
  test("tells the data before and after", async () => {
    const seen = await script(recorder("docs"));
    await trigger("docs", seen.id, { pattern: "people", ops: ["create", "update", "delete"] });
    const writer = await script(
      'let c = docs::collection("people"); let id = c.create(#{ n: 1 }); c.update(id, #{ n: 2 }); c.patch(id, #{ m: 3 }); c.delete(id); id',
    );
    const id = await (await plane.call(writer.path)).text();
    await idle();
    const events = (await stored("docs")) as { readonly op: string; readonly docs: object }[];
    const of = (op: string, data: unknown, prev: unknown) => ({
      source: "docs",
      op,
      docs: { collection: "people", id, data, prev_data: prev },
    });
    expect(events).toHaveLength(4);
    expect(events).toContainEqual(of("create", { n: 1 }, null));
    expect(events).toContainEqual(of("update", { n: 2 }, { n: 1 }));
    expect(events).toContainEqual(of("update", { n: 2, m: 3 }, { n: 2 }));
    expect(events).toContainEqual(of("delete", null, { n: 2, m: 3 }));
  });
});

describe("a message", () => {
  test("goes to the triggers whose pattern means its topic, when its transaction commits", async () => {
    const seen = await script(recorder("messages"));
    await trigger("pubsub", seen.id, { pattern: "orders.*" });
    await trigger("pubsub", seen.id, { pattern: "bills" });
    const writer = await script(
      'pubsub::publish_durable("orders.paid", #{ n: 1 }); pubsub::publish_durable("orders", 2); pubsub::publish_durable("bills", 3.0); try { tx::run(|| { pubsub::publish_durable("bills", 4); throw 1; }); } catch { } tx::run(|| pubsub::publish_durable("orders.a.b", ()));',
    );
    expect((await plane.call(writer.path)).status).toBe(200);
    await idle();
    const events = (await stored("messages")) as {
      readonly op: string;
      readonly pubsub: { topic: string; message: unknown; published_at: string };
    }[];
    const got = events.map(({ op, pubsub }) => [op, pubsub.topic, pubsub.message]).toSorted();
    expect(got).toEqual([
      ["publish", "bills", 3],
      ["publish", "orders.a.b", null],
      ["publish", "orders.paid", { n: 1 }],
    ]);
    expect(Date.parse(events[0]?.pubsub.published_at ?? "")).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe("a run that an event caused", () => {
  test("knows its depth, its attempt, and the run at the root of all", async () => {
    const seen = await script(
      'kv::collection("seen").set("ids", [ctx.trigger_depth, ctx.attempt, ctx.root_execution_id, ctx.request_id == ctx.execution_id, ctx.invocation_type, ctx.request.path, ctx.request.body])',
    );
    await trigger("kv", seen.id, { pattern: "ids" });
    const writer = await script('kv::collection("ids").set("a", 1); ctx.execution_id');
    const root = await (await plane.call(writer.path)).text();
    await idle();
    expect(await stored("ids")).toEqual([1, 1, root, false, "function", "", null]);
    const [log] = await plane.logs(seen.id);
    expect(log).toMatchObject({ trigger_kind: "kv", root_execution_id: root, status: "success" });
    expect(log?.trigger_id).toBeString();
  });

  test("is made again after a failure, later each time, with the same event", async () => {
    const flaky = await script(
      'let c = kv::collection("tries"); let n = c.incr("n"); c.set(`id${n}`, [ctx.request_id, ctx.attempt]); if n < 3 { throw "not yet"; }',
    );
    await trigger("kv", flaky.id, { pattern: "flaky", attempts: 5 });
    const writer = await script('kv::collection("flaky").set("a", 1)');
    await plane.call(writer.path);
    await waitFor("it succeeded", async () => (await stored("n", "tries")) === 3 && (await waiting()) === 0);
    const [first, second, third] = (await Promise.all(
      ["id1", "id2", "id3"].map((key) => stored(key, "tries")),
    )) as [string, number][];
    expect([first?.[1], second?.[1], third?.[1]]).toEqual([1, 2, 3]);
    expect(new Set([first?.[0], second?.[0], third?.[0]]).size).toBe(1);
  });

  test("that fails for the last time becomes a dead letter, whose handlers are called once", async () => {
    const broken = await script('throw "for ever"');
    const handler = await script(recorder("letters"));
    const failing = await script('throw "handler too"');
    const source = await trigger("kv", broken.id, { pattern: "broken", attempts: 2 });
    await trigger("dead_letter", handler.id, { details: { trigger_id_filter: source } });
    await trigger("dead_letter", failing.id, { details: { source_filter: "docs" } });
    const writer = await script('kv::collection("broken").set("a", 7)');
    await plane.call(writer.path);
    await waitFor(
      "it is a dead letter",
      async () => (await plane.database.db`select from dead_letters`).length === 1,
    );
    await idle();
    const [letter] = await plane.database.db`select * from dead_letters`;
    expect(letter).toMatchObject({
      source: "kv",
      op: "insert",
      attempt_count: 2,
      resolution: "handled_by_script",
    });
    expect(letter?.["last_error"]).toContain("for ever");
    const [event] = (await stored("letters")) as { readonly dead_letter: Record<string, unknown> }[];
    expect(event?.dead_letter).toMatchObject({
      dead_letter_id: letter?.["id"],
      attempts: 2,
      original: { source: "kv", op: "insert", kv: { collection: "broken", key: "a", value: 7 } },
    });
  });

  test("that causes itself ends at the limit of depth", async () => {
    const loop = await script('kv::collection("loop").incr("n")');
    await trigger("kv", loop.id, { pattern: "loop" });
    const before = dispatcher.stats().tooDeep;
    await plane.call(loop.path);
    await idle();
    // The one by hand, and eight below it.
    expect(await stored("n", "loop")).toBe(9);
    expect(dispatcher.stats().tooDeep).toBe(before + 1);
    expect(await plane.database.db`select from dead_letters where script_id = ${loop.id}`).toHaveLength(0);
  });

  test("comes one after the other for one key, when the trigger asks for it", async () => {
    const seen = await script(
      'let c = kv::collection("order"); let all = c.get(ctx.event.kv.key); if all == () { all = []; } let x = 0; while x < 20000 { x += 1 } all.push(ctx.event.kv.value); c.set(ctx.event.kv.key, all);',
    );
    await trigger("kv", seen.id, { pattern: "queue", ordering: "key" });
    const writer = await script(
      'let c = kv::collection("queue"); for i in 0..12 { c.set("a", i); c.set("b", i * 10); }',
    );
    await plane.call(writer.path);
    await idle();
    const twelve = Array.from({ length: 12 }, (_, i) => i);
    expect(await stored("a", "order")).toEqual(twelve);
    expect(await stored("b", "order")).toEqual(twelve.map((i) => i * 10));
  });
});

describe("a process that is gone", () => {
  test("had its deliveries, which are made again when it is back", async () => {
    const { db } = plane.database;
    const seen = await script(recorder("again"));
    const id = newId();
    const dead = newId();
    await db`
      insert into outbox (app_id, id, source_kind, op, script_id, payload, trigger_depth, root_execution_id,
        retry_max_attempts, retry_backoff, retry_base_ms, claimed_by, due_at, attempt_count)
      values (${plane.appId}, ${id}, 'kv', 'insert', ${seen.id}, '{"source": "kv"}', 1, ${id}, 3, 'constant', 10, ${dead},
        now() + interval '1 hour', 1)`;
    const other = start({ owner: dead });
    await other.start();
    await idle();
    expect(await stored("again")).toEqual([{ source: "kv" }]);
    await other.stop(1000);
  });
});

describe("another app", () => {
  test("hears nothing of it", async () => {
    const appId = await plane.rows.app("deaf");
    const seen = await script('kv::collection("seen").set("overheard", true)', appId);
    await trigger("kv", seen.id, { appId });
    const writer = await script('kv::collection("private").set("a", 1)');
    await plane.call(writer.path);
    await idle();
    expect(await plane.database.db`select from kv_entries where app_id = ${appId}`).toHaveLength(0);
  });

  test("is not held up by a backlog of long runs, and keeps within what it may have at once", async () => {
    const { db } = plane.database;
    const busy = await plane.rows.app("busy");
    const small = await plane.rows.app("small");
    await db`update apps set settings = '{"max_concurrent": 1}' where id = ${small}`;
    const long = await trigger("kv", (await script("sleep(0.2)", busy)).id, { appId: busy });
    const counts =
      'let c = kv::collection("seen"); let now = c.incr("now"); if now > 1 { c.set("together", now); } sleep(0.05); c.incr("now", -1);';
    await trigger("kv", (await script(counts, small)).id, { appId: small, pattern: "in" });
    const write = (appId: string, keys: number) => db`
      insert into kv_entries (app_id, collection, key, value) select ${appId}, 'in', i::text, '1' from generate_series(1, ${keys}) i`;
    await write(busy, 60);
    dispatcher.wake();
    await Bun.sleep(50);
    await write(small, 5);
    dispatcher.wake();
    const of = async (appId: string) => (await db`select from outbox where app_id = ${appId}`).length;
    await waitFor("the other app's are delivered", async () => (await of(small)) === 0);
    expect(await of(busy)).toBeGreaterThan(10);
    expect(await db`select from kv_entries where app_id = ${small} and key = 'together'`).toHaveLength(0);
    await db`delete from triggers where app_id = ${busy} and id = ${long}`;
    await idle();
  });

  test("cannot have a trigger for a script that is not its own", async () => {
    const appId = await plane.rows.app("thief");
    const victim = await script("1");
    expect(await trigger("kv", victim.id, { appId }).catch(String)).toContain("triggers_script_fkey");
  });
});

describe("what cannot be delivered yet", () => {
  /** Rows of the outbox, as they may be found there. */
  async function waits(
    scriptId: string,
    rows: readonly {
      readonly kind?: string;
      readonly key?: string;
      readonly dueInMs?: number;
      readonly by?: string;
    }[],
  ): Promise<void> {
    const { db } = plane.database;
    const triggerId = newId();
    for (const { kind = "kv", key = null, dueInMs = 0, by = null } of rows) {
      const id = newId();
      await db`
        insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
          retry_max_attempts, retry_backoff, retry_base_ms, ordering_key, claimed_by, due_at, created_at)
        values (${plane.appId}, ${id}, ${kind}, 'insert', ${triggerId}, ${scriptId}, ${db.json({ source: kind })}, 1, ${id},
          3, 'constant', 10, ${key}, ${by}, now() + make_interval(secs => ${dueInMs / 1000}), clock_timestamp())`;
    }
    dispatcher.wake();
  }
  const forget = () => plane.database.db`delete from outbox`;

  test("is not asked for again and again: rows behind one of their key that waits", async () => {
    const seen = await script(recorder("behind"));
    await waits(seen.id, [{ key: "a", dueInMs: 5000 }, { key: "a" }, { key: "a", dueInMs: -9000 }]);
    await Bun.sleep(3000);
    expect(await statementsBegun(plane.database.db, 1400)).toEqual([]);
    await waitFor("they come when it is their turn", async () => (await waiting()) === 0);
    expect(await stored("behind")).toHaveLength(3);
  });

  test("is left alone: rows of kinds that this binary does not know, which hold up no others", async () => {
    const seen = await script(recorder("known"));
    await waits(seen.id, [
      { kind: "queue", dueInMs: -60_000 },
      { kind: "queue", key: "a" },
      { kind: "queue", dueInMs: 1500 },
      { kind: "kv", key: "a" },
      { kind: "docs" },
    ]);
    await waitFor("the others are delivered", async () => (await waiting()) === 3);
    await Bun.sleep(3500);
    expect(await statementsBegun(plane.database.db, 1400)).toEqual([]);
    expect(await stored("known")).toHaveLength(2);
    const left = await plane.database
      .db`select source_kind, claimed_by, attempt_count, last_error from outbox`;
    expect([...left]).toEqual(
      Array.from({ length: 3 }, () => ({
        source_kind: "queue",
        claimed_by: null,
        attempt_count: 0,
        last_error: null,
      })),
    );
    await forget();
  });

  test("comes at once when another process has ended the one before it of its key, and is gone", async () => {
    const { db, target } = plane.database;
    const listener = await listen(target, {
      applicationName: "picloud-test-listen",
      channels: { picloud_outbox: () => dispatcher.wake() },
      onReconnect: () => {},
    });
    const seen = await script(recorder("next"));
    await waits(seen.id, [{ by: newId(), key: "a", dueInMs: 60_000 }, { key: "a" }]);
    await Bun.sleep(500);
    expect(await stored("next")).toBeUndefined();
    await db`delete from outbox where claimed_by is not null`;
    await waitFor("it is delivered", async () => (await waiting()) === 0, 5000);
    expect(await stored("next")).toHaveLength(1);
    await listener.close();
  });

  test("is taken over when the lease of another process ends, and was renewed meanwhile", async () => {
    const seen = await script(recorder("taken"));
    const other = newId();
    await waits(seen.id, [{ by: other, dueInMs: 800 }]);
    await Bun.sleep(300);
    await renew(plane.database.db, other, await waitingIds(), 2);
    await Bun.sleep(1000);
    expect(await stored("taken")).toBeUndefined();
    await waitFor("it is taken over", async () => (await waiting()) === 0, 5000);
    expect(await stored("taken")).toEqual([{ source: "kv" }]);
  });
});

describe("at rest", () => {
  test("nothing is asked of the database", async () => {
    await idle();
    // The log of what ran is written shortly after.
    await Bun.sleep(3500);
    expect(await statementsBegun(plane.database.db, 1400)).toEqual([]);
  });
});

describe("an asynchronous route", () => {
  /** Makes the route of a script asynchronous. */
  async function asynchronous(source: string): Promise<{ readonly id: string; readonly path: string }> {
    const made = await script(source);
    await plane.database.db`update routes set dispatch_mode = 'async' where script_id = ${made.id}`;
    await plane.rows.announce(plane.appId);
    await plane.catalog.refresh(plane.appId);
    return made;
  }
  const post = (path: string, headers: Record<string, string> = {}) =>
    plane.call(`${path}?q=1`, {
      method: "POST",
      body: '{"big": 9007199254740993, "nul": "\\u0000", "f": 1.0}',
      headers: { "content-type": "application/json", "x-own": "1", ...headers },
    });

  test("answers 202 at once, and its script sees the request later", async () => {
    const { id, path } = await asynchronous(
      'kv::collection("seen").set("async", [ctx.request.method, ctx.request.path, ctx.request.query, ctx.request.body.big, ctx.request.body.nul.len(), type_of(ctx.request.body.f), ctx.request.headers["x-own"], ctx.execution_id, ctx.request_id, ctx.invocation_type, ctx.trigger_depth, "event" in ctx]);',
    );
    const answer = await post(path, { authorization: "Bearer root-token" });
    expect(answer.status).toBe(202);
    const accepted = (await answer.json()) as { readonly accepted_at: string; readonly execution_id: string };
    expect(Date.parse(accepted.accepted_at)).toBeGreaterThan(Date.now() - 60_000);
    expect(answer.headers.get("x-execution-id")).toBe(accepted.execution_id);
    await idle();
    const row = (await stored("async")) as unknown[];
    expect(row.slice(0, 12)).toEqual([
      "POST",
      path,
      { q: "1" },
      9007199254740992,
      1,
      "f64",
      "1",
      accepted.execution_id,
      answer.headers.get("x-request-id"),
      "http",
      0,
      false,
    ]);
    const [log] = await plane.logs(id);
    expect(log).toMatchObject({ id: accepted.execution_id, trigger_kind: "http", status: "success" });
  });

  test("is tried again when its script fails, or answers that it did not work", async () => {
    const { path } = await asynchronous(
      'let n = kv::collection("tries").incr("async"); if n == 1 { throw "first" } #{ statusCode: if n == 2 { 503 } else { 200 } }',
    );
    await plane.database.db`update outbox set retry_base_ms = 1`;
    expect((await post(path)).status).toBe(202);
    for (let i = 0; i < 100 && (await stored("async", "tries")) !== 3; i++) {
      await plane.database.db`update outbox set due_at = now() where claimed_by is null`;
      dispatcher.wake();
      await Bun.sleep(50);
    }
    await idle();
    expect(await stored("async", "tries")).toBe(3);
  });

  test("carries a request with an Idempotency-Key out once", async () => {
    const { path } = await asynchronous('kv::collection("tries").incr("once")');
    const answers = [
      await post(path, { "idempotency-key": "k" }),
      await post(path, { "idempotency-key": "k" }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([202, 202]);
    const ids = await Promise.all(answers.map((answer) => answer.json()));
    expect(ids[0]).toEqual(ids[1] as never);
    await idle();
    expect(await stored("once", "tries")).toBe(1);
  });
});
