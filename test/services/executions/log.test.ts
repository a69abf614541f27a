import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  createExecutionLog,
  listLogs,
  type ExecutionLog,
  type ExecutionRow,
  type LogDTO,
} from "../../../src/services/executions/index.ts";
import { BURST_BODY_BYTES, BURST_ROWS } from "../../../src/services/executions/admission.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { AppError } from "../../../src/shared/errors.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

let database: TestDatabase;
let appId: string;
let scriptId: string;

beforeAll(async () => {
  database = await testDatabase();
  appId = await seed(database.db).app("default");
  scriptId = await seed(database.db).script(appId, "hello", '"hi"');
}, 60_000);

afterAll(() => database.drop());

/** As the data plane does it. */
const offer = (log: ExecutionLog, run: ExecutionRow): void => log.record(run, () => run);

const row = (changes: Partial<ExecutionRow> = {}): ExecutionRow => {
  const id = newId();
  return {
    appId,
    id,
    scriptId,
    version: 1,
    requestId: newId(),
    rootExecutionId: id,
    triggerKind: "http",
    triggerId: null,
    status: "success",
    statusCode: 200,
    durationMs: 1.5000000000009,
    operations: 12,
    request: () => ({
      request: { method: "GET", path: "/x", headers: { host: "h" } },
      body: { kind: "json", text: "{}", size: 2, truncated: false },
    }),
    heldBytes: 2,
    rerunOf: null,
    principalId: null,
    responseSummary: "hi",
    error: null,
    logs: [{ ts: "2026-01-01T00:00:00.000Z", level: "info", message: "m", data: { a: 1 } }],
    createdAt: Date.UTC(2026, 0, 1),
    ...changes,
  };
};

test("a recorded run is written by itself and reads back as it was", async () => {
  const log = createExecutionLog(database.db, { clock: systemClock });
  const run = row({
    error: { code: "script_error", message: "boom", line: 1, column: 2 },
    status: "error",
    statusCode: 502,
  });
  offer(log, run);
  for (let i = 0; i < 100 && (await listLogs(database.db, appId, scriptId, {})).length === 0; i++)
    await Bun.sleep(20);
  const [dto] = await listLogs(database.db, appId, scriptId, {});
  expect(dto).toEqual({
    id: run.id,
    app_id: appId,
    script_id: scriptId,
    version: 1,
    execution_id: run.id,
    request_id: run.requestId,
    status: "error",
    status_code: 502,
    duration_ms: 1.5,
    operations: 12,
    request: { method: "GET", path: "/x", headers: { host: "h" } },
    response_summary: "hi",
    error: { code: "script_error", message: "boom", line: 1, column: 2 },
    logs: [{ ts: "2026-01-01T00:00:00.000Z", level: "info", message: "m", data: { a: 1 } }],
    trigger_kind: "http",
    trigger_id: null,
    root_execution_id: run.id,
    rerun_of: null,
    principal_id: null,
    created_at: "2026-01-01T00:00:00.000Z",
  });
  await log.stop();
});

test("rows of a script that is gone vanish, and take no other row with them", async () => {
  const other = await seed(database.db).script(appId, "other", "1");
  const log = createExecutionLog(database.db, { clock: systemClock });
  offer(log, row({ scriptId: newId() }));
  offer(log, row({ scriptId: other }));
  await log.stop();
  expect(await listLogs(database.db, appId, other, {})).toHaveLength(1);
});

test("NUL characters are replaced, escaped backslashes are not touched", async () => {
  const script = await seed(database.db).script(appId, "nul", "1");
  const log = createExecutionLog(database.db, { clock: systemClock });
  offer(
    log,
    row({
      scriptId: script,
      responseSummary: "a\0b",
      logs: [{ ts: "t", level: "info", message: "\\u0000 \0" }],
    }),
  );
  await log.stop();
  const [dto] = await listLogs(database.db, appId, script, {});
  expect(dto?.response_summary).toBe("a\ufffdb");
  expect(dto?.logs[0]?.message).toBe("\\u0000 \ufffd");
});

test("a row that cannot be made whole is made in part, and takes no other row with it", async () => {
  const script = await seed(database.db).script(appId, "odd", "1");
  const log = createExecutionLog(database.db, { clock: systemClock });
  const broken = row({
    scriptId: script,
    request: () => {
      throw new Error("headers that cannot be read");
    },
  });
  const half = row({
    scriptId: script,
    responseSummary: "half \ud800 of a pair, \\ud800 in letters, a whole one: \u{1f600}",
  });
  for (const run of [broken, half, row({ scriptId: script })]) offer(log, run);
  await log.stop();
  const rows = await listLogs(database.db, appId, script, {});
  expect(rows).toHaveLength(3);
  expect(rows.find(({ id }) => id === broken.id)).toMatchObject({ request: null, logs: [] });
  expect(rows.find(({ id }) => id === half.id)?.response_summary).toBe(
    "half \ufffd of a pair, \\ud800 in letters, a whole one: \u{1f600}",
  );
});

test("a flood is cut to the allowance, failures are kept, and what was dropped is counted", async () => {
  const script = await seed(database.db).script(appId, "flood", "1");
  const log = createExecutionLog(database.db, { clock: { now: () => 0, monotonic: () => 0 } });
  for (let i = 0; i < BURST_ROWS + 1000; i++) offer(log, row({ scriptId: script }));
  for (let i = 0; i < 50; i++) offer(log, row({ scriptId: script, status: "timeout", statusCode: 504 }));
  await log.stop();
  const [counts] =
    await database.db`select count(*)::int as rows, count(*) filter (where status = 'timeout')::int as failures
    from executions where script_id = ${script}`;
  const [drops] =
    await database.db`select sum(dropped)::int as dropped from execution_drops where script_id = ${script}`;
  expect(counts?.["failures"]).toBe(50);
  expect(log.dropped()).toBe(Number(drops?.["dropped"]));
  expect(Number(counts?.["rows"]) - 50 + Number(drops?.["dropped"])).toBe(BURST_ROWS + 1000);
  expect(Number(counts?.["rows"])).toBeLessThanOrEqual(BURST_ROWS);
});

test("one app's flood does not cost another app its rows", async () => {
  const other = await seed(database.db).app("other");
  const script = await seed(database.db).script(other, "quiet", "1");
  const log = createExecutionLog(database.db, { clock: { now: () => 0, monotonic: () => 0 } });
  for (let i = 0; i < BURST_ROWS * 2; i++) offer(log, row());
  offer(log, row({ appId: other, scriptId: script }));
  await log.stop();
  expect(await listLogs(database.db, other, script, {})).toHaveLength(1);
});

test("a database that is away costs nothing but the rows that do not fit", async () => {
  const { connect } = await import("../../../src/database/client.ts");
  const away = connect(
    { kind: "url", url: "postgres://nobody@127.0.0.1:1/none" },
    { max: 1, applicationName: "test", connectTimeoutSeconds: 1 },
  );
  const log = createExecutionLog(away, { clock: systemClock });
  offer(log, row());
  await log.stop();
  await away.end({ timeout: 0 });
});

test("pages go newest first, by offset or by cursor", async () => {
  const script = await seed(database.db).script(appId, "paged", "1");
  const log = createExecutionLog(database.db, { clock: systemClock });
  for (let i = 0; i < 10; i++)
    offer(log, row({ scriptId: script, createdAt: Date.UTC(2026, 0, 1) + Math.floor(i / 2) }));
  await log.stop();
  const all = await listLogs(database.db, appId, script, { limit: 200 });
  expect(all).toHaveLength(10);
  expect(all.map((entry) => entry.created_at)).toEqual(
    all
      .map((entry) => entry.created_at)
      .sort()
      .reverse(),
  );
  const pages = [];
  for (let before: string | undefined; ;) {
    const page = await listLogs(database.db, appId, script, { limit: 3, before });
    if (page.length === 0) break;
    pages.push(...page);
    const last = page.at(-1);
    before = `${last?.created_at},${last?.id}`;
  }
  expect(pages).toEqual(all);
  expect(await listLogs(database.db, appId, script, { limit: 3, offset: 3 })).toEqual(all.slice(3, 6));
  expect(await listLogs(database.db, newId(), script, {})).toEqual([]);
  expect(listLogs(database.db, appId, script, { before: "yesterday" })).rejects.toThrow(AppError);
});

test("rows that are large, or whose requests are, are all written", async () => {
  const script = await seed(database.db).script(appId, "large", "1");
  const log = createExecutionLog(database.db, { clock: { now: () => 0, monotonic: () => 0 } });
  const text = "x".repeat(60_000);
  const budgets: boolean[] = [];
  for (let i = 0; i < 120; i++) {
    offer(
      log,
      row({
        scriptId: script,
        heldBytes: 200_000,
        request: (budget) => {
          budgets.push(budget(text.length));
          const kept = budgets.at(-1) === true ? text : "";
          return {
            request: { method: "POST", path: "/", headers: {} },
            body: { kind: "text", text: kept, size: text.length, truncated: kept === "" },
          };
        },
      }),
    );
  }
  await log.stop();
  const [found] = await database.db`
    select count(*)::int as rows, count(*) filter (where not (request_body->>'truncated')::boolean)::int as whole
    from executions where script_id = ${script}`;
  expect(found).toMatchObject({ rows: 120, whole: Math.floor(BURST_BODY_BYTES / text.length) });
});

test("those who watch an app hear of its runs at once, also of those that get no row", async () => {
  const other = await seed(database.db).app("watched");
  const script = await seed(database.db).script(other, "seen", "1");
  const log = createExecutionLog(database.db, { clock: { now: () => 0, monotonic: () => 0 } });
  const heard: LogDTO[] = [];
  let alsoHeard = 0;
  const end = log.watch(other, (run) => void heard.push(run));
  const endOther = log.watch(other, () => {
    alsoHeard++;
    throw new Error("a watcher's own trouble");
  });
  const runs = Array.from({ length: BURST_ROWS + 10 }, () => row({ appId: other, scriptId: script }));
  for (const run of runs) offer(log, run);
  offer(log, row());
  expect(heard.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
  expect(alsoHeard).toBe(runs.length);
  end();
  endOther();
  offer(log, row({ appId: other, scriptId: script }));
  expect(heard).toHaveLength(runs.length);
  await log.flush();
  const listed = await listLogs(database.db, other, script, { limit: 200 });
  const known = heard.find(({ id }) => id === listed[0]?.id);
  expect(known).toEqual(listed[0] as LogDTO);
  await log.stop();
});

test("a run that gets no row, and that nobody watches, is not even made", async () => {
  const log = createExecutionLog(database.db, { clock: { now: () => 0, monotonic: () => 0 } });
  let made = 0;
  const run = row();
  for (let i = 0; i < BURST_ROWS + 100; i++) {
    log.record(run, () => {
      made++;
      return run;
    });
  }
  expect(made).toBeLessThanOrEqual(BURST_ROWS);
  await log.stop();
});
