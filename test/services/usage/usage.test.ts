import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { connect, type Database, type Queryable } from "../../../src/database/client.ts";
import { toAppError } from "../../../src/database/errors.ts";
import * as docs from "../../../src/services/docs/index.ts";
import * as kv from "../../../src/services/kv/index.ts";
import { appUsage, deleteEmptyUsage, inBulk, listUsage } from "../../../src/services/usage/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

let database: TestDatabase;
let db: Database;
const others: Database[] = [];
beforeAll(async () => {
  database = await testDatabase();
  db = database.db;
}, 60_000);
afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.end()));
});
afterAll(() => database?.drop(), 60_000);

let apps = 0;
const newApp = (): Promise<string> => seed(db).app(`usage-${++apps}`);
const connection = (): Database => {
  const other = connect(database.target, { max: 1, applicationName: "picloud-test" });
  others.push(other);
  return other;
};
const setQuota = (app: string, bytes: number) =>
  db`update apps set settings = ${db.json({ quota_bytes: bytes })} where id = ${app}`;
const set = (sql: Queryable, app: string, key: string, value: string, collection = "c") =>
  kv.setValue(sql, { appId: app, collection, key }, value, null);

/** What is there, counted. */
const truth = async (app: string) => {
  const rows = await db`
    select 'kv' as kind, collection, count(*)::integer as entries,
      sum(100 + octet_length(collection) + octet_length(key) + octet_length(value::text))::bigint as bytes
    from kv_entries where app_id = ${app} group by collection
    union all
    select 'docs', collection, count(*)::integer, sum(100 + octet_length(collection) + octet_length(data::text))::bigint
    from docs where app_id = ${app} group by collection
    order by 1, 2`;
  return rows.map(({ kind, collection, entries, bytes }) => ({ kind, collection, entries, bytes }));
};
const counted = async (app: string) => {
  const all: object[] = [];
  for (const kind of ["docs", "kv"] as const) {
    const rows = await listUsage(db, app, kind, { after: null, limit: 1000 });
    for (const row of rows) all.push({ kind, ...row });
  }
  return all;
};

test("a new value, a larger one, the same again and a delete are counted", async () => {
  const app = await newApp();
  await set(db, app, "key", '"abc"');
  expect(await counted(app)).toEqual([{ kind: "kv", collection: "c", entries: 1, bytes: 100 + 1 + 3 + 5 }]);
  await set(db, app, "key", '"abcdef"');
  await set(db, app, "key", '"ABCDEF"');
  expect(await counted(app)).toEqual([{ kind: "kv", collection: "c", entries: 1, bytes: 112 }]);
  await kv.deleteKey(db, { appId: app, collection: "c", key: "key" });
  expect(await counted(app)).toEqual([]);
  expect(await appUsage(db, app)).toEqual({
    kv: { collections: 0, entries: 0, bytes: 0 },
    docs: { collections: 0, entries: 0, bytes: 0 },
  });
});

test("after any operations over several connections the counters are the truth", async () => {
  const app = await newApp();
  const connections = [connection(), connection(), connection()];
  const ids = Array.from({ length: 4 }, newId);
  const operation = fc.record({
    by: fc.nat(2),
    what: fc.constantFrom(
      "set",
      "setIf",
      "incr",
      "delete",
      "insert",
      "replace",
      "merge",
      "remove",
      "rollback",
      "bulk",
      "expire",
    ),
    collection: fc.constantFrom("a", "b", "ü"),
    n: fc.nat(3),
    size: fc.nat(50),
  });
  const apply = async ({
    by,
    what,
    collection,
    n,
    size,
  }: {
    by: number;
    what: string;
    collection: string;
    n: number;
    size: number;
  }) => {
    const sql = connections[by] ?? db;
    const place = { appId: app, collection, key: `k${n}` };
    const of = { appId: app, collection };
    const id = ids[n] ?? newId();
    const data = JSON.stringify({ [`f${n}`]: "x".repeat(size) });
    if (what === "set") await kv.setValue(sql, place, data, size === 7 ? 1000 : null);
    if (what === "setIf") await kv.setIfAbsent(sql, place, data, null);
    if (what === "incr") await kv.addTo(sql, { ...place, key: "counter" }, 10n ** BigInt(n));
    if (what === "delete") await kv.deleteKey(sql, place);
    if (what === "insert") await docs.insertDoc(sql, of, newId(), data);
    if (what === "replace" && !(await docs.replaceDoc(sql, of, id, data)))
      await docs.insertDoc(sql, of, id, data);
    if (what === "merge") await docs.mergeDoc(sql, of, id, data, docs.MAX_DOC_BYTES);
    if (what === "remove") await docs.deleteDoc(sql, of, id);
    if (what === "expire") {
      await sql`update kv_entries set expires_at = now() - interval '1 second' where app_id = ${app} and key = ${place.key}`;
      await kv.deleteExpired(sql, 2);
    }
    if (what === "rollback")
      await sql
        .begin(async (inner) => {
          await kv.setValue(inner, place, data, null);
          throw new Error("taken back");
        })
        .catch(() => {});
    if (what === "bulk")
      await sql.begin((inner) =>
        inBulk(inner, async () => {
          for (const to of ["a", "b", "a"])
            await kv.writeEntries(
              inner,
              { appId: app, collection: to },
              Array.from({ length: size }, (_, key) => ({
                key: `b${key}`,
                value: data,
                expires_at: null,
                created_at: null,
                updated_at: null,
              })),
            );
          await docs.deleteDoc(inner, of, id);
        }),
      );
  };
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
      await Promise.all(
        [0, 1, 2].map(async (by) => {
          for (const one of operations) if (one.by === by) await apply(one);
        }),
      );
      expect(await counted(app)).toEqual(await truth(app));
    }),
    { numRuns: 30, seed: 11 },
  );
}, 60_000);

test("each connection has counters of its own, also after a rollback", async () => {
  const app = await newApp();
  const [one, two] = [connection(), connection()];
  await one.begin(async (held) => {
    await set(held, app, "1", "1");
    // It would wait for the transaction else, which ends only afterwards.
    await set(two, app, "2", "2");
    await set(two, app, "3", "3");
  });
  await two
    .begin(async (sql) => {
      await set(sql, app, "4", "4");
      throw new Error("taken back");
    })
    .catch(() => {});
  await set(two, app, "5", "5");
  expect(await counted(app)).toEqual(await truth(app));
  const [row] = await db<
    { rows: number }[]
  >`select count(*)::integer as rows from data_usage where app_id = ${app}`;
  expect(row?.rows).toBe(2);
});

test("serializable transactions on other keys of a collection do not fail for its counters", async () => {
  const app = await newApp();
  const connections = [connection(), connection(), connection(), connection()];
  for (const [n, sql] of connections.entries()) await set(sql, app, `first-${n}`, "1");
  // Each has begun, and seen its state of the data, before the others commit.
  await Promise.all(
    connections.map((one, n) =>
      one.begin("isolation level serializable", async (sql) => {
        for (let round = 0; round < 20; round++)
          await set(sql, app, `k${n}-${round}`, JSON.stringify("x".repeat(round)));
      }),
    ),
  );
  expect(await counted(app)).toEqual(await truth(app));
});

test("a deleted app leaves nothing, and others as they are", async () => {
  const [gone, stays] = [await newApp(), await newApp()];
  for (const app of [gone, stays]) {
    await set(db, app, "k", "1");
    await docs.insertDoc(db, { appId: app, collection: "d" }, newId(), '{"a":1}');
  }
  const also = await newApp();
  await set(db, also, "k", "1");
  await connection()`delete from apps where id in (${gone}, ${also})`;
  expect(await db`select 1 from data_usage where app_id = ${also}`).toHaveLength(0);
  expect(await db`select 1 from data_usage where app_id = ${gone}`).toHaveLength(0);
  expect(await counted(stays)).toEqual(await truth(stays));
});

test("counters of empty collections are swept, and nothing else", async () => {
  const app = await newApp();
  const [one, two] = [connection(), connection()];
  await set(one, app, "k", "1", "empty");
  await kv.deleteKey(two, { appId: app, collection: "empty", key: "k" });
  await set(one, app, "k", "1", "busy");
  await kv.deleteKey(two, { appId: app, collection: "busy", key: "k" });
  await set(one, app, "k", "1", "full");
  await one.begin(async (sql) => {
    // Somebody writes to it at this moment.
    await set(sql, app, "later", "1", "busy");
    while ((await deleteEmptyUsage(db, 10)) > 0);
  });
  const left = await db`select distinct collection from data_usage where app_id = ${app} order by 1`;
  expect(left.map(({ collection }) => collection as string)).toEqual(["busy", "full"]);
  expect(await counted(app)).toEqual(await truth(app));
  await set(two, app, "again", "1", "empty");
  expect(await counted(app)).toEqual(await truth(app));
});

test("listing collections reads counters, not a million entries", async () => {
  const app = await newApp();
  await db.begin((sql) =>
    inBulk(
      sql,
      () => sql`insert into kv_entries (app_id, collection, key, value)
      select ${app}, 'many', 'k' || n, '1' from generate_series(1, 20000) n`,
    ),
  );
  expect(await listUsage(db, app, "kv", { after: null, limit: 10 })).toMatchObject([
    { collection: "many", entries: 20_000 },
  ]);
  const [row] = await db<
    { rows: number }[]
  >`select count(*)::integer as rows from data_usage where app_id = ${app}`;
  expect(row?.rows).toBe(1);
});

describe("a quota", () => {
  // A key of one character with a value of five bytes.
  const ENTRY = 100 + 1 + 1 + 5;
  const refused = async (work: Promise<unknown>) => {
    const error = toAppError(
      await work.then(
        () => null,
        (thrown: unknown) => thrown,
      ),
    );
    expect(error).toMatchObject({ status: 507, code: "quota_exceeded" });
    return error;
  };

  test("may be filled to the last byte, and not by one more", async () => {
    const app = await newApp();
    await setQuota(app, 2 * ENTRY);
    await set(db, app, "1", '"abc"');
    await set(db, app, "2", '"abc"');
    const error = await refused(set(db, app, "2", '"abcd"'));
    expect(error?.message).toBe(`the app's data would be larger than its quota of ${2 * ENTRY} bytes`);
    expect(error?.details).toEqual({ quota_bytes: 2 * ENTRY });
    await refused(docs.insertDoc(db, { appId: app, collection: "d" }, newId(), "{}"));
    await refused(kv.addTo(db, { appId: app, collection: "c", key: "n" }, 1n));
    expect(await counted(app)).toEqual(await truth(app));
  });

  test("counts all collections of all kinds", async () => {
    const app = await newApp();
    await setQuota(app, 2 * ENTRY);
    await set(db, app, "1", '"abc"', "a");
    await docs.insertDoc(db, { appId: app, collection: "d" }, newId(), "{}");
    await refused(set(db, app, "1", '"abc"', "b"));
  });

  test("that is lower than what is there lets data shrink, stay and go", async () => {
    const app = await newApp();
    await set(db, app, "1", '"abc"');
    await set(db, app, "2", '"abc"');
    await setQuota(app, 10);
    await set(db, app, "1", '"xyz"');
    await set(db, app, "1", "1");
    await refused(set(db, app, "1", "12"));
    await kv.deleteKey(db, { appId: app, collection: "c", key: "1" });
    await refused(set(db, app, "1", "1"));
  });

  test("of nothing at all lets nothing in; none lets everything in", async () => {
    const app = await newApp();
    await setQuota(app, 0);
    await refused(set(db, app, "1", "1"));
    await db`update apps set settings = '{}' where id = ${app}`;
    await set(db, app, "1", "1");
  });

  test("of one app is nobody else's", async () => {
    const [full, free] = [await newApp(), await newApp()];
    await setQuota(full, 0);
    await set(db, free, "1", "1");
    await refused(set(db, full, "1", "1"));
  });

  test("holds in bulk too, and takes all of it back", async () => {
    const app = await newApp();
    await setQuota(app, 50 * ENTRY);
    const write = (count: number) =>
      db.begin((sql) =>
        inBulk(sql, () =>
          kv.writeEntries(
            sql,
            { appId: app, collection: "c" },
            Array.from({ length: count }, (_, n) => ({
              key: String.fromCodePoint(0x30 + n),
              value: '"abc"',
              expires_at: null,
              created_at: null,
              updated_at: null,
            })),
          ),
        ),
      );
    await refused(write(51));
    expect(await counted(app)).toEqual([]);
    await write(50);
    expect(await counted(app)).toEqual(await truth(app));
  });

  test("may be passed by what transactions that are under way add, once each", async () => {
    const app = await newApp();
    await setQuota(app, ENTRY);
    const [one, two] = [connection(), connection()];
    await one.begin(async (held) => {
      await set(held, app, "1", '"abc"');
      await set(two, app, "2", '"abc"');
    });
    expect(await counted(app)).toMatchObject([{ entries: 2 }]);
    await refused(set(one, app, "3", '"abc"'));
  });
});
