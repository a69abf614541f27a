import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "../../src/database/client.ts";
import { MIGRATIONS, type Migration } from "../../src/database/migrations/index.ts";
import { migrate, schemaVersion } from "../../src/database/migrator.ts";
import { emptyDatabase, type TestDatabase } from "../support/postgres.ts";

setDefaultTimeout(60_000);

const STEPS: readonly Migration[] = [
  { number: 1, name: "first", sql: "CREATE TABLE things (n integer); INSERT INTO things VALUES (1);" },
  { number: 2, name: "second", sql: "INSERT INTO things VALUES (2);" },
];
const THIRD: Migration = { number: 3, name: "third", sql: "INSERT INTO things VALUES (3);" };

let database: TestDatabase;

beforeEach(async () => {
  database = await emptyDatabase();
});

afterEach(() => database.drop());

const things = async () => (await database.db`SELECT n FROM things ORDER BY n`).map((row) => row["n"]);
const applied = async () =>
  (await database.db`SELECT number FROM schema_migrations ORDER BY number`).map((row) => row["number"]);

describe("the migrator", () => {
  test("applies what is missing, in order, and nothing twice", async () => {
    expect(await migrate(database.db, STEPS)).toEqual([1, 2]);
    expect(await migrate(database.db, STEPS)).toEqual([]);
    expect(await migrate(database.db, [...STEPS, THIRD])).toEqual([3]);
    expect(await things()).toEqual([1, 2, 3]);
  });

  test("lets two that start at once migrate together: one does it, the other finds it done", async () => {
    const pools = [1, 2, 3].map(() => connect(database.target, { max: 1, applicationName: "test" }));
    const done = await Promise.all(pools.map((db) => migrate(db, STEPS)));
    expect(done.flat().toSorted()).toEqual([1, 2]);
    expect(await things()).toEqual([1, 2]);
    await Promise.all(pools.map((db) => db.end()));
  });

  test("rolls a failing migration back whole, keeps those before it, and says which it was", async () => {
    const broken: Migration = {
      number: 3,
      name: "broken",
      sql: "INSERT INTO things VALUES (3); SELECT 1 / 0;",
    };
    await expect(migrate(database.db, [...STEPS, broken])).rejects.toMatchObject({
      code: "migration_failed",
      message: "Migration 0003_broken failed, and was rolled back: division by zero.",
    });
    expect(await things()).toEqual([1, 2]);
    expect(await applied()).toEqual([1, 2]);
    // The lock is free, and a corrected one goes through.
    expect(await migrate(database.db, [...STEPS, THIRD])).toEqual([3]);
  });

  test("refuses an applied migration that has changed", async () => {
    await migrate(database.db, STEPS);
    const changed = STEPS.map((step) => (step.number === 1 ? { ...step, sql: `${step.sql} ` } : step));
    await expect(migrate(database.db, [...changed, THIRD])).rejects.toMatchObject({
      code: "migration_changed",
      message:
        "Migration 1 (first) was applied to the database in another form than this binary has. Run a released binary: applied migrations never change.",
    });
    expect(await applied()).toEqual([1, 2]);
  });

  test("refuses a schema that is newer than it knows", async () => {
    await migrate(database.db, [...STEPS, THIRD]);
    await expect(migrate(database.db, STEPS)).rejects.toMatchObject({
      code: "schema_too_new",
      message:
        "The database has schema 3, this binary knows up to 2. Run the newer binary that made it, or restore a backup from before the upgrade.",
    });
  });

  test("leaves no setting of its own on the connection it used", async () => {
    const db = connect(database.target, { max: 1, applicationName: "test", statementTimeoutMs: 12_345 });
    await migrate(db, STEPS);
    expect((await db`SHOW statement_timeout`)[0]?.["statement_timeout"]).toBe("12345ms");
    expect((await db`SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory'`)[0]?.["locks"]).toBe(
      0,
    );
    await db.end();
  });
});

describe("the embedded migrations", () => {
  test("are numbered from 1 without gaps, and the last is the schema version", () => {
    expect(MIGRATIONS.map((migration) => migration.number)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    expect(schemaVersion).toBe(MIGRATIONS.length);
  });

  test("are all files of the folder", async () => {
    const files = await Array.fromAsync(
      new Bun.Glob("*.sql").scan(`${import.meta.dir}/../../src/database/migrations`),
    );
    const listed = MIGRATIONS.map(({ number, name }) => `${String(number).padStart(4, "0")}_${name}.sql`);
    expect(files.toSorted()).toEqual(listed);
  });
});
