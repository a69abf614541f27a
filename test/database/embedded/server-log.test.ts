import { configureSync, type LogRecord } from "@logtape/logtape";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "../../../src/database/client.ts";
import { startEmbedded, type EmbeddedPostgres } from "../../../src/database/embedded/index.ts";
import { serverLog } from "../../../src/database/embedded/server-log.ts";
import { configureLog } from "../../../src/shared/log.ts";
import { removeDataDirectory, temporaryDirectory } from "../../support/test-server.ts";
import { waitFor } from "../../support/wait.ts";

setDefaultTimeout(60_000);

const records: LogRecord[] = [];
let dataDir: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  configureSync({
    reset: true,
    sinks: { memory: (record) => void records.push(record) },
    loggers: [
      { category: "picloud", sinks: ["memory"], lowestLevel: "trace" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  dataDir = await temporaryDirectory();
  server = await startEmbedded({ dataDir });
});

afterAll(async () => {
  await server.stop();
  await removeDataDirectory(dataDir);
  configureLog("fatal", "pretty");
});

const said = (...lines: string[]) => {
  records.length = 0;
  lines.forEach(serverLog());
  return records.map(({ level, properties }) => [level, properties["message"]]);
};

describe("the server's log", () => {
  test("is passed on, and a routine start is no news", () => {
    expect(records.map((record) => record.properties["message"])).toContain(
      "database system is ready to accept connections",
    );
    expect(records.filter((record) => record.level !== "debug")).toEqual([]);
  });

  test("holds no statement, no value and no error of a client", async () => {
    records.length = 0;
    const db = connect(server.target, { max: 1, applicationName: "test" });
    await db`CREATE TABLE hidden (value text UNIQUE)`;
    await db`INSERT INTO hidden VALUES ('s3cret')`;
    await expect(Promise.resolve(db`INSERT INTO hidden VALUES (${"s3cret"})`)).rejects.toThrow(
      "duplicate key",
    );
    await expect(Promise.resolve(db`SELECT ${"s3cret"}::text::integer`)).rejects.toThrow("s3cret");
    await db`DO $$ BEGIN RAISE WARNING E'said\\ns3cret'; END $$`;
    // The end of a backend comes after what it logged.
    process.kill((await db`SELECT pg_backend_pid() AS pid`)[0]?.["pid"], "SIGTERM");
    await waitFor("the log is through", () => records.length > 0);
    await db.end();
    expect(JSON.stringify(records)).not.toContain("s3cret");
  });

  test("keeps further lines of a message that is passed on, and drops those of one that is not", () => {
    const lines = ["1 client backend ERROR:  one", "\ttwo", "2 walwriter LOG:  three", "\tfour"];
    expect(said(...lines)).toHaveLength(2);
    expect(JSON.stringify(records)).toContain("four");
  });

  test("keeps the severity of what is not routine", () => {
    expect(said("12 checkpointer PANIC:  could not write")).toEqual([["fatal", "could not write"]]);
    expect(said("12 autovacuum worker ERROR:  no space left on device")).toEqual([
      ["error", "no space left on device"],
    ]);
    expect(said("12 client backend FATAL:  too many clients")).toEqual([["warning", "too many clients"]]);
    expect(said("12 postmaster LOG:  server process (PID 13) was terminated by signal 9: Killed")).toEqual([
      ["info", "server process (PID 13) was terminated by signal 9: Killed"],
    ]);
  });
});
