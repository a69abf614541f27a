import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { connect } from "../../../src/database/client.ts";
import {
  afterRows,
  createHousekeeping,
  type Housekeeping,
  type Task,
} from "../../../src/services/retention/index.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()), 60_000);
afterAll(() => database.drop());

const running: Housekeeping[] = [];
afterEach(async () => {
  for (const house of running.splice(0)) await house.stop();
  await database.db`delete from housekeeping`;
});

const DAY = 86_400_000;

class Time {
  ms = Date.parse("2030-01-01T00:00:00Z");
  now = (): number => this.ms;
  monotonic = (): number => this.ms;
}

/** A task that notes when it was swept. */
function noting(name: string, everyMs: number): Task & { readonly at: string[] } {
  const at: string[] = [];
  return {
    name,
    everyMs,
    at,
    async sweep(_sql, now) {
      at.push(now.toISOString());
      return false;
    },
  };
}

function housekeeping(clock: Time, ...tasks: readonly Task[]): Housekeeping {
  const made = createHousekeeping(database.db, { clock, tasks, random: () => 0 });
  running.push(made);
  return made;
}

async function dueTimes(): Promise<Record<string, string>> {
  const rows = await database.db<{ task: string; due_at: Date }[]>`select task, due_at from housekeeping`;
  return Object.fromEntries(rows.map(({ task, due_at: due }) => [task, due.toISOString()]));
}

test("each task is done when it is due by the wall clock, and then again after its interval", async () => {
  const clock = new Time();
  const daily = noting("daily", DAY);
  const often = noting("often", DAY / 4);
  const house = housekeeping(clock, daily, often);
  await house.start();
  await house.runDue();
  expect([daily.at, often.at]).toEqual([[], []]);
  clock.ms += DAY / 4;
  await house.runDue();
  expect([daily.at, often.at]).toEqual([[], ["2030-01-01T06:00:00.000Z"]]);
  clock.ms += DAY;
  await house.runDue();
  expect(daily.at).toEqual(["2030-01-02T06:00:00.000Z"]);
  expect(await dueTimes()).toEqual({ daily: "2030-01-03T06:00:00.000Z", often: "2030-01-02T12:00:00.000Z" });
});

test("what came due while PiCloud was switched off is done after the next start", async () => {
  const clock = new Time();
  const before = housekeeping(clock, noting("daily", DAY));
  await before.start();
  await before.stop();
  clock.ms += 10 * DAY;
  const daily = noting("daily", DAY);
  const later = housekeeping(clock, daily);
  await later.start();
  expect(await dueTimes()).toEqual({ daily: "2030-01-02T00:00:00.000Z" });
  await later.runDue();
  expect(daily.at).toEqual(["2030-01-11T00:00:00.000Z"]);
});

test("a task of several pieces is done piece by piece, each a transaction of its own; a failure is tried again later", async () => {
  const clock = new Time();
  let pieces = 0;
  const other = noting("other", DAY);
  const house = housekeeping(clock, other, {
    name: "pieces",
    everyMs: DAY,
    async sweep(sql) {
      await sql`insert into instance_settings (key, value) values (${`piece-${++pieces}`}, '1')`;
      // What the others did stays.
      if (pieces === 3) throw new Error("the disk is full");
      return pieces < 5;
    },
  });
  await house.start();
  clock.ms += DAY;
  await house.runDue();
  // It goes on from there, later; others do not wait for it.
  expect(await dueTimes()).toEqual({
    other: "2030-01-03T00:00:00.000Z",
    pieces: "2030-01-02T00:10:00.000Z",
  });
  expect(other.at).toHaveLength(1);
  clock.ms += 600_000;
  await house.runDue();
  expect((await dueTimes())["pieces"]).toBe("2030-01-03T00:10:00.000Z");
  const rows = await database.db<{ key: string }[]>`
    select key from instance_settings where key like 'piece-%' order by 1`;
  expect(rows.map(({ key }) => key)).toEqual(["piece-1", "piece-2", "piece-4", "piece-5"]);
});

test("of several processes one does what is due", async () => {
  const clock = new Time();
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  let sweeps = 0;
  const slow: Task = {
    name: "slow",
    everyMs: DAY,
    async sweep() {
      sweeps++;
      begin();
      await mayEnd;
      return false;
    },
  };
  const first = housekeeping(clock, slow);
  const second = housekeeping(clock, slow);
  await first.start();
  await second.start();
  clock.ms += DAY;
  const done = first.runDue();
  await begun;
  await second.runDue();
  expect(sweeps).toBe(1);
  end();
  await done;
  await second.runDue();
  expect(sweeps).toBe(1);
});

test("the timer does it by itself, at the due time", async () => {
  const clock = new Time();
  const task = noting("soon", DAY);
  const house = housekeeping(clock, task);
  await house.start();
  await database.db`update housekeeping set due_at = ${new Date(clock.ms + 150)}`;
  // Arms the timer anew.
  await house.runDue();
  expect(task.at).toEqual([]);
  clock.ms += 150;
  for (let i = 0; i < 200 && task.at.length === 0; i++) await Bun.sleep(20);
  expect(task.at).toHaveLength(1);
});

test("with nothing due no statement is sent", async () => {
  const name = "picloud-housekeeping-test";
  const db = connect(database.target, { max: 2, applicationName: name, idleTimeoutSeconds: null });
  const house = createHousekeeping(db, { clock: new Time(), tasks: [noting("daily", DAY)], random: () => 0 });
  await house.start();
  const last = async () => [
    ...(await database.db`
      select pid, query_start from pg_stat_activity where application_name = ${name} order by 1`),
  ];
  const before = await last();
  expect(before.length).toBeGreaterThan(0);
  await Bun.sleep(500);
  expect(await last()).toEqual(before);
  await house.stop();
  await db.end();
});

test("a nudge brings a task forward, never puts it off", async () => {
  const clock = new Time();
  const house = housekeeping(clock, noting("daily", DAY), noting("other", DAY));
  await house.start();
  house.nudge("daily");
  await house.runDue();
  expect(await dueTimes()).toEqual({ daily: "2030-01-01T00:01:00.000Z", other: "2030-01-02T00:00:00.000Z" });
  clock.ms += 30_000;
  house.nudge("daily");
  await house.runDue();
  expect((await dueTimes())["daily"]).toBe("2030-01-01T00:01:00.000Z");
});

test("a database that is away is no trouble, neither for what is due nor for a nudge", async () => {
  const away = connect(
    { kind: "url", url: "postgres://nobody@127.0.0.1:1/none" },
    { max: 1, applicationName: "test", connectTimeoutSeconds: 1 },
  );
  const house = createHousekeeping(away, { clock: new Time(), tasks: [noting("daily", DAY)] });
  house.nudge("daily");
  await house.runDue();
  await house.stop();
  await away.end({ timeout: 0 });
});

test("after so many rows, and again after as many more", () => {
  let told = 0;
  const written = afterRows(100, () => told++);
  const after = (rows: number): number => {
    written(rows);
    return told;
  };
  expect([50, 49, 1, 99, 500].map(after)).toEqual([0, 0, 1, 1, 2]);
});
