import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { RunLimits } from "../../src/shared/limits.ts";
import type { ExecutorOptions } from "../../src/executor/index.ts";
import { seed } from "../services/seed.ts";
import { waitFor } from "../support/wait.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { startExecutor, type Runs } from "./support/runs.ts";

let database: TestDatabase;
let app: string;
let other: string;
const opened: Runs[] = [];

beforeAll(async () => {
  database = await testDatabase();
  const rows = seed(database.db);
  [app, other] = [await rows.app("mine"), await rows.app("other")];
});

afterAll(() => database.drop());

afterEach(async () => {
  for (const runs of opened.splice(0)) await runs.executor.stop(0);
});

function start(options: Partial<ExecutorOptions> = {}): Runs {
  const runs = startExecutor({ database: database.target, ...options });
  opened.push(runs);
  return runs;
}

/** Runs what is known as fast from then on, whatever it is told to do by the value under `mode`. */
const BY_MODE = `
  let c = kv::collection("c"); c.incr("begun"); sleep(c.get("nap"));
  switch c.get("mode") {
    "loop" => { let i = 0; loop { i += 1; } }
    "stuck" => sinh(12345.0 + c.get("nap")),
    "slow native" => { let s = "x"; for i in 0..19 { s += s; } loop { s.replace("x", "y"); s.replace("y", "x"); } }
    "hoard" => { let a = []; loop { a.push([1.5, 2.5, 3.5]); } }
    _ => "done"
  }`;

/** Waits for as long as the value under `nap` says, in seconds. */
const NAP = 'let c = kv::collection("c"); c.incr("begun"); sleep(c.get("nap") * 3); "slept"';

/** Waits for as long as somebody else holds the key. */
const BUMP = 'kv::collection("c").incr("locked")';

async function makeFast(runs: Runs, source: string, options = {}): Promise<void> {
  await set("mode", '"nothing"');
  await set("nap", "0");
  for (let i = 0; i < 5; i++) await runs.answer(source, { app, ...options });
}

const set = async (key: string, json: string): Promise<void> => {
  await database.db`
    insert into kv_entries (app_id, collection, key, value) values (${app}, 'c', ${key}, ${json}::text::jsonb)
    on conflict (app_id, collection, key) do update set value = excluded.value`;
};

/** Holds the lock on a key until the answer is called. */
async function lockKey(): Promise<() => Promise<void>> {
  const locked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const done = database.db.begin(async (sql) => {
    await sql`select 1 from kv_entries where app_id = ${app} and collection = 'c' and key = 'locked' for update`;
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  return async () => {
    release.resolve();
    await done;
  };
}

/** A run that takes to a mode after a nap, and others of the same worker that nap for longer. */
async function together(mode: string, limits: Partial<RunLimits>) {
  // On a busy machine a run may be taken to another worker before it begins.
  for (let attempt = 0; attempt < 10; attempt++) {
    const runs = start({ workerUrl: new URL("./support/stuck-worker.ts", import.meta.url).href });
    await makeFast(runs, NAP);
    await makeFast(runs, BY_MODE, { limits });
    await set("mode", JSON.stringify(mode));
    await set("nap", "0.3");
    await set("begun", "0");
    const naps = Array.from({ length: 3 }, () => runs.run(NAP, { app }));
    const running = runs.run(BY_MODE, { app, limits });
    await waitFor("all have begun", async () => (await begun()) === 4);
    if (runs.executor.stats().workers === 1) return { runs, naps, running };
    await Promise.all([...naps, running]);
  }
  throw new Error("the runs never came together");
}

async function begun(): Promise<number> {
  const [row] = await database.db`select value from kv_entries where app_id = ${app} and key = 'begun'`;
  return Number(row?.["value"]);
}

describe("runs that wait", () => {
  test("leave their worker to others of the app, which end before them", async () => {
    const runs = start();
    await makeFast(runs, BUMP);
    await makeFast(runs, BY_MODE);
    const release = await lockKey();
    const order: string[] = [];
    const waiting = runs.answer(BUMP, { app }).then(() => order.push("waited"));
    for (let i = 0; i < 5; i++) order.push(await runs.answer(BY_MODE, { app }));
    await release();
    await waiting;
    expect(order).toEqual(["done", "done", "done", "done", "done", "waited"]);
    expect(runs.executor.stats().workers).toBe(1);
  });

  test("sleep leaves it too", async () => {
    const runs = start();
    const sleeper = 'sleep(0.3); "slept"';
    await makeFast(runs, BY_MODE);
    const started = performance.now();
    for (let i = 0; i < 3; i++) await runs.answer(sleeper, { app });
    const all = Array.from({ length: 10 }, () => runs.answer(sleeper, { app }));
    expect(await Promise.all(all)).toEqual(all.map(() => "slept"));
    expect(performance.now() - started).toBeLessThan(2900);
    expect(runs.executor.stats().workers).toBe(1);
  });

  test("end at their own deadline, each", async () => {
    const runs = start();
    const limits = [500, 700, 900].map((timeoutMs) => ({ timeoutMs }));
    await makeFast(runs, BUMP);
    for (const limit of limits) await makeFast(runs, BUMP, { limits: limit });
    const release = await lockKey();
    const outcomes = await Promise.all(
      limits.map(async (limit) => {
        const { status, durationMs } = await runs.run(BUMP, { app, limits: limit });
        return [status, durationMs - limit.timeoutMs] as const;
      }),
    );
    await release();
    for (const [status, late] of outcomes) {
      expect(status).toBe("timeout");
      expect(late).toBeGreaterThan(-2);
      expect(late).toBeLessThan(50);
    }
    expect(runs.executor.stats()).toMatchObject({ killed: 0, running: 0 });
  });

  test("are each counted for themselves: operations, calls and what they log", async () => {
    const runs = start();
    const source = (n: number) => `
      let c = kv::collection("counted");
      for i in 0..${n} { c.incr("n${n}"); log::info(\`\${i}\`); }
      c.get("n${n}")`;
    const alone = await Promise.all(
      [3, 30, 60].map(async (n) => {
        await database.db`delete from kv_entries where collection = 'counted'`;
        for (let i = 0; i < 4; i++) await runs.run(source(n), { app });
        return (await runs.run(source(n), { app })).operations;
      }),
    );
    const atOnce = await Promise.all([3, 30, 60].map((n) => runs.run(source(n), { app })));
    expect(atOnce.map(({ operations }) => operations)).toEqual(alone);
    expect(atOnce.map(({ logs }) => logs.length)).toEqual([3, 30, 60]);
    expect(atOnce.map(({ logs }) => logs.map(({ message }) => Number(message)))).toEqual(
      [3, 30, 60].map((n) => Array.from({ length: n }, (_, i) => i)),
    );
  });

  test("each transaction keeps to itself", async () => {
    const runs = start();
    const move = `
      let c = kv::collection("bank");
      tx::run(|| {
        let a = c.get("a"); let b = c.get("b");
        c.set("a", a - 1); c.set("b", b + 1);
        if a % 3 == 0 { throw "not today" }
      })`;
    const guarded = `try { ${move} } catch { }`;
    const read = 'let m = kv::collection("bank").get_many(["a", "b"]); m.a + m.b';
    await runs.answer('let c = kv::collection("bank"); c.set("a", 1000); c.set("b", 0)', { app });
    for (let i = 0; i < 4; i++) await runs.answer(read, { app });
    const moves = Array.from({ length: 12 }, () => runs.run(guarded, { app }));
    const sums = await Promise.all(Array.from({ length: 40 }, () => runs.answer(read, { app })));
    expect(new Set(sums)).toEqual(new Set(["1000"]));
    for (const { status } of await Promise.all(moves)) expect(status).toBe("success");
    expect(await runs.answer(read, { app })).toBe("1000");
  });
});

describe("beside runs that wait", () => {
  test("an endless loop ends at its own limit, and they go on", async () => {
    const { runs, naps, running } = await together("loop", { timeoutMs: 500, maxOperations: 0 });
    const loop = await running;
    expect([loop.status, loop.error?.code]).toEqual(["timeout", "timeout"]);
    expect((await Promise.all(naps)).map(({ status }) => status)).toEqual(naps.map(() => "success"));
    expect(runs.executor.stats()).toMatchObject({ killed: 0, workers: 1 });
  });

  test("one that does not come back fails at its limit and takes them along; they are not run again", async () => {
    const { runs, naps, running } = await together("stuck", { timeoutMs: 500, maxOperations: 0 });
    const stuck = await running;
    expect(stuck.durationMs).toBeLessThan(550);
    expect([stuck.status, stuck.error?.code]).toEqual(["timeout", "timeout"]);
    expect((await Promise.all(naps)).map(({ error }) => error?.code)).toEqual(naps.map(() => "internal"));
    await stuck.released;
    expect(runs.executor.stats()).toMatchObject({ killed: 1, running: 0 });
    await set("mode", '"nothing"');
    await set("nap", "0");
    expect(await runs.answer(BY_MODE, { app })).toBe("done");
    expect(await begun()).toBe(5);
  });

  test("one that seldom looks at the clock is answered for at its limit, and has a moment to end by itself", async () => {
    const { runs, naps, running } = await together("slow native", { timeoutMs: 500, maxOperations: 0 });
    const slow = await running;
    expect(slow.status).toBe("timeout");
    expect(slow.durationMs).toBeLessThan(550);
    expect((await Promise.all(naps)).map(({ status }) => status)).toEqual(naps.map(() => "success"));
    expect(runs.executor.stats()).toMatchObject({ killed: 0, running: 0 });
  });

  test("one that is overdue while a loop has the thread is answered for at its limit, and nobody is killed", async () => {
    const short = { timeoutMs: 600 };
    for (let attempt = 0; ; attempt++) {
      const runs = start();
      await makeFast(runs, NAP, { limits: short });
      await makeFast(runs, BY_MODE, { limits: { timeoutMs: 1200, maxOperations: 0 } });
      await set("mode", '"loop"');
      await set("nap", "0.3");
      await set("begun", "0");
      const nap = runs.run(NAP, { app, limits: short });
      const loop = runs.run(BY_MODE, { app, limits: { timeoutMs: 1200, maxOperations: 0 } });
      await waitFor("all have begun", async () => (await begun()) === 2);
      const isTogether = runs.executor.stats().workers === 1;
      const { status, durationMs } = await nap;
      expect(status).toBe("timeout");
      expect(durationMs).toBeLessThan(650);
      expect(runs.executor.stats().killed).toBe(0);
      expect((await loop).status).toBe("timeout");
      if (isTogether) break;
      expect(attempt).toBeLessThan(10);
    }
  }, 25_000);

  test("one that takes too much memory is ended, and they are not", async () => {
    const limits = { timeoutMs: 20_000, memoryBytes: 16 * 1024 * 1024, maxArraySize: 0, maxOperations: 0 };
    const { runs, naps, running } = await together("hoard", limits);
    const hoard = await running;
    expect([hoard.status, hoard.error?.message]).toEqual([
      "budget_exceeded",
      expect.stringContaining("memory"),
    ]);
    expect((await Promise.all(naps)).map(({ status }) => status)).toEqual(naps.map(() => "success"));
    expect(runs.executor.stats().killed).toBe(0);
  }, 25_000);

  test("another app gets a worker of its own", async () => {
    const runs = start();
    await makeFast(runs, BUMP);
    const release = await lockKey();
    const waiting = runs.run(BUMP, { app });
    await Bun.sleep(20);
    expect(await runs.answer('kv::collection("c").get("mode")', { app: other })).toBe("null");
    expect(runs.executor.stats().workers).toBe(2);
    await release();
    expect((await waiting).status).toBe("success");
  });

  test("an app is only exchanged for another when nothing is under way", async () => {
    const runs = start({ maxConcurrent: 1 });
    const name = (of: string) =>
      `let c = kv::collection("who"); c.set("n", "${of}"); c.get("n") + c.get("n")`;
    const apps = [app, other];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => runs.answer(name(`app-${i % 2}`), { app: apps[i % 2] ?? "" })),
    );
    expect(answers).toEqual(answers.map((_, i) => `app-${i % 2}`.repeat(2)));
  });
});

describe("a worker that is ended", () => {
  test("leaves no transaction behind, and has it looked at whether it caused events", async () => {
    let told = 0;
    const runs = start({
      workerUrl: new URL("./support/stuck-worker.ts", import.meta.url).href,
      onEvents: () => void told++,
    });
    const stuck = await runs.run('tx::run(|| { kv::collection("c").incr("held"); sinh(12345.0) })', {
      app,
      limits: { timeoutMs: 4000 },
    });
    expect(stuck.status).toBe("timeout");
    await stuck.released;
    expect(runs.executor.stats().killed).toBe(1);
    expect(told).toBe(1);
    // It would wait for the lock until its statement takes too long.
    expect(await runs.answer('kv::collection("c").incr("held")', { app })).toBe("1");
  });
});
