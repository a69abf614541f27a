import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:net";
import { statementsSent } from "../../src/database/statements.ts";
import { connect, outliveDriverFault } from "../../src/database/client.ts";
import { isConnectionError, toAppError } from "../../src/database/errors.ts";
import { urlTarget, withDatabase } from "../../src/database/target.ts";
import { emptyDatabase, type TestDatabase } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;

beforeAll(async () => {
  database = await emptyDatabase();
});

afterAll(() => database.drop());

const failure = (query: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(query).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("the client", () => {
  test("gives int8 as a number while it is exact, and as a bigint beyond", async () => {
    const [row] = await database.db`SELECT 9007199254740991::int8 AS safe, 9007199254740992::int8 AS beyond,
      (-9223372036854775808)::int8 AS least, count(*) AS count FROM (VALUES (1), (2)) AS two`;
    expect(row).toEqual({ safe: 9007199254740991, beyond: 9007199254740992n, least: -(2n ** 63n), count: 2 });
  });

  test("takes numbers, bigints, dates, JSON, bytes and arrays as they are", async () => {
    const at = new Date("2026-02-03T04:05:06.789Z");
    const [row] = await database.db`SELECT ${9223372036854775807n}::int8 AS big, ${at}::timestamptz AS at,
      ${database.db.json({ a: [1, null] })}::jsonb AS json, ${Buffer.from([0, 255])}::bytea AS bytes, ${["a", "b"]}::text[] AS list`;
    expect(row).toEqual({
      big: 9223372036854775807n,
      at,
      json: { a: [1, null] },
      bytes: Buffer.from([0, 255]),
      list: ["a", "b"],
    });
  });

  test("counts the statements that it sends, and no parts of them", async () => {
    const { db } = database;
    const sent = async (work: () => Promise<unknown>): Promise<number> => {
      const before = statementsSent();
      await work();
      return statementsSent() - before;
    };
    const part = db`1 AS n`;
    expect(await sent(() => Promise.resolve(db`SELECT ${part}`))).toBe(1);
    expect(await sent(() => Promise.resolve(db`SELECT * FROM ${db("pg_database")} LIMIT 1`))).toBe(1);
    expect(await sent(() => db.unsafe("SELECT 1"))).toBe(1);
    // With its begin and its end.
    const work = () =>
      db.begin(async (sql) => {
        const [row] = await sql`SELECT ${sql`1 AS n`}`;
        await Promise.all([sql`SELECT 2`, sql`SELECT 3`.execute(), sql.unsafe("SELECT 4")]);
        return row?.["n"] as unknown;
      });
    expect(await sent(async () => expect(await work()).toBe(1))).toBe(6);
    expect(await sent(() => failure(db`SELECT nothing`))).toBe(1);
  });

  test("ends a statement that runs too long", async () => {
    const db = connect(database.target, { max: 1, applicationName: "test", statementTimeoutMs: 50 });
    expect(await failure(db`SELECT pg_sleep(10)`)).toMatchObject({ code: "57014" });
    await db.end();
  });

  test("closes a connection that is not used, and opens one again when needed", async () => {
    const db = connect(database.target, { max: 1, applicationName: "idle-test", idleTimeoutSeconds: 0.1 });
    await db`SELECT 1`;
    const open = async () =>
      (
        await database.db`SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'idle-test'`
      )[0]?.["n"];
    await waitFor("the connection closes", async () => (await open()) === 0);
    expect(await db`SELECT 1 AS n`).toHaveLength(1);
    await db.end();
  });

  test("recovers by itself when its connections are cut, each cut query failing as a connection error", async () => {
    const db = connect(database.target, { max: 2, applicationName: "cut-test" });
    const running = failure(db`SELECT pg_sleep(10)`);
    await waitFor("the query runs", async () => {
      const cut = await database.db`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut-test' AND state = 'active'`;
      return cut.length > 0;
    });
    expect(isConnectionError(await running)).toBe(true);
    await waitFor("queries work again", () => db`SELECT 1`.then(() => true).catch(() => false));
    await db.end();
  });

  test("tells once that connections were lost, when nothing is under way on them any more", async () => {
    let told = 0;
    const db = connect(database.target, { max: 2, applicationName: "lost-test", onLost: () => void told++ });
    await db`SELECT 1`;
    const running = [1, 2].map(() => failure(db`SELECT pg_sleep(10)`));
    await waitFor("a connection is cut", async () => {
      const cut = await database.db`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'lost-test' AND state = 'active' LIMIT 1`;
      return cut.length > 0;
    });
    expect(isConnectionError(await Promise.race(running))).toBe(true);
    expect(told).toBe(0);
    await Promise.all(running);
    await waitFor("it is told", () => Promise.resolve(told === 1));
    await db.end();
  });
});

describe("an error that the driver throws out of a timer", () => {
  const fault = (place: string) => {
    const error = new TypeError("null is not an object (evaluating 'socket.write')");
    error.stack = `TypeError: null is not an object\n    at nextWrite (${place}:255:15)`;
    return error;
  };

  test("means that a query is never answered: who waits is told, and the next query goes elsewhere", async () => {
    const db = connect(database.target, { max: 1, applicationName: "fault-test" });
    await db`SELECT 1`;
    await Bun.sleep(1100);
    const running = failure(db`SELECT pg_sleep(10)`);
    expect(outliveDriverFault(fault("/app/node_modules/postgres/src/connection.js"))).toBe(true);
    expect((await db`SELECT 1 AS one`)[0]?.["one"]).toBe(1);
    expect(isConnectionError(await running)).toBe(true);
    await db.end();
  });

  test("is not one that comes from elsewhere", () => {
    expect(outliveDriverFault(fault("/app/src/executor/worker.ts"))).toBe(false);
    expect(outliveDriverFault("text")).toBe(false);
  });
});

describe("a database that is away", () => {
  test("is 503 with Retry-After, soon, when nothing listens", async () => {
    const db = connect(urlTarget("postgres://nobody:pw@127.0.0.1:1/none"), {
      max: 1,
      applicationName: "test",
    });
    const before = performance.now();
    const error = toAppError(await failure(db`SELECT 1`));
    expect(error).toMatchObject({
      status: 503,
      code: "database_unavailable",
      headers: { "Retry-After": "2" },
    });
    expect(performance.now() - before).toBeLessThan(4_000);
    await db.end({ timeout: 0 });
  });

  test("is asked again soon, however many queries have failed before", async () => {
    const db = connect(urlTarget("postgres://nobody:pw@127.0.0.1:1/none"), {
      max: 8,
      applicationName: "again-test",
    });
    const began = performance.now();
    for (let round = 0; round < 6; round++)
      await Promise.all(Array.from({ length: 8 }, () => failure(db`SELECT 1`)));
    // The driver waits longer after each failure of any of its connections: for 5 s, were it not told otherwise.
    expect(performance.now() - began).toBeLessThan(6000);
    await db.end();
  }, 60_000);

  test("is 503 when the socket is not there", async () => {
    const target = {
      kind: "socket",
      directory: "/nonexistent",
      user: "picloud",
      database: "picloud",
    } as const;
    const db = connect(target, { max: 1, applicationName: "test" });
    expect(toAppError(await failure(db`SELECT 1`))).toMatchObject({ status: 503 });
    await db.end({ timeout: 0 });
  });

  test("is 503 when the server accepts and then says nothing", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const db = connect(urlTarget(`postgres://a:b@127.0.0.1:${port}/c`), {
      max: 1,
      applicationName: "test",
      connectTimeoutSeconds: 0.2,
    });
    expect(toAppError(await failure(db`SELECT 1`))).toMatchObject({ status: 503 });
    await db.end({ timeout: 0 });
    silent.close();
  });
});

describe("a database error", () => {
  test("becomes the AppError of its constraint, without the value", async () => {
    const { db } = database;
    await db`CREATE TABLE apps (slug text CONSTRAINT apps_slug_key UNIQUE)`;
    await db`INSERT INTO apps VALUES ('hidden')`;
    const error = toAppError(await failure(db`INSERT INTO apps VALUES ('hidden')`));
    expect(error).toMatchObject({ status: 409, code: "slug_taken", message: "Slug is already taken." });
  });

  test("stays unknown when it is neither, so that it is masked", async () => {
    const error = await failure(database.db`SELECT no_such_column`);
    expect(isConnectionError(error)).toBe(false);
    expect(toAppError(error)).toBeUndefined();
    expect(toAppError(new TypeError("x"))).toBeUndefined();
    expect(toAppError(await failure(Bun.file("/nonexistent").text()))).toBeUndefined();
  });
});

describe("a target", () => {
  test("names another database of the same server, keeping password and options", () => {
    expect(withDatabase(urlTarget("postgres://u:p%40ss@h:5433/one?sslmode=require"), "two")).toEqual({
      kind: "url",
      url: "postgres://u:p%40ss@h:5433/two?sslmode=require",
    });
  });
});
