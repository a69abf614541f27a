import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  runsOfRoot,
  searchExecutions,
  type ExecutionFilter,
} from "../../../src/services/executions/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

const ROWS = 20_000;
const SCRIPTS = 40;

let database: TestDatabase;
let appId: string;
let scriptId: string;
let executionId: string;

beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  appId = await seed(db).app("busy");
  const scripts: string[] = [];
  for (let i = 0; i < SCRIPTS; i++) scripts.push(await seed(db).script(appId, `script-${i}`, "1"));
  scriptId = scripts[7] ?? "";
  // Ten apps: the busy one has nine of ten rows.
  for (let i = 0; i < 9; i++) {
    const other = await seed(db).app(`other-${i}`);
    await fill(other, [await seed(db).script(other, "script", "1")], ROWS / 90);
  }
  await fill(appId, scripts, ROWS);
  await db.unsafe("vacuum analyze executions");
  const [row] = await db<{ id: string }[]>`select id from executions where app_id = ${appId} limit 1`;
  executionId = row?.id ?? "";
}, 60_000);
afterAll(() => database.drop());

/** Most rows are successes of HTTP, as everywhere; 1 of 50 failed, 1 of 40 was triggered, 1 of 200 has a parent. */
const fill = (app: string, scripts: readonly string[], rows: number) => database.db`
  insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind, status,
    status_code, duration_ms, created_at)
  select ${app}, id, (${scripts as string[]}::uuid[])[1 + n % ${scripts.length}], 1 + n % 3, gen_random_uuid(),
    case when n % 200 = 0 then gen_random_uuid() else id end,
    case when n % 40 = 0 then 'cron' else 'http' end,
    case when n % 50 = 0 then 'error' when n % 1001 = 0 then 'timeout' else 'success' end, 200, 1,
    timestamptz '2026-01-01' + n * interval '1 minute'
  from (select n, gen_random_uuid() as id from generate_series(1, ${Math.floor(rows)}) n) made`;

/** The plan of the one query that a function sends. @param settings of the planner */
async function planOf(
  work: (db: TestDatabase["db"]) => Promise<unknown>,
  settings: readonly string[] = [],
): Promise<string> {
  let plan = "";
  await database.db.begin(async (sql) => {
    for (const setting of settings) await sql.unsafe(`set local ${setting} = off`);
    // The same statement, explained. Fragments of statements do not begin with `select`.
    const explaining = new Proxy(sql, {
      apply: (target, self, [texts, ...values]: unknown[]) => {
        if (!Array.isArray(texts) || !/^\s*select\s/.test(String(texts[0])))
          return Reflect.apply(target, self, [texts, ...values]);
        const raw = [`explain (costs off) ${texts[0]}`, ...texts.slice(1)];
        return Reflect.apply(target, self, [Object.assign(raw, { raw }), ...values]);
      },
    });
    const rows = (await (work as (db: unknown) => Promise<unknown>)(explaining)) as {
      "QUERY PLAN": string;
    }[];
    plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  });
  return plan;
}

const FILTERS: ExecutionFilter = {
  status: "error",
  triggerKind: "cron",
  version: 2,
  from: new Date("2026-01-02"),
  to: new Date("2026-01-12"),
};

/** Every subset of the filters, with and without a script and a place in the list. */
function* combinations(): Generator<{ filter: ExecutionFilter; after: boolean }> {
  const entries = Object.entries(FILTERS);
  for (let bits = 0; bits < 2 ** entries.length; bits++) {
    const filter = Object.fromEntries(entries.filter((_, index) => (bits >> index) & 1)) as ExecutionFilter;
    for (const after of [false, true]) {
      // A version is that of a script.
      if (filter.version === undefined) yield { filter, after };
      yield { filter: { ...filter, scriptId }, after };
    }
  }
}

test("every combination of filters has an index that gives its rows in order, and is found by one", async () => {
  let count = 0;
  for (const { filter, after } of combinations()) {
    const position = after ? { createdUs: Date.UTC(2026, 0, 10) * 1000, id: newId() } : null;
    const search = (db: TestDatabase["db"]) =>
      searchExecutions(db, appId, filter, { limit: 51, after: position });
    const title = `${JSON.stringify(filter)} after ${after}\n`;
    const usual = title + (await planOf(search));
    expect(usual).toMatch(/Scan(?: Backward)? (?:using|on) executions_\w+_idx/);
    expect(usual).not.toContain("Seq Scan");
    // Few rows are sorted faster than read in order; of a million that is not so.
    const ordered = title + (await planOf(search, ["enable_sort", "enable_bitmapscan", "enable_seqscan"]));
    expect(ordered).toMatch(/Index (?:Only )?Scan(?: Backward)? using executions_\w+_idx/);
    expect(ordered).not.toMatch(/\bSort\b/);
    count++;
  }
  expect(count).toBe(96);
}, 60_000);

test("rare rows are found by the small indexes", async () => {
  const page = { limit: 51, after: null };
  const expectPlan = async (filter: ExecutionFilter) =>
    expect(await planOf((db) => searchExecutions(db, appId, filter, page)));
  (await expectPlan({ status: "timeout" })).toContain("executions_failed_idx");
  (await expectPlan({ status: "timeout", scriptId })).toMatch(/executions_(?:script_)?failed_idx/);
  (await expectPlan({ triggerKind: "cron" })).toContain("executions_triggered_idx");
});

test("filters find what they say, page after page, newest first", async () => {
  const { db } = database;
  for (const filter of [
    {},
    { status: "error" },
    { triggerKind: "cron", scriptId },
    FILTERS,
  ] as ExecutionFilter[]) {
    const all = await db<{ id: string }[]>`
      select id from executions where app_id = ${appId}
        and (${filter.status ?? null}::text is null or status = ${filter.status ?? null})
        and (${filter.triggerKind ?? null}::text is null or trigger_kind = ${filter.triggerKind ?? null})
        and (${filter.scriptId ?? null}::uuid is null or script_id = ${filter.scriptId ?? null})
        and (${filter.version ?? null}::int is null or version = ${filter.version ?? null})
        and (${filter.from ?? null}::timestamptz is null or created_at >= ${filter.from ?? null})
        and (${filter.to ?? null}::timestamptz is null or created_at < ${filter.to ?? null})
      order by created_at desc, id desc limit 600`;
    const found: string[] = [];
    for (let after: { createdUs: number; id: string } | null = null; found.length < all.length;) {
      const rows: Awaited<ReturnType<typeof searchExecutions>> = await searchExecutions(db, appId, filter, {
        limit: 90,
        after,
      });
      const last = rows.at(-1);
      if (last === undefined) break;
      found.push(...rows.map(({ id }) => id));
      after = { createdUs: Number(last.created_us), id: last.id };
    }
    expect(found.slice(0, 600)).toEqual(all.map(({ id }) => id));
  }
});

test("one run, and the runs of its tree, are found by their keys", async () => {
  const whole = await planOf(
    (db) => db`
    select e.id from apps a join executions e on e.app_id = a.id and e.id = ${executionId}`,
  );
  expect(whole).toContain("executions_pkey");
  expect(whole).not.toContain("Seq Scan on executions");
  const tree = await runsOfRoot(database.db, appId, executionId);
  expect(tree.map(({ id }) => id)).toEqual([executionId]);
});
