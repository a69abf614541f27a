import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  createIndexBuilder,
  insertDoc,
  listIndexes,
  requestDrop,
  requestIndex,
} from "../../../src/services/docs/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { waitFor } from "../../support/wait.ts";
import { seed } from "../seed.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let place: { readonly appId: string; readonly collection: string };
beforeAll(async () => {
  database = await testDatabase();
  place = { appId: await seed(database.db).app("indexed"), collection: "c" };
});
afterAll(() => database.drop());

const states = async (): Promise<string> =>
  (await listIndexes(database.db, place)).map(({ state }) => state).join();

test("an index is built when it is asked for, one that a process left when it starts, and dropped later", async () => {
  const { db } = database;
  for (let i = 0; i < 10; i++) await insertDoc(db, place, newId(), JSON.stringify({ a: i, b: i }));
  await requestIndex(db, place, ["a"], false);
  const builder = createIndexBuilder(db);
  builder.start();
  await waitFor("it is so", async () => (await states()) === "ready");
  await requestIndex(db, place, ["b"], false);
  builder.changed();
  await waitFor("it is so", async () => (await states()) === "ready,ready");
  expect(await db`select from doc_index_entries`).toHaveLength(20);
  await requestDrop(db, place, ["a"]);
  await db`update doc_indexes set changed_at = now() - interval '11 seconds' where state = 'dropping'`;
  builder.changed();
  await waitFor("it is so", async () => (await db`select from doc_indexes`).length === 1);
  expect(await db`select from doc_index_entries`).toHaveLength(10);
  await builder.stop();
});

test("a value that an earlier, failed attempt left is put right", async () => {
  const { db } = database;
  const id = newId();
  await insertDoc(db, place, id, '{"c": "new"}');
  await db`
    insert into doc_index_entries (app_id, collection, path, doc_id, value, is_unique)
    values (${place.appId}, ${place.collection}, ${["c"]}::text[], ${id}, '"stale"', false)`;
  await requestIndex(db, place, ["c"], true);
  const builder = createIndexBuilder(db);
  builder.start();
  await waitFor("it is so", async () => (await states()) === "ready,ready");
  const [entry] =
    await db`select value, is_unique from doc_index_entries where doc_id = ${id} and path = ${["c"]}::text[]`;
  expect(entry).toEqual({ value: "new", is_unique: true });
  await builder.stop();
});
