import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Database } from "../../../src/database/client.ts";
import { MIGRATIONS } from "../../../src/database/migrations/index.ts";
import { migrate } from "../../../src/database/migrator.ts";
import {
  deleteDoc,
  finishIndexes,
  insertDoc,
  listIndexes,
  replaceDoc,
  requestDrop,
  requestIndex,
} from "../../../src/services/docs/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { emptyDatabase, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { waitFor } from "../../support/wait.ts";
import { seed } from "../seed.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let db: Database;
let place: { readonly appId: string; readonly collection: string };
beforeAll(async () => {
  database = await testDatabase();
  db = database.db;
});
afterAll(() => database.drop());

let collections = 0;
beforeEach(async () => {
  const name = `c${++collections}`;
  place = { appId: await seed(db).app(name), collection: name };
});

const fill = (documents: number) => db`
  insert into docs (app_id, collection, id, data)
  select ${place.appId}, ${place.collection}, uuidv7(), jsonb_build_object('n', i, 's', 's' || i)
  from generate_series(1, ${documents}) i`;

const create = async (data: unknown): Promise<string> => {
  const id = newId();
  await insertDoc(db, place, id, JSON.stringify(data));
  return id;
};

const indexes = async (): Promise<string> =>
  (await listIndexes(db, place)).map(({ path, state }) => `${path.join(".")} ${state}`).join();

/** Entries that should be there and are not, and those that are there and should not be. */
const differences = () => db<{ doc_id: string; value: unknown; what: string }[]>`
  with wanted as (
    select i.id as index_id, d.id as doc_id, doc_key(d.data, i.path) as value
    from docs d join doc_indexes i using (app_id, collection) where app_id = ${place.appId}
  ), present as (
    select index_id, doc_id, value, is_gone from doc_index_entries where app_id = ${place.appId}
  )
  select doc_id, value, 'missing' as what from wanted
    where not exists (select from present p where (p.index_id, p.doc_id, p.value) = (wanted.index_id, wanted.doc_id, wanted.value))
  union all
  select doc_id, value, case when is_gone then 'mark' else 'stale' end from present
    where is_gone or (index_id, doc_id, value) not in (select index_id, doc_id, value from wanted)`;

/** Begins a transaction and returns when its first statement has been answered. */
async function open(mode: string, first: (sql: Database) => Promise<unknown>) {
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
  const done = db.begin(mode, async (sql) => {
    await first(sql as unknown as Database);
    onBegun();
    await end;
  });
  await begun;
  return {
    end: async () => {
      resolve();
      await done;
    },
  };
}

describe("an index that is being built", () => {
  test("has every document as it is in the end, whatever was created, changed and deleted meanwhile", async () => {
    await fill(4000);
    const ids = (await db<{ id: string }[]>`select id from docs where app_id = ${place.appId}`).map(
      ({ id }) => id,
    );
    await requestIndex(db, place, ["n"], false);
    await requestIndex(db, place, ["s"], true);
    let building = true;
    const write = async (first: number): Promise<void> => {
      for (let i = first; building; i += 3) {
        const id = ids[(i * 7919) % ids.length] ?? "";
        if (i % 5 === 0) await deleteDoc(db, place, id);
        else if (i % 5 === 1) await create({ n: i, s: `new ${i}` });
        else if (i % 5 === 2) await replaceDoc(db, place, id, JSON.stringify({ n: i % 50, s: `other ${i}` }));
        // There and back.
        else if (i % 5 === 3)
          await db`update docs set data = data || '{"n": -1}' where app_id = ${place.appId} and id = ${id}`;
        else await db`update docs set data = data || '{"m": 1}' where app_id = ${place.appId} and id = ${id}`;
      }
    };
    const writers = [write(0), write(1), write(2)];
    await finishIndexes(db);
    building = false;
    await Promise.all(writers);
    expect(await indexes()).toBe("n ready,s ready");
    expect(await differences()).toHaveLength(0);
  });

  test("keeps nobody from writing while it waits for a transaction", async () => {
    await fill(10);
    const writer = await open("", (sql) => insertDoc(sql, place, newId(), '{"n": 11}'));
    await requestIndex(db, place, ["n"], false);
    const built = finishIndexes(db);
    await Bun.sleep(100);
    expect(await indexes()).toBe("n building");
    await create({ n: 12 });
    await writer.end();
    await built;
    expect(await indexes()).toBe("n ready");
    expect(await differences()).toHaveLength(0);
  });

  test("is ready only when no transaction is left that cannot see it whole", async () => {
    await fill(10);
    const reader = await open("isolation level repeatable read", (sql) => sql`select from docs`);
    await requestIndex(db, place, ["n"], false);
    const built = finishIndexes(db);
    await Bun.sleep(100);
    expect(await indexes()).toBe("n building");
    await reader.end();
    await built;
    expect(await indexes()).toBe("n ready");
  });

  test("waits for a writer of one of its documents, and the writer does not wait for it in turn", async () => {
    await fill(5000);
    const ids = await db<{ id: string }[]>`select id from docs where app_id = ${place.appId} order by id`;
    await requestIndex(db, place, ["n"], false);
    let asked = 0;
    let written: Promise<unknown> | null = null;
    const write = () =>
      db.begin(async (sql) => {
        await replaceDoc(sql, place, ids[4999]?.id ?? "", '{"n": "last"}');
        await Bun.sleep(700);
        await replaceDoc(sql, place, ids[4000]?.id ?? "", '{"n": "one before"}');
        await replaceDoc(sql, place, ids[1]?.id ?? "", '{"n": "first"}');
      });
    await finishIndexes(db, () => {
      // Before the first documents are entered, when older transactions have been waited for.
      if (++asked === 2) written = write();
      return false;
    });
    await written;
    expect(await indexes()).toBe("n ready");
    expect(await differences()).toHaveLength(0);
  });

  test("knows of values that were taken away, though whoever builds it may have read them before", async () => {
    const changed = await create({ n: 1 });
    const deleted = await create({ n: 2 });
    const back = await create({ n: 3 });
    await requestIndex(db, place, ["n"], true);
    await replaceDoc(db, place, changed, '{"n": 10}');
    await deleteDoc(db, place, deleted);
    await create({ n: 2 });
    await replaceDoc(db, place, back, '{"n": 30}');
    await replaceDoc(db, place, back, '{"n": 3}');
    // As by a statement that began before all of that.
    await db`
      insert into doc_index_entries (app_id, index_id, value, doc_id, is_unique)
      select ${place.appId}, i.id, v.value, v.id, true from doc_indexes i,
        (values ('1'::jsonb, ${changed}::uuid), ('2', ${deleted}::uuid), ('3', ${back}::uuid)) v (value, id)
      where i.app_id = ${place.appId}
      on conflict (app_id, index_id, value, doc_id) do nothing`;
    await finishIndexes(db);
    expect(await indexes()).toBe("n ready");
    expect(await differences()).toHaveLength(0);
  });

  test("fails when two documents have the same value, and says so; nothing of it is left", async () => {
    await fill(3000);
    await create({ n: 2999 });
    await requestIndex(db, place, ["n"], true);
    await finishIndexes(db);
    const [index] = await listIndexes(db, place);
    expect(index).toMatchObject({ state: "failed", error: "two documents have the same value" });
    expect(await db`select from doc_index_entries where app_id = ${place.appId}`).toHaveLength(0);
  });

  test("fails when a value is too long, and says so", async () => {
    await create({ s: "x".repeat(1022) });
    await requestIndex(db, place, ["s"], false);
    await finishIndexes(db);
    expect(await indexes()).toBe("s ready");
    await requestDrop(db, place, ["s"]);
    await db`update doc_indexes set changed_at = now() - interval '11 seconds' where state = 'dropping'`;
    await finishIndexes(db);
    await create({ s: "x".repeat(1023) });
    await requestIndex(db, place, ["s"], false);
    await finishIndexes(db);
    const [index] = await listIndexes(db, place);
    expect(index).toMatchObject({
      state: "failed",
      error: "a document has a value of more than 1024 bytes",
    });
  });

  test("is gone on with by whoever comes after a process that ended", async () => {
    await fill(5000);
    await requestIndex(db, place, ["n"], false);
    let asked = 0;
    await finishIndexes(db, () => ++asked > 3);
    expect(await indexes()).toBe("n building");
    const present = await db`select from doc_index_entries where app_id = ${place.appId}`;
    expect(present.length).toBeGreaterThan(0);
    expect(present.length).toBeLessThan(5000);
    await finishIndexes(db);
    expect(await indexes()).toBe("n ready");
    expect(await differences()).toHaveLength(0);
  });

  test("may be built by two processes at once", async () => {
    await fill(3000);
    await requestIndex(db, place, ["n"], true);
    await Promise.all([finishIndexes(db), finishIndexes(db)]);
    expect(await indexes()).toBe("n ready");
    expect(await differences()).toHaveLength(0);
  });

  test("is given up when it is dropped meanwhile", async () => {
    await fill(5000);
    await requestIndex(db, place, ["n"], false);
    let asked = 0;
    let dropped: Promise<boolean> | null = null;
    await finishIndexes(db, () => {
      if (++asked === 3) dropped = requestDrop(db, place, ["n"]);
      return false;
    });
    expect(await (dropped ?? false)).toBe(true);
    expect(await indexes()).toBe("");
    await db`update doc_indexes set changed_at = now() - interval '11 seconds' where state = 'dropping'`;
    await finishIndexes(db);
    expect(await db`select from doc_index_entries where app_id = ${place.appId}`).toHaveLength(0);
    expect(await db`select from doc_indexes where app_id = ${place.appId}`).toHaveLength(0);
  });

  test("goes with its app", async () => {
    await fill(5000);
    await requestIndex(db, place, ["n"], false);
    await requestIndex(db, place, ["s"], false);
    const built = finishIndexes(db);
    await waitFor("some are entered", async () => {
      const rows = await db`select from doc_index_entries where app_id = ${place.appId} limit 1`;
      return rows.length > 0;
    });
    await db`delete from apps where id = ${place.appId}`;
    await built;
    expect(await db`select from doc_index_entries where app_id = ${place.appId}`).toHaveLength(0);
  });
});

test("the removal of a failed index, and of a dropped one, is gone on with after a process that ended", async () => {
  await fill(20);
  await requestIndex(db, place, ["n"], false);
  await requestIndex(db, place, ["s"], false);
  await finishIndexes(db);
  await db`update doc_indexes set state = 'removing', error = case when path = '{n}' then 'it failed' end where app_id = ${place.appId}`;
  expect(await indexes()).toBe("n failed");
  await finishIndexes(db);
  expect(await indexes()).toBe("n failed");
  expect(await db`select from doc_indexes where app_id = ${place.appId}`).toHaveLength(1);
  expect(await db`select from doc_index_entries where app_id = ${place.appId}`).toHaveLength(0);
});

test("indexes that were there before their entries had numbers have the same entries", async () => {
  const old = await emptyDatabase();
  try {
    await migrate(old.db, MIGRATIONS.slice(0, 4));
    const appId = await seed(old.db).app("old");
    await old.db`
      insert into doc_indexes (app_id, collection, path, is_unique, state)
      values (${appId}, 'c', '{n}', true, 'ready'), (${appId}, 'c', '{s}', false, 'ready')`;
    for (const data of [{ n: 1, s: "a" }, { n: 2, s: "a" }, { s: [1] }, {}])
      await insertDoc(old.db, { appId, collection: "c" }, newId(), JSON.stringify(data));
    await migrate(old.db);
    const entries = await old.db`
      select array_to_string(i.path, '.') as path, e.value, e.is_unique, e.is_gone
      from doc_index_entries e join doc_indexes i on (i.app_id, i.id) = (e.app_id, e.index_id)
      where e.app_id = ${appId} order by path, e.value, e.doc_id`;
    expect([...entries]).toEqual([
      { path: "n", value: null, is_unique: false, is_gone: false },
      { path: "n", value: null, is_unique: false, is_gone: false },
      { path: "n", value: 1, is_unique: true, is_gone: false },
      { path: "n", value: 2, is_unique: true, is_gone: false },
      { path: "s", value: [], is_unique: false, is_gone: false },
      { path: "s", value: null, is_unique: false, is_gone: false },
      { path: "s", value: "a", is_unique: false, is_gone: false },
      { path: "s", value: "a", is_unique: false, is_gone: false },
    ]);
  } finally {
    await old.drop();
  }
});
