import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { RunOutcome } from "../../src/executor/index.ts";
import { newId } from "../../src/shared/ids.ts";
import { seed } from "../services/seed.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { commitCutter, type CommitCutter } from "./support/commit-cutter.ts";
import { startExecutor, type Runs } from "./support/runs.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let cutter: CommitCutter;
let runs: Runs;
let app = "";

beforeAll(async () => {
  database = await testDatabase();
  cutter = await commitCutter(database.target);
  runs = startExecutor({ database: cutter.target });
  app = await seed(database.db).app("whole");
});

afterAll(async () => {
  await runs.executor.stop(0);
  cutter.stop();
  await database.drop();
});

/** Runs a script for an event that is claimed, and tells what is left. */
async function run(
  source: string,
  claim: { readonly attempt?: number; readonly claimed?: boolean } = {},
): Promise<{ readonly outcome: RunOutcome; readonly isWaiting: boolean; readonly n: unknown }> {
  const { db } = database;
  const id = newId();
  const script = await seed(db).script(app, `for-${id}`, source);
  await db`
    insert into outbox (app_id, id, source_kind, op, script_id, payload, trigger_depth, root_execution_id, attempt_count,
      retry_max_attempts, retry_backoff, retry_base_ms, transactional, claimed_by, due_at)
    values (${app}, ${id}, 'kv', 'insert', ${script}, '{}', 1, ${id}, 1, 3, 'constant', 1, true,
      ${claim.claimed === false ? null : newId()}, now() + interval '1 minute')`;
  const outcome = await runs.run(source, { app, delivery: { id, attempt: claim.attempt ?? 1 } });
  const [entry] = await db<{ value: unknown }[]>`
    delete from kv_entries where app_id = ${app} and collection = 'c' and key = 'n' returning value`;
  const waiting = await db`delete from outbox where id = ${id} returning 1`;
  return { outcome, isWaiting: waiting.length > 0, n: entry?.value ?? null };
}

const INCREMENT = 'kv::collection("c").incr("n")';

test("a run ends its event with what it writes", async () => {
  const { outcome, isWaiting, n } = await run(INCREMENT);
  expect([outcome.status, outcome.delivery, isWaiting, n]).toEqual(["success", "acknowledged", false, 1]);
  expect(outcome.response?.body).toBe("1");
});

test("a run for an event that others have does nothing", async () => {
  for (const claim of [{ attempt: 2 }, { claimed: false }]) {
    const { outcome, isWaiting, n } = await run(INCREMENT, claim);
    expect([outcome.status, outcome.delivery, isWaiting, n]).toEqual(["error", "lost", true, null]);
  }
});

test("a run that calls no service leaves its event to who asked for it", async () => {
  const { outcome, isWaiting } = await run("40 + 2");
  expect([outcome.status, outcome.delivery, isWaiting]).toEqual(["success", undefined, true]);
});

test("a run whose commit was not answered finds out that it has happened", async () => {
  cutter.cut = "answer";
  const before = cutter.cuts();
  const { outcome, isWaiting, n } = await run(INCREMENT);
  expect(cutter.cuts()).toBe(before + 1);
  expect([outcome.status, outcome.delivery, isWaiting, n]).toEqual(["success", "acknowledged", false, 1]);
  expect(outcome.response?.body).toBe("1");
});

test("a run whose commit never arrived finds out that nothing has happened", async () => {
  cutter.cut = "commit";
  const before = cutter.cuts();
  const { outcome, isWaiting, n } = await run(INCREMENT);
  expect(cutter.cuts()).toBe(before + 1);
  expect([outcome.status, outcome.delivery, isWaiting, n]).toEqual(["error", undefined, true, null]);
  expect(outcome.error?.message).toContain("A call failed, so nothing of what the run did was kept");
  expect((await run(INCREMENT)).outcome.status).toBe("success");
});

test("thirty runs at once wait for one another, and none for a connection that another one has", async () => {
  const slow = `let x = 0; while x < 300000 { x += 1 } kv::collection("many").incr("k" + ctx.execution_id); 1`;
  const all = await Promise.all(Array.from({ length: 30 }, () => run(slow)));
  expect(all.map(({ outcome }) => outcome.error?.message)).toEqual(all.map(() => undefined));
  expect(all.every(({ isWaiting }) => !isWaiting)).toBe(true);
});
