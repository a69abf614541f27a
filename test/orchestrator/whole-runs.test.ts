import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDispatcher, type Dispatcher } from "../../src/orchestrator/index.ts";
import { newId } from "../../src/shared/ids.ts";
import { waitFor } from "../support/wait.ts";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

setDefaultTimeout(60_000);

/** Runs that are one transaction with the end of the event that they are for. */

let plane: DataPlane;
let dispatcher: Dispatcher;

const start = (owner = newId()): Dispatcher =>
  createDispatcher({
    db: plane.database.db,
    catalog: plane.catalog,
    runOnce: plane.orchestrator.runOnce,
    owner,
    maxConcurrent: 16,
    maxDepth: 8,
  });

beforeAll(async () => {
  plane = await startDataPlane({
    onEvents: () => dispatcher.wake(),
    workerUrl: new URL("../executor/support/stuck-worker.ts", import.meta.url).href,
  });
  dispatcher = start();
  await dispatcher.start();
});

afterAll(async () => {
  await dispatcher.stop(1000);
  await plane.stop();
});

let names = 0;
/** A collection of a test's own: what is written into `cause` causes events, and what the handler does is in `effects`. */
interface Case {
  readonly cause: string;
  readonly effects: string;
  readonly scriptId: string;
  /** Writes keys into the collection that the trigger is for. */
  emit(keys: readonly string[]): Promise<void>;
  /** Waits until nothing waits, and tells what there is. */
  settled(): Promise<Record<string, unknown>>;
}

interface Options {
  readonly attempts?: number;
  readonly kind?: string;
  readonly ordering?: "key";
  readonly timeoutSeconds?: number;
  readonly sandbox?: Readonly<Record<string, number>>;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** @param source of a handler, in which `c` is the collection of its effects */
async function handled(source: string, options: Options = {}): Promise<Case> {
  const { db } = plane.database;
  const cause = `cause${++names}`;
  const effects = `effects${names}`;
  const { kind = "kv", attempts = 3, details = {}, ordering = null, ...settings } = options;
  const scriptId = await plane.deploy(
    `/w${names}`,
    `let c = kv::collection("${effects}"); ${source}`,
    settings,
  );
  await db`
    insert into triggers (app_id, id, script_id, kind, pattern, details, retry_max_attempts, retry_backoff, retry_base_ms,
      ordering, transactional)
    values (${plane.appId}, ${newId()}, ${scriptId}, ${kind}, ${kind === "dead_letter" ? "*" : cause},
      ${db.json(details as never)}, ${attempts}, 'constant', 1, ${ordering}, true)`;
  await plane.rows.announce(plane.appId);
  await plane.catalog.refresh(plane.appId);
  return {
    cause,
    effects,
    scriptId,
    async emit(keys) {
      await db`
        insert into kv_entries (app_id, collection, key, value)
        select ${plane.appId}, ${cause}, key, '1' from unnest(${keys as string[]}::text[]) key`;
      dispatcher.wake();
    },
    async settled() {
      await waitFor("nothing waits", async () => (await db`select from outbox`).length === 0, 30_000);
      return stored(effects);
    },
  };
}

async function stored(collection: string): Promise<Record<string, unknown>> {
  const rows = await plane.database.db<{ key: string; value: unknown }[]>`
    select key, value from kv_entries where app_id = ${plane.appId} and collection = ${collection} order by key`;
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

const letters = (scriptId: string) =>
  plane.database.db<{ last_error: string; resolution: string | null; attempt_count: number }[]>`
    select last_error, resolution, attempt_count from dead_letters where script_id = ${scriptId}`;

/** How the runs of a script ended, the first one first. */
const endings = async (scriptId: string): Promise<string[]> =>
  (await plane.logs(scriptId)).map(({ status }) => status).toReversed();

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`);

describe("a transactional run", () => {
  test("that succeeds keeps all that it did, and its event has ended", async () => {
    const heard = await handled('c.set("heard", ctx.event.pubsub.message)', { kind: "pubsub" });
    const it = await handled(
      `c.set("a", ctx.event.kv.key); c.incr("n"); docs::collection("${heard.effects}").create(#{ x: 1 }); pubsub::publish_durable("${heard.cause}", 7); c.get("n")`,
    );
    const before = dispatcher.stats();
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({ a: "x", n: 1 });
    expect(await stored(heard.effects)).toEqual({ heard: 7 });
    expect(dispatcher.stats().delivered).toBe(before.delivered + 2);
    expect(dispatcher.stats().failed).toBe(before.failed);
    const [log] = await plane.logs(it.scriptId);
    expect(log).toMatchObject({ status: "success", trigger_kind: "kv" });
  });

  test("that returns what could not be sent keeps all that it did: nobody gets it", async () => {
    const it = await handled('c.set("a", ctx.attempt); |x| x');
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({ a: 1 });
    expect([await endings(it.scriptId), [...(await letters(it.scriptId))]]).toEqual([["success"], []]);
  });

  test("that fails leaves nothing, its events are never delivered, and the next attempt happens once", async () => {
    const heard = await handled('c.incr("heard")', { kind: "pubsub" });
    const it = await handled(
      `c.incr("n"); docs::collection("${heard.effects}").create(#{ x: ctx.attempt }); pubsub::publish_durable("${heard.cause}", ctx.attempt); log::info("tried"); if ctx.attempt < 3 { throw "not yet"; } c.set("attempt", ctx.attempt);`,
    );
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({ n: 1, attempt: 3 });
    expect(await stored(heard.effects)).toEqual({ heard: 1 });
    expect(await plane.database.db`select data from docs where collection = ${heard.effects}`).toMatchObject([
      { data: { x: 3 } },
    ]);
    expect(await endings(it.scriptId)).toEqual(["error", "error", "success"]);
    const [, , first] = await plane.logs(it.scriptId);
    expect(first?.logs).toMatchObject([{ message: "tried" }]);
    expect(first?.error?.message).toContain("not yet");
  });

  for (const [what, source, options, reason] of [
    ["throws", 'c.set("a", 1); throw "no";', {}, "no"],
    [
      "ends in an endless loop",
      'c.set("a", 1); loop { }',
      { timeoutSeconds: 1, sandbox: { max_operations: 1_000_000_000 } },
      /deadline|limit of 1000 ms/,
    ],
    ["exceeds its budget", 'c.set("a", 1); loop { }', { sandbox: { max_operations: 10_000 } }, "operations"],
    ["does not come back", 'c.set("a", 1); sinh(12345.5);', { timeoutSeconds: 1 }, "1000 ms"],
    [
      "makes more calls than it may",
      'c.set("a", 1); for i in 0..6 { c.set(`k${i}`, i); }',
      { sandbox: { max_sdk_calls: 5 } },
      "a run may make 5 calls",
    ],
  ] as const) {
    test(`that ${what} leaves nothing, and becomes a dead letter`, async () => {
      const it = await handled(source, { attempts: 2, ...options });
      await it.emit(["x"]);
      expect(await it.settled()).toEqual({});
      const [letter] = await letters(it.scriptId);
      expect(letter).toMatchObject({ attempt_count: 2 });
      expect(letter?.last_error).toMatch(reason);
      expect((await endings(it.scriptId)).length).toBe(2);
      await waitFor("no transaction is left", async () => {
        const held = await plane.database.db`
          select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`;
        return held.length === 0;
      });
    });
  }

  for (const kind of ["docs", "cron", "email"]) {
    test(`may be caused by ${kind}`, async () => {
      const it = await handled(
        'c.incr("n"); if ctx.attempt == 1 { throw "not yet" } c.set("source", ctx.event.source);',
        {
          kind,
        },
      );
      const { db } = plane.database;
      if (kind === "docs") {
        await db`insert into docs (app_id, collection, id, data) values (${plane.appId}, ${it.cause}, ${newId()}, '{}')`;
      } else {
        await db`
          insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
            retry_max_attempts, retry_backoff, retry_base_ms, transactional)
          select app_id, gen_random_uuid(), kind, 'fire', id, script_id, jsonb_build_object('source', kind), 1,
            gen_random_uuid(), 3, 'constant', 1, transactional
          from triggers where script_id = ${it.scriptId}`;
      }
      dispatcher.wake();
      expect(await it.settled()).toEqual({ n: 1, source: kind });
    });
  }

  test("may ask for an index, but not drop one", async () => {
    const it = await handled(
      'let d = docs::collection("indexed"); d.create_index("x"); tx::run(|| { try { d.drop_index("x") } catch (e) { c.set("e", e) } })',
    );
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({ e: "docs::drop_index: a transactional run cannot drop an index" });
    expect(await plane.database.db`select from doc_indexes where collection = 'indexed'`).toHaveLength(1);
  });

  test("comes one after the other for one key, when the trigger asks for it", async () => {
    const it = await handled(
      'let all = c.get("all"); if all == () { all = []; } all.push(ctx.event.kv.value); c.set("all", all);',
      { ordering: "key" },
    );
    const { db } = plane.database;
    for (let i = 0; i < 30; i++) {
      await db`
        insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, ${it.cause}, 'one', ${String(i)}::jsonb)
        on conflict (app_id, collection, key) do update set value = excluded.value`;
      if (i % 5 === 0) dispatcher.wake();
    }
    dispatcher.wake();
    expect(await it.settled()).toEqual({ all: Array.from({ length: 30 }, (_, i) => String(i)) });
  });

  test("that calls no service ends like any other", async () => {
    const it = await handled("");
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({});
    expect(await endings(it.scriptId)).toEqual(["success"]);
  });

  /** A collection with a document whose `x` nobody else may have. */
  async function uniqueX(collection: string): Promise<void> {
    const { db } = plane.database;
    const id = newId();
    await db`insert into docs (app_id, collection, id, data) values (${plane.appId}, ${collection}, ${id}, '{"x": 1}')`;
    const [index] = await db<{ id: number }[]>`
      insert into doc_indexes (app_id, collection, path, is_unique, state)
      values (${plane.appId}, ${collection}, '{x}', true, 'ready') returning id`;
    await db`
      insert into doc_index_entries (app_id, index_id, value, doc_id, is_unique)
      values (${plane.appId}, ${index?.id ?? 0}, '1', ${id}, true)`;
  }

  test("that caught the error of a call which spoils the transaction fails, and says because of what", async () => {
    await uniqueX("spoiled");
    for (const after of ["", 'c.set("b", 1);']) {
      const it = await handled(
        `c.set("a", 1); try { docs::collection("spoiled").create(#{ x: 1 }); } catch { } ${after}`,
        { attempts: 1 },
      );
      await it.emit(["x"]);
      expect(await it.settled()).toEqual({});
      expect((await letters(it.scriptId))[0]?.last_error).toBe(
        "A call failed, so nothing of what the run did was kept: Another document has the same value of a unique field.",
      );
    }
  });

  test("that caught such an error of a tx::run goes on", async () => {
    await uniqueX("spared");
    const it = await handled(
      'c.set("a", 1); try { tx::run(|| { c.set("undone", 1); docs::collection("spared").create(#{ x: 1 }); }) } catch { c.set("caught", 1) } c.set("b", 1);',
      { attempts: 1 },
    );
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({ a: 1, b: 1, caught: 1 });
  });
});

describe("tx::run in a transactional run", () => {
  test("is part of it, and undone alone when it throws", async () => {
    const it = await handled(
      'c.set("before", 1); tx::run(|| { c.set("inner", 1); tx::run(|| c.set("innermost", 1)); }); try { tx::run(|| { c.set("undone", 1); throw "no"; }) } catch (e) { c.set("caught", e); } c.set("after", tx::run(|| 5));',
    );
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({ before: 1, inner: 1, innermost: 1, caught: "no", after: 5 });
  });

  test("is gone with a run that fails after it", async () => {
    const it = await handled('tx::run(|| c.set("inner", 1)); throw "later";', { attempts: 1 });
    await it.emit(["x"]);
    expect(await it.settled()).toEqual({});
  });
});

describe("transactional runs that change the same data", () => {
  for (const [how, source] of [
    ["with one call", 'c.incr("n")'],
    ["by reading and writing", 'let n = c.get("n"); c.set("n", if n == () { 1 } else { n + 1 });'],
    [
      "in a transaction of their own",
      'tx::run(|| { let n = c.get("n"); c.set("n", if n == () { 1 } else { n + 1 }); })',
    ],
  ] as const) {
    test(`${how} lose none of 50 events, and count no attempt`, async () => {
      const it = await handled(source, { attempts: 1 });
      await it.emit(many(50));
      expect(await it.settled()).toEqual({ n: 50 });
      expect(await letters(it.scriptId)).toHaveLength(0);
      expect((await endings(it.scriptId)).every((status) => status === "success")).toBe(true);
    });
  }

  test("wait for what holds it, and are made again when that takes long", async () => {
    const it = await handled('c.incr("n")', { attempts: 1 });
    const { db } = plane.database;
    await db`insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, ${it.effects}, 'n', '1')`;
    const holder = db.begin(async (sql) => {
      await sql`select from kv_entries where collection = ${it.effects} for update`;
      await Bun.sleep(5500);
    });
    await it.emit(["x"]);
    await holder;
    expect(await it.settled()).toEqual({ n: 2 });
    expect(await endings(it.scriptId)).toEqual(["success"]);
  });
});

describe("a transactional run whose event is taken away", () => {
  /** Runs that are held up after their first write until `between` has happened. */
  async function interrupted(between: (it: Case) => Promise<void>, options: Options = {}): Promise<Case> {
    const it = await handled('c.incr("n"); c.set("held", 2); c.set("after", 1);', options);
    const { db } = plane.database;
    await db`insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, ${it.effects}, 'held', '1')`;
    await db.begin(async (sql) => {
      await sql`select from kv_entries where collection = ${it.effects} and key = 'held' for update`;
      await it.emit(["x"]);
      await waitFor(
        "the run waits",
        async () =>
          (
            await db`
              select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
          ).length > 0,
      );
      await between(it);
    });
    return it;
  }

  test("because the lease was over does nothing; the other one does it once", async () => {
    const it = await interrupted(async () => {
      await plane.database.db`update outbox set claimed_by = null, due_at = now()`;
    });
    dispatcher.wake();
    expect(await it.settled()).toEqual({ n: 1, held: 2, after: 1 });
  });

  test("because its trigger was disabled does nothing", async () => {
    const it = await interrupted(async ({ scriptId }) => {
      await plane.database.db`update triggers set enabled = false where script_id = ${scriptId}`;
    });
    expect(await it.settled()).toEqual({ held: 1 });
    await waitFor("it is in the log", async () => (await endings(it.scriptId)).length === 1);
    expect(await endings(it.scriptId)).toEqual(["error"]);
    expect(await letters(it.scriptId)).toHaveLength(0);
  });

  test("because its connection was cut does nothing, and is tried again", async () => {
    const it = await interrupted(async () => {
      await plane.database.db`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'picloud-worker' and wait_event_type = 'Lock'`;
    });
    expect(await it.settled()).toEqual({ n: 1, held: 2, after: 1 });
    expect((await endings(it.scriptId)).at(-1)).toBe("success");
  });

  test("while it computes by the loss of its connection does nothing, and is tried again", async () => {
    const it = await handled(
      'c.incr("n"); if ctx.attempt == 1 { let x = 0; while x < 200000000 { x += 1 } } c.set("after", ctx.attempt); c.set("last", 1);',
      { sandbox: { max_operations: 900_000_000 } },
    );
    const { db } = plane.database;
    await it.emit(["x"]);
    await waitFor("it computes, and its connection is cut", async () => {
      const cut = await db`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'picloud-worker' and state = 'idle in transaction' and query like '%kv_entries%'`;
      return cut.length > 0;
    });
    expect(await it.settled()).toEqual({ n: 1, after: 2, last: 1 });
    expect(await endings(it.scriptId)).toEqual(["error", "success"]);
  });
});

describe("a transactional handler of dead letters", () => {
  test("resolves the letter with what it does", async () => {
    const broken = await handled('throw "for ever"', { attempts: 1 });
    const handler = await handled('c.set("letter", ctx.event.dead_letter.last_error)', {
      kind: "dead_letter",
      details: { script_id_filter: broken.scriptId },
    });
    await broken.emit(["x"]);
    expect(String((await handler.settled())["letter"])).toContain("for ever");
    expect(await letters(broken.scriptId)).toMatchObject([{ resolution: "handled_by_script" }]);
  });

  test("that fails leaves nothing, and says so of the letter", async () => {
    const broken = await handled('throw "for ever"', { attempts: 1 });
    const handler = await handled('c.set("letter", 1); throw "me too";', {
      kind: "dead_letter",
      details: { script_id_filter: broken.scriptId },
    });
    await broken.emit(["x"]);
    expect(await handler.settled()).toEqual({});
    expect(await letters(broken.scriptId)).toMatchObject([{ resolution: "handler_failed" }]);
  });
});
