import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { seed } from "../services/seed.ts";
import { atEnd } from "../support/at-end.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { startExecutor, type Runs } from "./support/runs.ts";

let database: TestDatabase;
let app: string;
let other: string;
const opened: Runs[] = [];

beforeAll(async () => {
  database = await testDatabase();
  atEnd(() => database.drop());
  const rows = seed(database.db);
  [app, other] = [await rows.app("mine"), await rows.app("other")];
});

afterEach(async () => {
  for (const runs of opened.splice(0)) await runs.executor.stop(0);
});

/** A single worker (beside those for checks, which nobody makes here). */
function oneWorker(): Runs {
  const runs = startExecutor({ maxConcurrent: -1, database: database.target });
  opened.push(runs);
  return runs;
}

/** Runs what is known as fast from then on, whatever it is told to do by the value under `mode`. */
const BY_MODE = `
  let key = kv::collection("c").get("mode");
  switch key {
    "loop" => { let i = 0; loop { i += 1; } }
    "stuck" => { let s = "x"; for i in 0..19 { s += s; } loop { s.replace("x", "y"); s.replace("y", "x"); } }
    "hoard" => { let a = []; loop { a.push([1.5, 2.5, 3.5]); } }
    _ => "done"
  }`;

/** Waits for as long as somebody else holds the key. */
const BUMP = 'kv::collection("c").incr("locked")';

async function makeFast(runs: Runs, source: string, options = {}): Promise<void> {
  await setMode("nothing");
  for (let i = 0; i < 5; i++) await runs.answer(source, { app, ...options });
}

const setMode = (mode: string) =>
  database.db`
  insert into kv_entries (app_id, collection, key, value) values (${app}, 'c', 'mode', ${mode}::text::jsonb)
  on conflict (app_id, collection, key) do update set value = excluded.value`.execute();

/** Holds the lock on a key until the answer is called. */
async function lockKey(): Promise<() => Promise<void>> {
  const locked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const done = database.db.begin(async (sql) => {
    await sql`select 1 from kv_entries where app_id = ${app} and collection = 'c' and key = 'locked' for update`;
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  return async () => {
    release.resolve();
    await done;
  };
}
