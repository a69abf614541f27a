import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { listen } from "../../src/database/listen.ts";
import { emptyDatabase, type TestDatabase } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;

beforeAll(async () => {
  database = await emptyDatabase();
});

afterAll(() => database.drop());

describe("the listener", () => {
  test("hears its channels, and after a lost connection asks to read the state again, then hears on", async () => {
    const heard: string[] = [];
    let connections = 0;
    const listener = await listen(database.target, {
      applicationName: "listen-test",
      channels: {
        one: (payload) => heard.push(`one ${payload}`),
        two: (payload) => heard.push(`two ${payload}`),
      },
      onReconnect: () => connections++,
    });
    await waitFor("it listens", () => connections === 1);
    await database.db`SELECT pg_notify('one', 'a'), pg_notify('two', 'b'), pg_notify('three', 'c')`;
    await waitFor("both are heard", () => heard.length === 2);

    await database.db`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'listen-test'`;
    await waitFor("it listens again", () => connections === 2);
    await database.db`SELECT pg_notify('two', 'd'), pg_notify('one', 'e')`;
    await waitFor("both are heard again", () => heard.length === 4);
    expect(heard).toEqual(["one a", "two b", "two d", "one e"]);

    await listener.close();
    const left = await database.db`SELECT 1 FROM pg_stat_activity WHERE application_name = 'listen-test'`;
    expect(left).toHaveLength(0);
  });

  test("comes back every time its connection is lost", async () => {
    let connections = 0;
    const listener = await listen(database.target, {
      applicationName: "again-test",
      channels: { one: () => {}, two: () => {}, three: () => {} },
      onReconnect: () => connections++,
    });
    for (let expected = 1; expected <= 4; expected++) {
      await waitFor(`connection ${expected}`, () => connections === expected);
      await database.db`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'again-test'`;
    }
    await waitFor("the last one", () => connections === 5);
    await listener.close();
  });

  test("fails when the first connection cannot be made", async () => {
    const target = {
      kind: "socket",
      directory: "/nonexistent",
      user: "picloud",
      database: "picloud",
    } as const;
    const never = listen(target, {
      applicationName: "test",
      channels: { one: () => {} },
      onReconnect: () => {},
    });
    await expect(never).rejects.toThrow();
  });
});
