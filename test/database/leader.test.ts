import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { campaign, LEADER_KEY, type Leadership } from "../../src/database/leader.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { statementsBegun } from "../support/quiet.ts";
import { waitFor } from "../support/wait.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
const open: Leadership[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await Promise.all(open.map((leadership) => leadership.close()));
  await database.drop();
});

const candidate = (name: string, onChange: () => void = () => {}): Leadership => {
  const made = campaign(database.target, { applicationName: name, onChange });
  open.push(made);
  return made;
};
const cut = (name: string) =>
  database.db`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`;
const backends = (name: string) =>
  database.db<{ pid: number; state: string; wait: string | null; xmin: string | null }[]>`
    select pid, state, wait_event_type as wait, backend_xmin as xmin from pg_stat_activity
    where application_name = ${name}`;
const isWaiting = (name: string) =>
  waitFor(`${name} waits`, async () => (await backends(name))[0]?.wait === "Lock");

describe("of several processes on one database", () => {
  test("one leads, and the next one when its connection ends, however that ends", async () => {
    const changes: string[] = [];
    const first = candidate("first", () => changes.push("first"));
    await waitFor("the first leads", first.leads);
    const second = candidate("second", () => changes.push("second"));
    await isWaiting("second");
    const third = candidate("third", () => changes.push("third"));
    await isWaiting("third");
    expect([first.leads(), second.leads(), third.leads()]).toEqual([true, false, false]);
    const held = await database.db`
      select from pg_locks where locktype = 'advisory' and objid = ${LEADER_KEY} and granted
        and database = (select oid from pg_database where datname = current_database())`;
    expect(held).toHaveLength(1);

    await cut("first");
    await waitFor("the second leads", second.leads);
    await waitFor("the first knows", () => !first.leads());
    expect(third.leads()).toBe(false);

    await second.close();
    await waitFor("the third leads", third.leads);
    expect(second.leads()).toBe(false);
    expect(first.leads()).toBe(false);
    await isWaiting("first");
    await third.close();
    await waitFor("the first leads again", first.leads);
    expect(changes).toEqual(["first", ...changes.slice(1)]);
    expect(changes.toSorted()).toEqual(["first", "first", "first", "second", "second", "third", "third"]);
    await first.close();
    expect(await backends("first")).toHaveLength(0);
  });

  test("the others wait without asking, and keep VACUUM from nothing", async () => {
    const leader = candidate("quiet-leader");
    await waitFor("it leads", leader.leads);
    const others = ["quiet-a", "quiet-b"].map((name) => candidate(name));
    await isWaiting("quiet-a");
    await isWaiting("quiet-b");
    await Bun.sleep(1500);
    expect(await statementsBegun(database.db, 1200)).toEqual([]);
    for (const name of ["quiet-leader", "quiet-a", "quiet-b"])
      expect((await backends(name)).map(({ xmin }) => xmin)).toEqual([null]);
    // Neither is there anything that it waits for.
    await database.db`vacuum`;
    await Promise.all([leader, ...others].map((leadership) => leadership.close()));
  });

  test("whoever waits comes back when its connection is lost, and can stop waiting", async () => {
    const leader = candidate("stay");
    await waitFor("it leads", leader.leads);
    const waiter = candidate("waiter");
    await isWaiting("waiter");
    const [before] = await backends("waiter");
    await cut("waiter");
    await waitFor("it waits on another connection", async () => {
      const [now] = await backends("waiter");
      return now !== undefined && now.pid !== before?.pid && now.wait === "Lock";
    });
    expect(waiter.leads()).toBe(false);
    await waiter.close();
    await waitFor("its connection is closed", async () => (await backends("waiter")).length === 0);
    expect(leader.leads()).toBe(true);
    await leader.close();
  });

  test("the timeouts of a role or a database do not end it", async () => {
    const { db } = database;
    const [{ name } = { name: "" }] = await db<{ name: string }[]>`select current_database() as name`;
    for (const setting of ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"])
      await db.unsafe(`alter database ${name} set ${setting} = '300ms'`);
    const leader = candidate("long-leader");
    await waitFor("it leads", leader.leads);
    const waiter = candidate("long-waiter");
    await isWaiting("long-waiter");
    const before = [...(await backends("long-leader")), ...(await backends("long-waiter"))];
    await Bun.sleep(1000);
    const after = [...(await backends("long-leader")), ...(await backends("long-waiter"))];
    expect(after.map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
    await Promise.all([leader.close(), waiter.close()]);
  });
});
