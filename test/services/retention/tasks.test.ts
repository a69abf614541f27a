import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "../../../src/database/client.ts";
import { retentionTasks, type Task } from "../../../src/services/retention/index.ts";
import { BATCH_ROWS, BATCH_SCRIPTS } from "../../../src/services/retention/tasks.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

let database: TestDatabase;
let app = "";
beforeAll(async () => {
  database = await testDatabase();
  app = await seed(database.db).app("app");
}, 60_000);
afterAll(() => database.drop());

const NOW = new Date("2030-06-15T12:00:00Z");
const LIMITS = { executionLogRetentionDays: 30, executionLogMaxPerScript: 100, deadLetterRetentionDays: 30 };

function task(name: string, limits = LIMITS): Task {
  const found = retentionTasks(limits).find((known) => known.name === name);
  if (found === undefined) throw new Error(`there is no task ${name}`);
  return found;
}

/** Does all pieces of a task. @returns how many there were */
async function sweep(swept: Task): Promise<number> {
  for (let pieces = 1; ; pieces++) if (!(await swept.sweep(database.db, NOW))) return pieces;
}

/** Runs of a script, one a second, the last one `newestAgo` (an interval of Postgres) before now. */
const runs = (appId: string, script: string, count: number, newestAgo: string) => database.db`
  insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind, status,
    status_code, duration_ms, created_at)
  select ${appId}, gen_random_uuid(), ${script}, 1, ${newId()}, ${newId()}, 'http', 'success', 200, 1,
    ${NOW}::timestamptz - ${newestAgo}::text::interval - n * interval '1 second'
  from generate_series(0, ${count - 1}::int) n`;

async function left(script: string): Promise<{ rows: number; oldest: Date | null }> {
  const [row] = await database.db<{ rows: number; oldest: Date | null }[]>`
    select count(*)::int as rows, min(created_at) as oldest from executions where script_id = ${script}`;
  return { rows: row?.rows ?? 0, oldest: row?.oldest ?? null };
}

test("runs beyond the newest so many of a script go, the oldest first; other scripts keep theirs", async () => {
  const rows = seed(database.db);
  const many = await rows.script(app, "many", "1");
  const exact = await rows.script(app, "exact", "1");
  const few = await rows.script(app, "few", "1");
  await runs(app, many, 2 * BATCH_ROWS + 250, "0");
  await runs(app, exact, 100, "0");
  await runs(app, few, 3, "0");
  // More scripts than are looked at in one piece.
  for (let i = 0; i < BATCH_SCRIPTS + 5; i++) await rows.script(app, `other-${i}`, "1");
  const last = await rows.script(app, "last", "1");
  await runs(app, last, 130, "0");
  expect(await sweep(task("executions"))).toBeGreaterThan(4);
  expect(await left(many)).toEqual({ rows: 100, oldest: new Date(NOW.getTime() - 99_000) });
  expect((await left(exact)).rows).toBe(100);
  expect((await left(few)).rows).toBe(3);
  expect(await left(last)).toEqual({ rows: 100, oldest: new Date(NOW.getTime() - 99_000) });
  // With nothing to do it looks once for old runs, and once at each group of scripts.
  expect(await sweep(task("executions"))).toBe(3);
});

test("runs older than so many days go; an app's own setting goes first", async () => {
  const rows = seed(database.db);
  const limits = {
    executionLogRetentionDays: 30,
    executionLogMaxPerScript: 1_000_000,
    deadLetterRetentionDays: 30,
  };
  const settings = {
    keeps: { log_retention_days: 60 },
    drops: { log_retention_days: 2 },
    none: { log_retention_days: null },
  };
  const scripts: Record<string, string> = {};
  for (const [name, own] of Object.entries(settings)) {
    const appId = await rows.app(`app-${name}`);
    await database.db`update apps set settings = ${database.db.json(own)} where id = ${appId}`;
    const script = await rows.script(appId, name, "1");
    scripts[name] = script;
    for (const ago of ["0", "1 day", "3 days", "31 days", "59 days", "61 days"])
      await runs(appId, script, 2, ago);
    if (name === "none") await runs(appId, script, BATCH_ROWS + 10, "40 days");
  }
  await sweep(task("executions", limits));
  const kept = async (name: string) => (await left(scripts[name] ?? "")).rows;
  expect([await kept("keeps"), await kept("drops"), await kept("none")]).toEqual([10, 4, 6]);
});

test("a sweep deletes at most one batch a piece", async () => {
  const script = await seed(database.db).script(app, "old", "1");
  await runs(app, script, BATCH_ROWS + 1, "90 days");
  expect(await task("executions").sweep(database.db, NOW)).toBe(true);
  expect((await left(script)).rows).toBe(1);
});

test("counts of dropped rows, ended logins, idempotency keys, dead letters and old changes go, newer ones stay", async () => {
  const { db } = database;
  const script = await seed(db).script(app, "dropped", "1");
  const user = newId();
  await db`insert into users (id, username, password_hash) values (${user}, 'u', 'x')`;
  const at = (hoursAgo: number) => new Date(NOW.getTime() - hoursAgo * 3_600_000);
  for (const [index, hours] of [-1, 1, 23, 25, 24 * 29, 24 * 31, 24 * 364, 24 * 366].entries()) {
    await db`insert into execution_drops (app_id, script_id, minute, dropped)
      values (${app}, ${script}, ${at(hours)}, 1)`;
    await db`insert into sessions (token_sha256, user_id, expires_at)
      values (${Buffer.alloc(32, index)}, ${user}, ${at(hours)})`;
    await db`insert into idempotency_keys (app_id, scope_id, key, request_sha256, execution_id, created_at)
      values (${app}, ${script}, ${`key-${index}`}, ${Buffer.alloc(32)}, ${newId()}, ${at(hours)})`;
    await db`insert into audit_log (id, created_at, actor_name, action, target_kind, target_id, target_name)
      values (${newId()}, ${at(hours)}, 'a', 'a', 'a', 'a', 'a')`;
    await db`insert into dead_letters (app_id, id, original_event_id, source, op, script_id, payload, trigger_depth,
        root_execution_id, attempt_count, created_at)
      values (${app}, ${newId()}, ${newId()}, 'kv', 'insert', ${script}, '{}', 1, ${newId()}, 3, ${at(hours)})`;
  }
  for (const name of ["execution_drops", "sessions", "idempotency_keys", "dead_letters", "audit_log"])
    expect(await sweep(task(name))).toBe(1);
  const [row] = await db`
    select (select count(*)::int from execution_drops) as drops, (select count(*)::int from sessions) as sessions,
      (select count(*)::int from idempotency_keys) as keys, (select count(*)::int from audit_log) as changes,
      (select count(*)::int from dead_letters) as letters`;
  expect({ ...row }).toEqual({ drops: 5, sessions: 1, keys: 3, changes: 7, letters: 5 });
});

test("no sweep reads a whole table", async () => {
  const { db } = database;
  for (let i = 0; i < 5; i++) await runs(app, await seed(db).script(app, `filled-${i}`, "1"), 4000, "1 day");
  await db`
    insert into audit_log (id, created_at, actor_name, action, target_kind, target_id, target_name)
    select gen_random_uuid(), ${NOW}::timestamptz - n * interval '1 minute', 'a', 'a', 'a', 'a', 'a'
    from generate_series(1, 5000) n`;
  for (const table of ["executions", "audit_log", "scripts"]) await db.unsafe(`vacuum analyze ${table}`);
  // A connection that has no plans yet: one that was made while the tables were empty is used once more before it is made anew.
  const fresh = connect(database.target, { max: 1, applicationName: "picloud-test" });
  await fresh.begin(async (sql) => {
    for (const name of ["executions", "audit_log"]) await task(name).sweep(sql, NOW);
    // Of this transaction alone, at once: what the server counts over all is told seconds later.
    const scans = await sql`
      select relname, seq_scan::integer from pg_stat_xact_user_tables
      where relname in ('executions', 'audit_log') order by 1`;
    expect([...scans]).toEqual([
      { relname: "audit_log", seq_scan: 0 },
      { relname: "executions", seq_scan: 0 },
    ]);
  });
  await fresh.end();
}, 60_000);
