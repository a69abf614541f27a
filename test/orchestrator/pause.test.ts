import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { createDispatcher, createScheduler, type Dispatcher } from "../../src/orchestrator/index.ts";
import { holdEvents, outboxFigures } from "../../src/services/events/index.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { newId } from "../../src/shared/ids.ts";
import { statementsBegun } from "../support/quiet.ts";
import { waitFor } from "../support/wait.ts";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

setDefaultTimeout(60_000);

let plane: DataPlane;
let dispatcher: Dispatcher;
let handler = "";

beforeAll(async () => {
  plane = await startDataPlane({ onEvents: () => dispatcher.wake() });
  handler = await plane.deploy(
    "/handler",
    'let c = kv::collection("seen"); let n = c.incr("n"); c.set(`${n}`, if "event" in ctx { ctx.event.kv.key } else { ctx.request.path });',
  );
  await plane.deploy(
    "/write",
    'for key in ctx.request.query.keys.split(",") { kv::collection("in").set(key, 1); }',
  );
});
afterAll(() => plane.stop());

beforeEach(async () => {
  dispatcher = dispatcherOf();
  await dispatcher.start();
});
afterEach(async () => {
  await dispatcher.stop(1000);
  const { db } = plane.database;
  for (const table of ["triggers", "outbox", "kv_entries", "dead_letters"])
    await db`delete from ${db(table)}`;
  await pause(false);
});

/** One delivery after the other, so that their order shows. */
const dispatcherOf = (): Dispatcher =>
  createDispatcher({
    db: plane.database.db,
    catalog: plane.catalog,
    runOnce: plane.orchestrator.runOnce,
    owner: newId(),
    maxConcurrent: 1,
    maxDepth: 8,
    random: () => 0.5,
  });

/** @param seconds null: without an end; false: resumed */
async function pause(seconds: number | null | false, appId = plane.appId): Promise<void> {
  await plane.database.db`
    update apps
    set paused_at = case when ${seconds !== false} then now() end,
      paused_until = now() + make_interval(secs => ${seconds === false ? null : seconds}),
      catalog_version = catalog_version + 1
    where id = ${appId}`;
  await plane.catalog.refresh(appId);
  dispatcher.wake();
}

async function trigger(
  scriptId = handler,
  columns: { readonly pausedUntil?: Date; readonly kind?: string; readonly attempts?: number } = {},
): Promise<string> {
  const id = newId();
  await plane.database.db`
    insert into triggers (app_id, id, script_id, kind, pattern, ops, retry_max_attempts, retry_backoff, retry_base_ms,
      paused_until)
    values (${plane.appId}, ${id}, ${scriptId}, ${columns.kind ?? "kv"}, 'in', '{insert}',
      ${columns.attempts ?? 3}, 'constant', 1, ${columns.pausedUntil ?? null})`;
  await plane.rows.announce(plane.appId);
  await plane.catalog.refresh(plane.appId);
  return id;
}

const ROUTE = { headers: { authorization: "Bearer root-token" } };
/** Also while the app is paused. */
async function write(...keys: string[]): Promise<void> {
  const { db } = plane.database;
  for (const key of keys)
    await db`insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, 'in', ${key}, '1')`;
  dispatcher.wake();
}
const waiting = async () =>
  plane.database.db<{ due_at: Date; attempt_count: number }[]>`select due_at, attempt_count from outbox`;
const allDelivered = () => waitFor("nothing waits", async () => (await waiting()).length === 0);
async function seen(): Promise<unknown[]> {
  const rows = await plane.database.db<{ key: string; value: unknown }[]>`
    select key, value from kv_entries where collection = 'seen' and key <> 'n' order by key::int`;
  return rows.map(({ value }) => value);
}
const settle = () => Bun.sleep(150);

describe("while an app is paused", () => {
  test("its events wait, and are delivered in order when it is resumed", async () => {
    await trigger();
    await pause(null);
    await write("a", "b");
    await trigger(handler, { pausedUntil: new Date(Date.now() - 1000) });
    await write("c");
    await settle();
    expect([await seen(), (await waiting()).length]).toEqual([[], 4]);
    await pause(false);
    await allDelivered();
    expect((await seen()).slice(0, 2)).toEqual(["a", "b"]);
    expect((await seen()).slice(2)).toEqual(["c", "c"]);
  });

  test("requests get 503 with when to come back; those of asynchronous routes are kept", async () => {
    const slow = await plane.deploy("/later", 'kv::collection("seen").set("1", ctx.request.path)');
    await plane.database.db`update routes set dispatch_mode = 'async' where script_id = ${slow}`;
    await pause(3600);
    for (const [path, init] of [
      ["/write?keys=x", {}],
      ["/write?keys=x", { method: "POST", body: "x", headers: { "idempotency-key": "k" } }],
      [`/api/v1/execute/${handler}`, { method: "POST", ...ROUTE }],
    ] as const) {
      const answer = await plane.call(path, init);
      expect([path, answer.status, await answer.json()]).toEqual([
        path,
        503,
        expect.objectContaining({ code: "app_paused", detail: expect.stringContaining("paused until 20") }),
      ]);
      const seconds = Number(answer.headers.get("retry-after"));
      expect(seconds > 3590 && seconds <= 3600).toBe(true);
    }
    expect((await plane.call("/nothing")).status).toBe(404);
    expect((await plane.call("/later", { method: "POST", body: "x" })).status).toBe(202);
    await settle();
    expect(await seen()).toEqual([]);
    await pause(null);
    expect((await plane.call("/write?keys=x")).headers.get("retry-after")).toBe("300");
    await pause(false);
    expect((await plane.call("/write?keys=x")).status).toBe(200);
    await allDelivered();
    expect(await seen()).toEqual(["/later"]);
    // Nothing was kept as the answer to that key.
    const again = await plane.call("/write?keys=y", { method: "POST", headers: { "idempotency-key": "k" } });
    expect(again.status).toBe(200);
  });

  test("another app goes on", async () => {
    const appId = await plane.rows.app("free");
    await plane.rows.domain(appId, "free.local", "exact");
    await plane.deploy("/free", "1", { appId });
    await pause(null);
    expect((await plane.call("free.local/free")).status).toBe(200);
    expect((await plane.call("/free")).status).toBe(404);
  });

  test("its members can try a version", async () => {
    await pause(null);
    const script = plane.catalog.script(handler);
    if (script === undefined) throw new Error("no script");
    const answer = await plane.orchestrator.invoke(
      new Request("http://pi.local/x"),
      { remoteAddress: "127.0.0.1" },
      {
        script,
        version: 1,
        caller: { principal: null, hidesAuthorization: false },
        path: "/x",
        requestId: newId(),
      },
    );
    expect(answer.status).toBe(200);
  });

  test("nothing is asked of the database, however much waits", async () => {
    await trigger();
    await plane.executions.flush();
    await pause(null);
    await write("a");
    await Bun.sleep(1300);
    expect(await statementsBegun(plane.database.db, 1000)).toEqual([]);
    const { pending, oldestSeconds } = await outboxFigures(plane.database.db);
    expect([pending, oldestSeconds]).toEqual([[["kv", 1]], 0]);
  });

  for (const [attempts, what] of [
    [3, "and its next attempt waits"],
    [1, "and the handler of its dead letter waits"],
  ] as const) {
    test(`what was under way ends, ${what}`, async () => {
      const fails = await plane.deploy(
        `/fails/${attempts}`,
        'let c = kv::collection("tries"); if c.incr("n") == 1 { while c.get("go") == () { } throw "no"; }',
      );
      const { db } = plane.database;
      await trigger(fails, { attempts });
      await trigger(await plane.deploy(`/ends/${attempts}`, "1"), { kind: "dead_letter" });
      await write("a");
      await waitFor("it runs", async () => (await db`select from kv_entries where key = 'n'`).length === 1);
      await pause(null);
      await db`insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, 'tries', 'go', '1')`;
      await waitFor(
        "it failed",
        async () => dispatcher.stats().failed === 1 && dispatcher.stats().underWay === 0,
      );
      await settle();
      expect(await waiting()).toHaveLength(1);
      expect(dispatcher.stats().delivered).toBe(0);
      await pause(false);
      await allDelivered();
      expect(dispatcher.stats()).toMatchObject({ delivered: 1, failed: 1 });
    });
  }

  test("a claim whose process is gone waits too", async () => {
    await trigger();
    await pause(null);
    await write("a");
    await plane.database.db`
      update outbox set claimed_by = ${newId()}, attempt_count = 1, due_at = now() - interval '1 second'`;
    dispatcher.wake();
    await settle();
    expect((await waiting()).map(({ attempt_count }) => attempt_count)).toEqual([1]);
    await pause(false);
    await allDelivered();
    expect(await seen()).toEqual(["a"]);
  });
});

describe("the end of a pause", () => {
  test("by its time comes without anybody's doing", async () => {
    await trigger();
    await pause(1);
    await write("a", "b");
    await settle();
    expect(await seen()).toEqual([]);
    await allDelivered();
    expect(await seen()).toEqual(["a", "b"]);
    expect((await plane.call("/write?keys=a")).status).toBe(200);
  });

  test("is known to a process that was started meanwhile", async () => {
    await trigger();
    await pause(1);
    await dispatcher.stop(0);
    await write("a");
    dispatcher = dispatcherOf();
    await dispatcher.start();
    await settle();
    expect(await seen()).toEqual([]);
    await allDelivered();
    expect(await seen()).toEqual(["a"]);
  });

  test("is the later of the trigger's and the app's", async () => {
    await trigger(handler, { pausedUntil: new Date(Date.now() + 1200) });
    await pause(0.3);
    await write("a");
    await Bun.sleep(700);
    expect(await seen()).toEqual([]);
    await allDelivered();
    expect(await seen()).toEqual(["a"]);
  });

  test("has cron triggers fire what they missed, as each of them wishes", async () => {
    const { db } = plane.database;
    const first = Math.ceil(Date.now() / 10_000) * 10_000;
    const missed = Object.fromEntries(
      await Promise.all(
        ["skip", "once", "all"].map(async (policy) => {
          const id = newId();
          await db`
            insert into triggers (app_id, id, script_id, kind, details, retry_max_attempts, retry_backoff, retry_base_ms,
              next_at)
            values (${plane.appId}, ${id}, ${handler}, 'cron', ${db.json({ schedule: "*/10 * * * * *", missed: policy })},
              3, 'constant', 1, ${new Date(first)})`;
          return [policy, id];
        }),
      ),
    );
    let at = first - 1;
    const clock = { now: () => at, monotonic: () => performance.now() };
    const scheduler = createScheduler({ db, clock, onEvents: () => {} });
    await dispatcher.stop(0);
    const fired = async (policy: string) =>
      (await db`select from outbox where trigger_id = ${missed[policy] ?? ""}`).length;
    await pause(60);
    at = first + 40_000;
    await scheduler.start();
    expect(await fired("all")).toBe(0);
    at = first + 61_000;
    scheduler.wake();
    await waitFor("they are fired", async () => (await fired("all")) > 0);
    await scheduler.stop();
    expect([await fired("once"), await fired("all")]).toEqual([1, 7]);
    expect(await fired("skip")).toBeLessThanOrEqual(1);
  });

  test("wakes the scheduler by its timer", async () => {
    const { db } = plane.database;
    const id = newId();
    await db`
      insert into triggers (app_id, id, script_id, kind, details, retry_max_attempts, retry_backoff, retry_base_ms, next_at)
      values (${plane.appId}, ${id}, ${handler}, 'cron', '{"schedule": "0 0 0 1 1 *", "missed": "once"}', 3, 'constant', 1,
        now() - interval '1 second')`;
    await dispatcher.stop(0);
    await pause(1);
    const scheduler = createScheduler({ db, clock: systemClock, onEvents: () => {} });
    await scheduler.start();
    expect(await waiting()).toHaveLength(0);
    await waitFor("it is fired", async () => (await waiting()).length === 1);
    await scheduler.stop();
  });
});

describe("whoever pauses or resumes a trigger", () => {
  /** As the control plane does. */
  async function setPause(id: string, until: Date | null): Promise<void> {
    await plane.database.db.begin(async (sql) => {
      await sql`update triggers set paused_until = ${until} where id = ${id}`;
      await holdEvents(sql, plane.appId, id, until);
      // What others do meanwhile must not slip through before the commit.
      await Bun.sleep(30);
    });
  }
  const FAR = new Date("2100-01-01T00:00:00Z");

  for (const isolation of ["read committed", "serializable"]) {
    test(`waits for what is about to cause events, and that for them (${isolation})`, async () => {
      await dispatcher.stop(0);
      const id = await trigger();
      const { db } = plane.database;
      const cause = async (key: string): Promise<void> => {
        for (;;) {
          try {
            await db.begin(`isolation level ${isolation}`, async (sql) => {
              // Its state is that of now.
              await sql`select from triggers`;
              await Bun.sleep(Math.random() * 10);
              await sql`
                insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, 'in', ${key}, '1')`;
              await Bun.sleep(Math.random() * 10);
            });
            return;
          } catch (error) {
            // As tx::run does.
            if (!String(error).includes("could not serialize")) throw error;
          }
        }
      };
      for (let round = 0; round < 4; round++) {
        for (const until of [FAR, null]) {
          const causing = Array.from({ length: 12 }, (_, n) => cause(`${isolation} ${round} ${until} ${n}`));
          await Bun.sleep(5);
          await setPause(id, until);
          await Promise.all(causing);
          const rows = await waiting();
          const held = rows.filter(({ due_at: due }) => due.getTime() === FAR.getTime()).length;
          expect([until, held]).toEqual([until, until === null ? 0 : rows.length]);
        }
      }
      await db`update triggers set enabled = false where id = ${id}`;
      expect(await waiting()).toHaveLength(0);
    });
  }

  test("holds replayed letters and letters for handlers too", async () => {
    const fails = await plane.deploy("/fails/held", 'throw "no"');
    await trigger(fails, { attempts: 1 });
    await trigger(handler, { kind: "dead_letter", pausedUntil: FAR });
    await write("a");
    await waitFor(
      "it is a letter",
      async () => (await plane.database.db`select from dead_letters`).length === 1,
    );
    await settle();
    expect((await waiting()).map(({ due_at }) => due_at)).toEqual([FAR]);
  });
});
