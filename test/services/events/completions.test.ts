import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Database } from "../../../src/database/client.ts";
import { createCompletions } from "../../../src/services/events/index.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let appId: string;
let statements = 0;
/** Counts statements; one named to fail does. */
let fails = false;
const counted = ((strings: TemplateStringsArray, ...values: unknown[]) => {
  statements++;
  return fails
    ? Promise.reject(new Error("the database is away"))
    : database.db(strings, ...(values as never[]));
}) as unknown as Database;

beforeAll(async () => {
  database = await testDatabase();
  appId = await seed(database.db).app("default");
});
afterAll(() => database.drop());
beforeEach(() => {
  statements = 0;
  fails = false;
});

/** Claimed for the second time. */
async function claimed(count: number): Promise<{ app_id: string; id: string; attempt_count: number }[]> {
  const rows = await database.db<{ app_id: string; id: string; attempt_count: number }[]>`
    insert into outbox (app_id, id, source_kind, op, script_id, payload, trigger_depth, root_execution_id,
      retry_max_attempts, retry_backoff, retry_base_ms, attempt_count)
    select ${appId}, gen_random_uuid(), 'kv', 'insert', gen_random_uuid(), '{}', 1, gen_random_uuid(), 3, 'constant', 10, 2
    from generate_series(1, ${count}::int) returning app_id, id, attempt_count`;
  return [...rows];
}
const left = async () => (await database.db`select from outbox`).length;

test("those that end together share a statement, and one alone does not wait", async () => {
  const completions = createCompletions(counted);
  const [first, ...others] = await claimed(41);
  if (first === undefined) throw new Error("nothing was written");
  const alone = completions.complete(first);
  await Bun.sleep(0);
  const together = others.map((delivery) => completions.complete(delivery));
  await Promise.all([alone, ...together]);
  expect([statements, await left()]).toEqual([2, 0]);
});

test("an attempt that is not the row's any more ends nothing", async () => {
  const completions = createCompletions(counted);
  const [one, other] = await claimed(2);
  if (one === undefined || other === undefined) throw new Error("nothing was written");
  await Promise.all([completions.complete({ ...one, attempt_count: 1 }), completions.complete(other)]);
  expect(await left()).toBe(1);
  await completions.complete(one);
  expect(await left()).toBe(0);
});

test("when a statement fails everybody of it is told, and those after it are not lost", async () => {
  const completions = createCompletions(counted);
  const [first, ...others] = await claimed(3);
  if (first === undefined) throw new Error("nothing was written");
  fails = true;
  const failed = completions.complete(first).catch(String);
  await Bun.sleep(0);
  fails = false;
  const later = others.map((delivery) => completions.complete(delivery));
  expect(await failed).toContain("the database is away");
  await Promise.all(later);
  expect(await left()).toBe(1);
  await completions.complete(first);
  expect(await left()).toBe(0);
});
