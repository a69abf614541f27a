import { expect, test } from "bun:test";
import { join } from "node:path";
import { testDatabase } from "../support/postgres.ts";

/** What a program writes to stderr that logs an error as JSON. */
async function logged(program: string, target: object): Promise<string> {
  const root = join(import.meta.dir, "../..");
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `import { connect } from "${root}/src/database/client.ts";
       import { configureLog, logger } from "${root}/src/shared/log.ts";
       configureLog("info", "json");
       const db = connect(${JSON.stringify(target)}, { max: 1, applicationName: "picloud-test" });
       try { ${program} } catch (error) { logger().error("it failed: {error}", { error }); }
       await db.end();`,
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  return new Response(child.stderr).text();
}

test("errors of the database are in the log without the data that they quote", async () => {
  const database = await testDatabase();
  try {
    const row = await logged(
      "await db`create temp table boxes (secret text, size int check (size > 0))`; await db`insert into boxes values ('hunter2', 0)`;",
      database.target,
    );
    expect(row).toContain('"code":"23514"');
    expect(row).toContain("boxes_size_check");
    expect(row).not.toContain("hunter2");

    const json = await logged('await db`select ${`{"token": "hunter2"`}::text::jsonb`;', database.target);
    expect(json).toContain('"code":"22P02"');
    expect(json).not.toContain("hunter2");
  } finally {
    await database.drop();
  }
}, 30_000);
