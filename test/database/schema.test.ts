import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { constraintNames } from "../../src/database/constraint-errors.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { dumpSchema } from "../support/schema-dump.ts";

setDefaultTimeout(60_000);

const GOLDEN = join(import.meta.dir, "schema.sql");

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(() => database.drop());

describe("the schema", () => {
  test("is the one in schema.sql (UPDATE_SCHEMA=1 bun test test/database/schema.test.ts writes it anew)", async () => {
    const schema = await dumpSchema(database.db);
    if (process.env["UPDATE_SCHEMA"] === "1") await Bun.write(GOLDEN, schema);
    expect(schema).toBe(await Bun.file(GOLDEN).text());
  });

  test("has every constraint and unique index that constraint-errors.ts names", async () => {
    const rows = await database.db<{ name: string }[]>`
      SELECT conname AS name FROM pg_constraint WHERE connamespace = 'public'::regnamespace
      UNION SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace`;
    const present = new Set(rows.map((row) => row.name));
    expect(constraintNames().filter((name) => !present.has(name))).toEqual([]);
  });
});

/**
 * Tables of the instance, not of an app: each with why. Every other table is app data, and must be distributable by
 * app (DESIGN, invariant 1).
 */
const INSTANCE_TABLES: Readonly<Record<string, string>> = {
  schema_migrations: "one list for the database",
  instance_settings: "settings of the whole instance",
  users: "people, who work in several apps",
  sessions: "of people",
  apps: "the apps themselves: the key is the app's id",
  audit_log: "tells of instance changes as well",
  api_keys: "of people; bound to an app or not",
  app_slug_history: "a former slug leads to one app of all",
  housekeeping: "due times of the whole instance",
};

/** Unique over all apps on purpose: each with why. */
const GLOBAL_UNIQUE: Readonly<Record<string, string>> = {
  app_domains_shape_key: "a host belongs to one app",
  scripts_id_key: "/api/v1/execute/{id} names a script without its app",
  routes_id_key: "/api/v1/admin/routes/{id} names a route without its app",
};

describe("every table of app data", () => {
  test("has app_id, not null", async () => {
    const rows = await database.db<{ name: string }[]>`
      SELECT relname AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'app_id' AND attnotnull)`;
    expect(rows.map((row) => row.name).filter((name) => !(name in INSTANCE_TABLES))).toEqual([]);
  });

  test("has app_id as the first column of its primary key and of every unique index", async () => {
    const rows = await database.db<
      { table: string; index: string; first: string | null; is_primary: boolean }[]
    >`
      SELECT t.relname AS table, i.relname AS index, indisprimary AS is_primary,
        (SELECT attname FROM pg_attribute WHERE attrelid = t.oid AND attnum = indkey[0]) AS first
      FROM pg_index JOIN pg_class t ON t.oid = indrelid JOIN pg_class i ON i.oid = indexrelid
      WHERE t.relnamespace = 'public'::regnamespace AND indisunique`;
    const own = rows.filter((row) => !(row.table in INSTANCE_TABLES));
    expect(
      own.filter((row) => row.first !== "app_id" && !(row.index in GLOBAL_UNIQUE)).map((row) => row.index),
    ).toEqual([]);
    const withKey = new Set(rows.filter((row) => row.is_primary).map((row) => row.table));
    expect(own.filter((row) => !withKey.has(row.table)).map((row) => row.table)).toEqual([]);
  });

  test("refers to other app data by (app_id, …), so that a row never points into another app", async () => {
    const rows = await database.db<{ name: string; target: string; from: string[]; to: string[] }[]>`
      SELECT conname AS name, confrelid::regclass::text AS target,
        ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, o)
          JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY o) AS from,
        ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k(n, o)
          JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY o) AS to
      FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`;
    const toAppData = rows.filter((row) => !(row.target in INSTANCE_TABLES));
    expect(toAppData.length).toBeGreaterThan(0);
    expect(
      toAppData.filter((row) => row.from[0] !== "app_id" || row.to[0] !== "app_id").map((row) => row.name),
    ).toEqual([]);
  });
});
