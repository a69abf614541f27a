import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Database } from "../../../src/database/client.ts";
import {
  bury,
  claim,
  complete,
  postpone,
  unblock,
  type Claim,
  type Claimed,
} from "../../../src/services/events/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let db: Database;
let apps: Record<"a" | "b", string>;
const triggerId = newId();
const scriptId = newId();

beforeAll(async () => {
  database = await testDatabase();
  ({ db } = database);
});
afterAll(() => database.drop());

beforeEach(async () => {
  await db`delete from apps`;
  const rows = seed(db);
  apps = { a: await rows.app("a"), b: await rows.app("b") };
});

/** Events of an app, oldest first. */
async function events(
  appId: string,
  count: number,
  over: { readonly key?: string | null; readonly dueInSeconds?: number; readonly of?: Database } = {},
): Promise<string[]> {
  const rows = await (over.of ?? db)<{ id: string }[]>`
    insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
      retry_max_attempts, retry_backoff, retry_base_ms, ordering_key, due_at, created_at)
    select ${appId}, e.id, 'kv', 'insert', ${triggerId}, ${scriptId}, '{}', 1, e.id, 3, 'constant', 10, ${over.key ?? null},
      now() + make_interval(secs => ${over.dueInSeconds ?? 0}), clock_timestamp() + e.i * interval '1 microsecond'
    from (select i, gen_random_uuid() as id from generate_series(1, ${count}::int) i) e
    returning id`;
  return rows.map(({ id }) => id);
}

const take = (over: Partial<Claim> = {}, sql: Parameters<typeof claim>[0] = db): Promise<Claimed> =>
  claim(sql, {
    apps: null,
    owner: newId(),
    limit: 8,
    limitPerApp: 8,
    underWay: new Map(),
    held: [],
    leaseSeconds: 30,
    wholeLeaseSeconds: 60,
    kinds: ["kv"],
    window: 64,
    ...over,
  });

const ofEach = ({ deliveries }: Claimed): Record<string, number> => ({
  a: deliveries.filter(({ app_id }) => app_id === apps.a).length,
  b: deliveries.filter(({ app_id }) => app_id === apps.b).length,
});
const idsOf = ({ deliveries }: Claimed): string[] => deliveries.map(({ id }) => id);
const idsBehind = (claimed: Claimed): string[] => claimed.blocked.map(({ id }) => id);

describe("what is claimed", () => {
  test("is of every app, however much one of them has waiting, and of each the oldest", async () => {
    const many = await events(apps.a, 500);
    await events(apps.b, 2);
    const claimed = await take();
    expect(ofEach(claimed)).toEqual({ a: 6, b: 2 });
    expect(
      idsOf(claimed)
        .filter((id) => many.includes(id))
        .toSorted(),
    ).toEqual(many.slice(0, 6).toSorted());
    expect(claimed.crowded).toEqual([apps.a]);
  });

  test("is more of the app that has fewer runs for its weight", async () => {
    await events(apps.a, 50);
    await events(apps.b, 50);
    const underWay = new Map([[apps.a, 4]]);
    expect(ofEach(await take({ underWay }))).toEqual({ a: 2, b: 6 });
    expect(ofEach(await take({ underWay: new Map([[apps.a, 6]]), limit: 1 }))).toEqual({ a: 0, b: 1 });
    expect(ofEach(await take({ underWay: new Map([[apps.b, 6]]), limit: 2 }))).toEqual({ a: 2, b: 0 });
    await db`delete from outbox where app_id = ${apps.b}`;
    expect(ofEach(await take({ underWay: new Map([[apps.a, 6]]), limit: 2 }))).toEqual({ a: 2, b: 0 });
    await events(apps.b, 50);
    await db`update apps set settings = '{"weight": 3}' where id = ${apps.a}`;
    expect(ofEach(await take())).toEqual({ a: 6, b: 2 });
  });

  test("is never more than an app may have at once, in what is under way already", async () => {
    await db`update apps set settings = '{"max_concurrent": 3}' where id = ${apps.a}`;
    await events(apps.a, 50);
    expect(ofEach(await take())).toEqual({ a: 3, b: 0 });
    expect(ofEach(await take({ underWay: new Map([[apps.a, 2]]) }))).toEqual({ a: 1, b: 0 });
    const full = await take({ underWay: new Map([[apps.a, 3]]) });
    expect([ofEach(full), full.crowded, full.isLocked]).toEqual([{ a: 0, b: 0 }, [apps.a], false]);
    await events(apps.b, 50);
    expect(ofEach(await take({ limitPerApp: 6, underWay: new Map([[apps.a, 3]]) }))).toEqual({ a: 0, b: 6 });
  });

  test("is of those apps alone that are asked for", async () => {
    await events(apps.a, 50);
    await events(apps.b, 50);
    const claimed = await take({ apps: [apps.b, newId()] });
    expect([ofEach(claimed), claimed.crowded]).toEqual([{ a: 0, b: 8 }, [apps.b]]);
    expect(ofEach(await take({ apps: [] }))).toEqual({ a: 0, b: 0 });
  });

  test("is not what somebody else is about to claim, which is told", async () => {
    await events(apps.a, 3);
    await db.begin(async (sql) => {
      expect((await take({ limit: 2 }, sql)).deliveries).toHaveLength(2);
      const other = await take({ limit: 2 });
      expect([other.deliveries.length, other.isLocked]).toEqual([0, true]);
    });
    expect((await take({ limit: 2 })).deliveries).toHaveLength(1);
  });
});

describe("when to look again", () => {
  test("is told by the first that is not due yet, claims of others included, one's own left out", async () => {
    expect((await take()).nextMs).toBeNull();
    await events(apps.a, 1, { dueInSeconds: 50 });
    await events(apps.b, 1);
    const claimed = await take();
    expect(claimed.nextMs).toBeWithin(40_000, 50_001);
    expect((await take()).nextMs).toBeWithin(20_000, 30_001);
    expect((await take({ held: idsOf(claimed) })).nextMs).toBeWithin(40_000, 50_001);
  });

  test("is the end of a pause for what is due already, and never while there is no end", async () => {
    await events(apps.a, 2);
    await db`update apps set paused_at = now(), paused_until = now() + interval '20 seconds' where id = ${apps.a}`;
    const paused = await take();
    expect([paused.deliveries.length, paused.crowded]).toEqual([0, []]);
    expect(paused.nextMs).toBeWithin(10_000, 20_001);
    await db`update apps set paused_until = null where id = ${apps.a}`;
    expect((await take()).nextMs).toBeNull();
  });
});

describe("events of one key", () => {
  const blocked = async (): Promise<number> => (await db`select from outbox where blocked`).length;

  test("are claimed one after the other, and those that wait are looked at once", async () => {
    const ids = await events(apps.a, 5, { key: "k" });
    const first = await take();
    expect([idsOf(first), idsBehind(first).toSorted()]).toEqual([[ids[0] ?? ""], ids.slice(1).toSorted()]);
    const nothing = await take();
    expect([nothing.deliveries, nothing.blocked, nothing.crowded]).toEqual([[], [], []]);
    for (const next of ids.slice(1)) {
      await complete(db, (await db`select * from outbox where claimed_by is not null`) as never);
      expect(idsOf(await take())).toEqual([next]);
    }
  });

  test("are not held up by what is behind another key, in front of them", async () => {
    await events(apps.a, 1, { key: "slow", dueInSeconds: 60 });
    await events(apps.a, 300, { key: "slow" });
    const [behind] = await events(apps.a, 1);
    let claimed = await take();
    for (let looks = 0; claimed.blocked.length > 0 && claimed.deliveries.length === 0; looks++) {
      expect(looks).toBeLessThan(8);
      claimed = await take();
    }
    expect(idsOf(claimed)).toEqual([behind ?? ""]);
    expect(await blocked()).toBe(300);
  });

  test("go on however the one before has ended", async () => {
    const ids = await events(apps.a, 3, { key: "k" });
    const { deliveries } = await take();
    await bury(db, deliveries[0] ?? ({} as never), "It failed.");
    expect(idsOf(await take())).toEqual([ids[1] ?? ""]);
    await db`delete from outbox where id = ${ids[1] ?? ""}`;
    expect(idsOf(await take())).toEqual([ids[2] ?? ""]);
    expect(await blocked()).toBe(0);
  });

  describe("when one was begun before an older one was committed", () => {
    let older: string;
    let begun: Claimed;
    beforeEach(async () => {
      await db.begin(async (sql) => {
        [older = ""] = await events(apps.a, 1, { key: "k", of: sql as never });
        await events(apps.a, 1, { key: "k" });
        begun = await take();
      });
      expect(idsOf(begun)).toHaveLength(1);
      expect(idsOf(begun)).not.toContain(older);
      const meanwhile = await take();
      expect([meanwhile.deliveries, idsBehind(meanwhile)]).toEqual([[], [older]]);
    });

    test("the older one comes after its end", async () => {
      await complete(db, begun.deliveries);
      expect(idsOf(await take())).toEqual([older]);
    });

    test("the older one comes when it failed, and it comes again after that", async () => {
      const [delivery] = begun.deliveries;
      if (delivery === undefined) throw new Error("nothing was claimed");
      await postpone(db, delivery, 0, "It failed.");
      const next = await take();
      expect(idsOf(next)).toEqual([older]);
      await complete(db, next.deliveries);
      expect(idsOf(await take())).toEqual([delivery.id]);
    });

    test("it is claimed again when its lease has ended", async () => {
      await db`update outbox set due_at = now() where claimed_by is not null`;
      expect(idsOf(await take())).toEqual(idsOf(begun));
    });
  });

  test("are free again when the one before ends while they are being marked", async () => {
    const [first] = await events(apps.a, 3, { key: "k" });
    await take();
    await db`update outbox set blocked = false`;
    let ended: Promise<unknown> = Promise.resolve();
    await db.begin(async (sql) => {
      expect((await take({}, sql)).blocked).toHaveLength(2);
      // Waits for the mark to be committed, and takes it off.
      ended = db`delete from outbox where id = ${first ?? ""}`.execute();
      await Bun.sleep(200);
    });
    await ended;
    expect(await blocked()).toBe(1);
    // And where the mark was made for one that had gone just then.
    await db`update outbox set blocked = true`;
    expect(await unblock(db, (await db`select app_id, id from outbox`) as never)).toBe(1);
    expect((await take()).deliveries).toHaveLength(1);
  });

  test("leave nothing marked behind when a trigger's events are dropped", async () => {
    await events(apps.a, 200, { key: "k" });
    await events(apps.a, 200, { key: "l" });
    await take();
    await db`delete from outbox where trigger_id = ${triggerId}`;
    expect(await blocked()).toBe(0);
    await events(apps.a, 1, { key: "k" });
    expect((await take()).deliveries).toHaveLength(1);
  });
});

describe("a full outbox", () => {
  test("is never read whole, though the plans were made when it was empty", async () => {
    const own = connect(database.target, { max: 1, applicationName: "picloud-test", keepsPlans: true });
    const reads = async (): Promise<readonly unknown[]> => {
      await own`select pg_stat_force_next_flush()`;
      const [row] = await own`select seq_scan, seq_tup_read from pg_stat_all_tables where relname = 'outbox'`;
      return [row?.["seq_scan"], row?.["seq_tup_read"]];
    };
    try {
      // After some times a plan is kept.
      for (let times = 0; times < 12; times++) {
        await events(apps.a, 1);
        await complete(own, (await take({}, own)).deliveries);
      }
      await events(apps.a, 50_000);
      await events(apps.b, 25_000, { dueInSeconds: 3600 });
      await events(apps.b, 25_000, { key: "k" });
      const before = await reads();
      for (let times = 0; times < 3; times++) {
        const { deliveries, blocked } = await take({}, own);
        expect(deliveries).toHaveLength(8);
        await unblock(own, blocked);
        await complete(own, deliveries);
      }
      expect(await reads()).toEqual(before);
      await own`analyze outbox`;
      const analyzed = await reads();
      for (let times = 0; times < 8; times++) await complete(own, (await take({}, own)).deliveries);
      expect(await reads()).toEqual(analyzed);
    } finally {
      await own.end({ timeout: 1 });
    }
  });

  test("of one key costs no more than its next rows, whatever is known of it", async () => {
    const own = connect(database.target, { max: 1, applicationName: "picloud-test", keepsPlans: true });
    const fetched = async (): Promise<number> => {
      await own`select pg_stat_force_next_flush()`;
      const [row] =
        await own`select idx_tup_fetch::int as rows from pg_stat_all_tables where relname = 'outbox'`;
      return Number(row?.["rows"]);
    };
    try {
      await events(apps.a, 20_000, { key: "k" });
      await own`analyze outbox`;
      const unmarked = await fetched();
      for (let times = 0; times < 3; times++) await unblock(own, (await take({}, own)).blocked);
      expect((await fetched()) - unmarked).toBeLessThan(2000);
      await own`update outbox set blocked = true where claimed_by is null`;
      await own`vacuum analyze outbox`;
      const before = await fetched();
      for (let times = 0; times < 10; times++) {
        await complete(own, (await own`select * from outbox where claimed_by is not null`) as never);
        expect((await take({}, own)).deliveries).toHaveLength(1);
      }
      expect((await fetched()) - before).toBeLessThan(1000);
    } finally {
      await own.end({ timeout: 1 });
    }
  });
});
