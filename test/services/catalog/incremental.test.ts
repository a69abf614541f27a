import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { connect, type Database } from "../../../src/database/client.ts";
import { createCatalog, type Catalog } from "../../../src/services/catalog/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { DEFAULT_CEILINGS, DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

let database: TestDatabase;
let other: Database;
beforeAll(async () => {
  database = await testDatabase();
  other = connect(database.target, { max: 4, applicationName: "other" });
});
afterAll(async () => {
  await other?.end();
  await database?.drop();
});

const options = { fallbackApp: "first", limits: DEFAULT_LIMITS, ceilings: DEFAULT_CEILINGS };
const PATHS = ["/a", "/b/*", "/c/:x", "/c/:x/d", "/:any/d", "/c/*"];
const METHODS = [null, "GET", "POST"];
const REQUESTS = ["/a", "/b/1", "/c/1", "/c/1/d", "/z/d", "/c/1/2/3"];
const HOSTS = ["one.test", "two.test", "x.three.test"];
const PATTERNS = ["one.test", "two.test", "*.three.test"];

/** What a catalog answers to whatever may be asked of it. */
function answers(catalog: Catalog, appIds: readonly string[], scriptIds: readonly string[]): unknown {
  return {
    apps: appIds.map((id) => catalog.app(id)),
    hosts: [...HOSTS, "nobody.test"].map((host) => catalog.resolveApp(host).app),
    scripts: scriptIds.map((id) => catalog.script(id)),
    routes: appIds.flatMap((id) =>
      REQUESTS.flatMap((path) =>
        ["GET", "POST", "HEAD", "PUT"].map((method) => {
          const match = catalog.route(id, method, "any.test", path);
          return match && { ...match, params: { ...match.params } };
        }),
      ),
    ),
  };
}

interface Step {
  readonly kind: number;
  readonly app: number;
  readonly pick: number;
  readonly value: number;
  /** Which process makes the change, and which reads afterwards. */
  readonly maker: number;
  readonly reads: readonly boolean[];
  /** How long the transaction stays open after its change, so that others commit in between. */
  readonly holdMs: number;
  readonly fails: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(13),
  app: fc.nat(1),
  pick: fc.nat(1000),
  value: fc.nat(1000),
  maker: fc.nat(1),
  reads: fc.tuple(fc.boolean(), fc.boolean()),
  holdMs: fc.constantFrom(0, 0, 0, 3, 10),
  fails: fc.constantFrom(false, false, false, false, true),
});

class RolledBack extends Error {}

describe("the catalog that is kept up to date", () => {
  test("is the one that would be read anew, whatever two processes change at once", async () => {
    const counts = { changes: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 14 }),
        async (rounds) => {
          await database.db`delete from apps`;
          const rows = seed(database.db);
          const appIds = [await rows.app("first"), await rows.app("second")];
          const scriptIds: string[] = [];
          const processes = [database.db, other];
          const catalogs = processes.map((db) => createCatalog(db, options));
          await Promise.all(catalogs.map((catalog) => catalog.load()));

          const change = async ({ kind, app, pick, value, maker, reads, holdMs, fails }: Step) => {
            const db = processes[maker] ?? database.db;
            const appId = appIds[app] ?? "";
            try {
              await db.begin(async (sql) => {
                const scripts = await sql<
                  { id: string }[]
                >`select id from scripts where app_id = ${appId} order by id`;
                const routes = await sql<{ id: string; path: string }[]>`
                select id, path from routes where app_id = ${appId} order by id`;
                const script = scripts[pick % Math.max(1, scripts.length)]?.id ?? null;
                const route = routes[pick % Math.max(1, routes.length)];
                const path = PATHS[value % PATHS.length] ?? "";
                const method = METHODS[value % METHODS.length] ?? null;
                const kindOf = path.endsWith("/*") ? "prefix" : path.includes(":") ? "param" : "exact";
                const stored = path.replace(/\*$/, "");
                if (kind <= 1) {
                  const id = newId();
                  scriptIds.push(id);
                  await sql`insert into scripts (app_id, id, name, live_version, last_version)
                  values (${appId}, ${id}, ${`s${value}`}, ${kind === 0 ? 1 : null}, 1)`;
                  await sql`insert into script_versions
                    (app_id, script_id, version, source, source_sha256, timeout_seconds, memory_limit_mb)
                  values (${appId}, ${id}, 1, '1', '\\x00', ${1 + (value % 9)}, 64)`;
                } else if (kind === 2 && script !== null) {
                  await sql`
                  with moved as (
                    update scripts set last_version = last_version + 1, live_version = last_version + 1
                    where app_id = ${appId} and id = ${script} returning *)
                  insert into script_versions
                    (app_id, script_id, version, source, source_sha256, timeout_seconds, memory_limit_mb)
                  select app_id, id, last_version, '2', '\\x00', ${1 + (value % 9)}, 32 from moved`;
                } else if (kind === 3) {
                  await sql`update scripts set live_version = 1, name = ${`r${value}`} where app_id = ${appId} and id = ${script}`;
                } else if (kind <= 6 && script !== null) {
                  await sql`insert into routes (app_id, id, script_id, path_kind, path, method)
                  values (${appId}, ${newId()}, ${script}, ${kindOf}, ${stored}, ${method})`;
                } else if (kind === 7) {
                  await sql`update routes set enabled = not enabled, idempotent = not idempotent
                  where app_id = ${appId} and id = ${route?.id ?? null}`;
                } else if (kind === 8) {
                  await sql`update routes set path = ${stored}, path_kind = ${kindOf}, method = ${method}
                  where app_id = ${appId} and id = ${route?.id ?? null}`;
                } else if (kind === 9) {
                  await sql`delete from routes where app_id = ${appId} and id = ${route?.id ?? null}`;
                } else if (kind === 10) {
                  await sql`delete from scripts where app_id = ${appId} and id = ${script}`;
                } else if (kind === 11) {
                  const pattern = PATTERNS[value % PATTERNS.length] ?? "";
                  const [gone] =
                    await sql`delete from app_domains where app_id = ${appId} and pattern = ${pattern} returning 1`;
                  if (gone === undefined) {
                    await sql`insert into app_domains (app_id, id, pattern, shape, shape_key)
                    values (${appId}, ${newId()}, ${pattern}, ${pattern.startsWith("*") ? "wildcard" : "exact"}, ${pattern})`;
                  }
                } else if (kind === 12) {
                  await sql`update apps set settings = ${sql.json({ weight: 1 + (value % 5) })} where id = ${appId}`;
                } else if (kind === 13 && value % 4 === 0) {
                  await sql`delete from apps where id = ${appId}`;
                  await sql`insert into apps (id, slug, name) values (${appId}, ${app === 0 ? "first" : `again${value}`}, 'x')`;
                }
                if (holdMs > 0) await Bun.sleep(holdMs);
                if (fails) throw new RolledBack();
              });
              counts.changes++;
            } catch (error) {
              // Two wanted the same path, name or host, or waited for each other.
              if (!(error instanceof RolledBack) && !isRefusal(error)) throw error;
              counts.refused++;
            }
            await Promise.all(
              catalogs.map((catalog, index) => reads[index] === true && catalog.refresh(appId)),
            );
          };
          for (const round of rounds) await Promise.all(round.map(change));

          const anew = createCatalog(database.db, options);
          await anew.load();
          const expected = answers(anew, appIds, scriptIds);
          for (const catalog of catalogs) {
            await Promise.all(appIds.map((appId) => catalog.refresh(appId)));
            expect(answers(catalog, appIds, scriptIds)).toEqual(expected);
          }
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
    expect(counts.changes).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(10);
  }, 120_000);

  test("what is not changed is not made anew, so that what was compiled stays good", async () => {
    await database.db`delete from apps`;
    const rows = seed(database.db);
    const app = await rows.app("first");
    const kept = await rows.script(app, "kept", "1");
    const changed = await rows.script(app, "changed", "1");
    const catalog = createCatalog(database.db, options);
    await catalog.load();
    const before = [catalog.script(kept), catalog.app(app)];
    await rows.version(app, changed, "2");
    await catalog.refresh(app);
    expect(catalog.script(changed)?.liveVersion).toBe(2);
    expect(catalog.script(kept)).toBe(before[0] as never);
    expect(catalog.app(app)).toBe(before[1] as never);
    expect(catalog.script(changed)?.limits).toBe(catalog.script(kept)?.limits as never);
  });

  test("of deletions the newest thousand are known; who has not read for longer compares everything", async () => {
    await database.db`delete from apps`;
    const rows = seed(database.db);
    const app = await rows.app("first");
    const script = await rows.script(app, "kept", "1");
    await database.db`
      insert into routes (app_id, id, script_id, path_kind, path)
      select ${app}, gen_random_uuid(), ${script}, 'exact', '/' || i from generate_series(1, 2500) i`;
    const [often, seldom] = [createCatalog(database.db, options), createCatalog(database.db, options)];
    await Promise.all([often.load(), seldom.load()]);
    const known = (catalog: Catalog) =>
      Array.from({ length: 2500 }, (_, i) => i + 1).filter(
        (i) => catalog.route(app, "GET", "any.test", `/${i}`) !== null,
      );
    for (const upTo of [3, 900, 1300, 2400]) {
      await database.db`
        delete from routes where app_id = ${app} and substr(path, 2)::int <= ${upTo}`;
      await often.refresh(app);
      expect(known(often)).toHaveLength(2500 - upTo);
    }
    await seldom.refresh(app);
    expect(known(seldom)).toEqual(known(often));
    const [kept] = await database.db<{ count: number }[]>`
      select count(*)::int as count from catalog_deletions where app_id = ${app}`;
    expect(kept?.count).toBeLessThanOrEqual(1000);
  });

  test("rows that name transactions of another database are read once, and when they change", async () => {
    await database.db`delete from apps`;
    const rows = seed(database.db);
    const app = await rows.app("first");
    const script = await rows.script(app, "restored", "1");
    await rows.route(app, script, "/restored");
    // As a dump of a much older database holds them: triggers come after the rows.
    await database.db`alter table scripts disable trigger scripts_stamp_change`;
    await database.db`update scripts set changed_in = '999999999999'`;
    await database.db`alter table scripts enable trigger scripts_stamp_change`;
    const catalog = createCatalog(database.db, options);
    await catalog.load();
    const first = catalog.script(script);
    expect(first).toMatchObject({ name: "restored" });
    await catalog.refresh(app);
    expect(catalog.script(script)).toBe(first as never);
    await database.db`update scripts set name = 'renamed' where id = ${script}`;
    await catalog.refresh(app);
    expect(catalog.script(script)?.name).toBe("renamed");
  });
});

const REFUSALS: ReadonlySet<string> = new Set(["23505", "23503", "40P01", "55P03"]);
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && "code" in error && REFUSALS.has(String(error.code));
