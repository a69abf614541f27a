import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createExpiry, setValue } from "../../../src/services/kv/index.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { statementsBegun } from "../../support/quiet.ts";
import { waitFor } from "../../support/wait.ts";
import { seed } from "../seed.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let appId: string;
beforeAll(async () => {
  database = await testDatabase();
  appId = await seed(database.db).app("lives");
});
afterAll(() => database.drop());

const place = (key: string) => ({ appId, collection: "c", key });
const keys = async (): Promise<string[]> =>
  (await database.db<{ key: string }[]>`select key from kv_entries order by key`).map(({ key }) => key);

test("entries are removed when their life ends, those that an earlier process left too", async () => {
  const { db } = database;
  await setValue(db, place("left"), "1", 1);
  await setValue(db, place("stays"), "1", null);
  const expiry = createExpiry(db, systemClock);
  await expiry.start();
  await setValue(db, place("new"), "1", 2);
  expiry.expires(Date.now() + 2000);
  await setValue(db, place("late"), "1", 3600);
  expiry.expires(Date.now() + 3_600_000);
  await waitFor("it is so", async () => (await keys()).join() === "late,new,stays");
  await waitFor("it is so", async () => (await keys()).join() === "late,stays");
  await expiry.stop();
});

test("asks nothing while nothing is due", async () => {
  const { db } = database;
  const expiry = createExpiry(db, systemClock);
  await expiry.start();
  await Bun.sleep(1500);
  expect(await statementsBegun(db, 1400)).toEqual([]);
  await expiry.stop();
});
