import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDispatcher, createScheduler, type Scheduler } from "../../src/orchestrator/index.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { newId } from "../../src/shared/ids.ts";
import { statementsBegun } from "../support/quiet.ts";
import { waitFor } from "../support/wait.ts";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

setDefaultTimeout(60_000);

let plane: DataPlane;
let scriptId: string;
const running: Scheduler[] = [];

beforeAll(async () => {
  plane = await startDataPlane();
  scriptId = await plane.deploy(
    "/cron",
    'kv::collection("seen").set(ctx.event.cron.trigger_id, [ctx.invocation_type, ctx.event, ctx.trigger_depth])',
  );
});
afterAll(() => plane.stop());

afterEach(async () => {
  for (const scheduler of running.splice(0)) await scheduler.stop();
  await plane.database.db`delete from triggers`;
  await plane.database.db`delete from outbox`;
});

/** A clock that stands until it is set. */
function handClock(time: string): Clock & { set(time: string): void } {
  let now = Date.parse(time);
  return {
    now: () => now,
    monotonic: () => performance.now(),
    set: (to) => {
      now = Date.parse(to);
    },
  };
}

function begin(clock: Clock, onEvents: () => void = () => {}): Scheduler {
  const made = createScheduler({ db: plane.database.db, clock, onEvents });
  running.push(made);
  return made;
}

async function cron(
  details: Readonly<Record<string, unknown>>,
  columns: { readonly nextAt?: string; readonly pausedUntil?: string; readonly enabled?: boolean } = {},
): Promise<string> {
  const { db } = plane.database;
  const id = newId();
  await db`
    insert into triggers (app_id, id, script_id, kind, details, retry_max_attempts, retry_backoff, retry_base_ms, next_at,
      paused_until, enabled)
    values (${plane.appId}, ${id}, ${scriptId}, 'cron', ${db.json(details as never)}, 3, 'exponential', 10,
      ${columns.nextAt ?? null}, ${columns.pausedUntil ?? null}, ${columns.enabled ?? true})`;
  return id;
}

interface Fired {
  readonly scheduled_at: string;
  readonly fired_at: string;
  readonly missed: boolean;
  readonly missed_count?: number;
}
const fired = async (id: string): Promise<Fired[]> =>
  (
    await plane.database.db<{ payload: { readonly cron: Fired } }[]>`
      select payload from outbox where trigger_id = ${id} order by created_at, id`
  ).map(({ payload }) => payload.cron);
const row = async (id: string) =>
  (
    await plane.database.db<
      { next_at: Date | null; last_fired_at: Date | null; enabled: boolean; disabled_reason: string | null }[]
    >`select next_at, last_fired_at, enabled, disabled_reason from triggers where id = ${id}`
  )[0];
const nextOf = async (id: string): Promise<string | undefined> => (await row(id))?.next_at?.toISOString();
/** Until what was asked before has been done. */
const settled = async (made: Scheduler): Promise<void> => {
  await made.start();
  await made.start();
};

describe("a cron trigger", () => {
  test("is given its first instant, and is fired at it", async () => {
    const clock = handClock("2026-03-28T23:30:00Z");
    const id = await cron({ schedule: "0 30 2 * * *", timezone: "Europe/Berlin" });
    const made = begin(clock);
    await made.start();
    expect(await nextOf(id)).toBe("2026-03-29T01:00:00.000Z");
    expect(await fired(id)).toEqual([]);
    clock.set("2026-03-29T01:00:00.020Z");
    await settled(made);
    expect(await fired(id)).toEqual([
      {
        trigger_id: id,
        schedule: "0 30 2 * * *",
        timezone: "Europe/Berlin",
        scheduled_at: "2026-03-29T01:00:00.000Z",
        fired_at: "2026-03-29T01:00:00.020Z",
        missed: false,
      } as Fired,
    ]);
    expect(await nextOf(id)).toBe("2026-03-30T00:30:00.000Z");
    expect((await row(id))?.last_fired_at?.toISOString()).toBe("2026-03-29T01:00:00.020Z");
    expect(made.stats()).toEqual({ fired: 1, lagMs: 20 });
  });

  test("calls its script each second, by a timer, with what 3.3 says", async () => {
    const dispatcher = createDispatcher({
      db: plane.database.db,
      catalog: plane.catalog,
      runOnce: plane.orchestrator.runOnce,
      owner: newId(),
      maxConcurrent: 4,
      maxDepth: 8,
    });
    await dispatcher.start();
    const id = await cron({ schedule: "* * * * * *" });
    const made = begin(systemClock, dispatcher.wake);
    await made.start();
    await waitFor("it has run three times", () => dispatcher.stats().delivered >= 3);
    await made.stop();
    await waitFor("all have run", async () => (await fired(id)).length === 0);
    const [seen] = await plane.database.db`select value from kv_entries where key = ${id}`;
    expect(seen?.["value"]).toEqual([
      "scheduled",
      {
        source: "cron",
        op: "fire",
        cron: expect.objectContaining({ trigger_id: id, schedule: "* * * * * *" }),
      },
      1,
    ]);
    expect(made.stats().fired).toBe(dispatcher.stats().delivered);
    await dispatcher.stop(1000);
  });

  test("is not fired while it is disabled or paused; a pause counts as missed", async () => {
    const clock = handClock("2026-05-01T03:30:00Z");
    const due = "2026-05-01T03:00:00Z";
    const disabled = await cron({ schedule: "@hourly" }, { nextAt: due, enabled: false });
    const paused = await cron({ schedule: "@hourly" }, { nextAt: due, pausedUntil: "2026-05-01T06:30:00Z" });
    const made = begin(clock);
    await settled(made);
    expect([await fired(disabled), await fired(paused)]).toEqual([[], []]);
    clock.set("2026-05-01T06:30:00Z");
    await settled(made);
    expect(await fired(disabled)).toEqual([]);
    expect(await fired(paused)).toEqual([
      expect.objectContaining({ scheduled_at: "2026-05-01T06:00:00.000Z", missed: true, missed_count: 4 }),
    ]);
  });

  test("whose schedule has ended fires no more; one that cannot be read is disabled with the reason", async () => {
    const ended = await cron({ schedule: "0 0 3 1 5 * 2026" }, { nextAt: "2026-05-01T03:00:00Z" });
    const broken = await cron({ schedule: "0 0 3 1 5", timezone: "Mars" });
    const made = begin(handClock("2026-05-01T03:00:00Z"));
    await settled(made);
    expect(await fired(ended)).toHaveLength(1);
    expect(await row(ended)).toMatchObject({ enabled: true, next_at: null });
    expect((await row(ended))?.last_fired_at).not.toBeNull();
    expect(await row(broken)).toMatchObject({
      enabled: false,
      disabled_reason: expect.stringContaining("Mars"),
    });
  });
});

describe("an instant", () => {
  test("is fired once by two schedulers at once", async () => {
    const ids = [];
    for (let n = 0; n < 20; n++) ids.push(await cron({ schedule: "* * * * * *" }));
    const clock = handClock("2026-05-01T03:00:00Z");
    const both = [begin(clock), begin(clock)];
    await Promise.all(both.map(settled));
    for (let second = 1; second <= 20; second++) {
      clock.set(`2026-05-01T03:00:${String(second).padStart(2, "0")}Z`);
      for (const each of both) each.wake();
      await Promise.all(both.map(settled));
    }
    await waitFor(
      "all have been fired",
      async () => both.reduce((sum, each) => sum + each.stats().fired, 0) >= 400,
    );
    const [count] = await plane.database.db`
      select count(*)::int as rows, count(distinct (trigger_id, payload->'cron'->>'scheduled_at'))::int as instants from outbox`;
    expect(count).toEqual({ rows: 400, instants: 400 });
    expect(ids).toHaveLength(20);
  });

  test("is left to a scheduler that has locked it, and fired by another when that one is gone", async () => {
    const id = await cron({ schedule: "@hourly" }, { nextAt: "2026-05-01T03:00:00Z" });
    const made = begin(handClock("2026-05-01T03:00:00Z"));
    // What a process holds that is killed then: its connection ends, and the lock with it.
    const holder = await plane.database.db.reserve();
    await holder`begin`;
    await holder`select from triggers where id = ${id} for update`;
    await settled(made);
    expect(await fired(id)).toEqual([]);
    const [self] = await holder<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await plane.database.db`select pg_terminate_backend(${self?.pid ?? 0})`;
    await waitFor("the other has fired it", async () => (await fired(id)).length === 1);
  });

  test("is not fired again when the system's clock is set back, nor lost when it is set forward", async () => {
    const clock = handClock("2026-05-01T02:59:00Z");
    const id = await cron({ schedule: "@hourly", missed: "all" });
    const made = begin(clock);
    await settled(made);
    for (const time of ["03:00:00", "02:10:00", "03:00:00", "03:00:01", "06:00:00", "03:00:00", "07:00:00"]) {
      clock.set(`2026-05-01T${time}Z`);
      await settled(made);
    }
    expect((await fired(id)).map(({ scheduled_at }) => scheduled_at.slice(11, 13))).toEqual([
      "03",
      "04",
      "05",
      "06",
      "07",
    ]);
  });
});

describe("what was missed while nobody was there", () => {
  const due = { nextAt: "2026-05-01T03:00:00Z" };
  const back = () => handClock("2026-05-01T05:30:00Z");

  test("comes as the trigger wishes", async () => {
    const skip = await cron({ schedule: "@hourly", missed: "skip" }, due);
    const once = await cron({ schedule: "@hourly" }, due);
    const all = await cron({ schedule: "@hourly", missed: "all" }, due);
    const late = await cron({ schedule: "@hourly", missed: "all", start_deadline_seconds: 5400 }, due);
    await begin(back()).start();
    const told = async (id: string) =>
      (await fired(id)).map((each) => [each.scheduled_at.slice(11, 16), each.missed, each.missed_count]);
    expect(await told(skip)).toEqual([]);
    expect(await told(once)).toEqual([["05:00", true, 3]]);
    expect(await told(all)).toEqual([
      ["03:00", true, undefined],
      ["04:00", true, undefined],
      ["05:00", true, undefined],
    ]);
    expect(await told(late)).toEqual([
      ["04:00", true, undefined],
      ["05:00", true, undefined],
    ]);
    for (const id of [skip, once, all, late]) expect(await nextOf(id)).toBe("2026-05-01T06:00:00.000Z");
  });
});

describe("a run that has not ended when the next is due", () => {
  test("allow: changes nothing; skip: the next is dropped; queue: it waits", async () => {
    const clock = handClock("2026-05-01T03:00:00Z");
    const due = { nextAt: "2026-05-01T03:00:00Z" };
    const allow = await cron({ schedule: "@hourly" }, due);
    const skip = await cron({ schedule: "@hourly", overlap: "skip" }, due);
    const queue = await cron({ schedule: "@hourly", overlap: "queue" }, due);
    const made = begin(clock);
    await settled(made);
    clock.set("2026-05-01T04:00:00Z");
    await settled(made);
    expect([(await fired(allow)).length, (await fired(skip)).length, (await fired(queue)).length]).toEqual([
      2, 1, 2,
    ]);
    await plane.database.db`delete from outbox where trigger_id = ${skip}`;
    clock.set("2026-05-01T05:00:00Z");
    await settled(made);
    expect((await fired(skip)).map(({ scheduled_at }) => scheduled_at)).toEqual(["2026-05-01T05:00:00.000Z"]);
  });

  test("queue: runs come one after the other, oldest first", async () => {
    const slow = await plane.deploy(
      "/slow",
      'let c = kv::collection("order"); let all = c.get("all"); if all == () { all = []; } let x = 0; while x < 50000 { x += 1 } all.push(ctx.event.cron.scheduled_at); c.set("all", all);',
    );
    const id = await cron(
      { schedule: "@hourly", missed: "all", overlap: "queue" },
      { nextAt: "2026-05-01T00:00:00Z" },
    );
    await plane.database.db`update triggers set script_id = ${slow} where id = ${id}`;
    const dispatcher = createDispatcher({
      db: plane.database.db,
      catalog: plane.catalog,
      runOnce: plane.orchestrator.runOnce,
      owner: newId(),
      maxConcurrent: 8,
      maxDepth: 8,
    });
    await dispatcher.start();
    await begin(handClock("2026-05-01T11:30:00Z"), dispatcher.wake).start();
    await waitFor("all have run", () => dispatcher.stats().delivered === 12);
    const [seen] = await plane.database.db`select value from kv_entries where collection = 'order'`;
    expect(seen?.["value"]).toEqual(
      Array.from({ length: 12 }, (_, hour) => `2026-05-01T${String(hour).padStart(2, "0")}:00:00.000Z`),
    );
    await dispatcher.stop(1000);
  });
});

describe("of several processes", () => {
  test("one that does not lead leaves firing to the leader, until that is overdue by 15 s", async () => {
    const clock = handClock("2026-05-01T04:00:00Z");
    const id = await cron({ schedule: "@hourly" }, { nextAt: "2026-05-01T03:00:00Z" });
    const made = createScheduler({ db: plane.database.db, clock, onEvents: () => {}, leads: () => false });
    running.push(made);
    await made.start();
    // Long overdue, but who is to lead may have started as late.
    clock.set("2026-05-01T04:00:14Z");
    made.wake();
    await Bun.sleep(300);
    expect(await fired(id)).toEqual([]);
    clock.set("2026-05-01T04:00:16Z");
    await waitFor("it fires all the same", async () => {
      made.wake();
      return (await fired(id)).length > 0;
    });
    expect(await fired(id)).toHaveLength(1);
    expect(await nextOf(id)).toBe("2026-05-01T05:00:00.000Z");
  });

  test("one that begins to lead fires what is due at once", async () => {
    let leads = false;
    const clock = handClock("2026-05-01T03:00:00Z");
    const id = await cron({ schedule: "@hourly" }, { nextAt: "2026-05-01T03:00:00Z" });
    const made = createScheduler({ db: plane.database.db, clock, onEvents: () => {}, leads: () => leads });
    running.push(made);
    await made.start();
    expect(await fired(id)).toEqual([]);
    leads = true;
    made.wake();
    await waitFor("it is fired", async () => (await fired(id)).length === 1);
  });
});

describe("at rest", () => {
  test("with fifty triggers, none due, nothing is asked of the database", async () => {
    for (let n = 0; n < 50; n++) await cron({ schedule: `0 ${n} 3 1 1 *` });
    const made = begin(systemClock);
    await made.start();
    await Bun.sleep(3500);
    expect(await statementsBegun(plane.database.db, 1400)).toEqual([]);
  });
});
