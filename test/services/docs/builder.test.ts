import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  createIndexBuilder,
  insertDoc,
  listIndexes,
  replaceDoc,
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

const entriesOf = (field: string) => database.db<{ doc_id: string; value: unknown; is_unique: boolean }[]>`
  select e.doc_id, e.value, e.is_unique from doc_index_entries e join doc_indexes i on (i.app_id, i.id) = (e.app_id, e.index_id)
  where i.path = ${[field]}::text[] order by e.value, e.doc_id`;

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

test("what a failed attempt entered is removed, and nothing of it is in the next one", async () => {
  const { db } = database;
  const ids = [newId(), newId()];
  for (const id of ids) await insertDoc(db, place, id, '{"c": "same"}');
  await requestIndex(db, place, ["c"], true);
  const builder = createIndexBuilder(db);
  builder.start();
  await waitFor("it has failed", async () => (await states()) === "ready,failed");
  expect(await entriesOf("c")).toHaveLength(0);
  await replaceDoc(db, place, ids[1] ?? "", '{"c": "other"}');
  await requestIndex(db, place, ["c"], true);
  builder.changed();
  await waitFor("it is ready", async () => (await states()) === "ready,ready");
  const entries = await entriesOf("c");
  expect(entries.filter(({ value }) => value !== null)).toEqual([
    { doc_id: ids[1] ?? "", value: "other", is_unique: true },
    { doc_id: ids[0] ?? "", value: "same", is_unique: true },
  ]);
  expect(entries.filter(({ value }) => value === null)).toHaveLength(10);
  await builder.stop();
});
