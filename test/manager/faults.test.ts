import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { configureSync, type LogRecord } from "@logtape/logtape";
import { connect } from "../../src/database/client.ts";
import { NO_LINKS } from "../../src/services/catalog/index.ts";
import { createManager } from "../../src/manager/index.ts";
import { createIdentity } from "../../src/services/identity/index.ts";
import { configureLog } from "../../src/shared/log.ts";
import { KEYRING, startControlPlane, type ControlPlane } from "./support/control-plane.ts";
import { expectProblem } from "./support/scenarios.ts";

let plane: ControlPlane;
let fault: unknown = null;
beforeAll(async () => {
  plane = await startControlPlane({
    requestTimeoutMs: 1500,
    checkScript: async () => {
      if (fault === "silence") await new Promise(() => {});
      if (fault !== null) throw fault;
      return { diagnostics: [], links: NO_LINKS };
    },
  });
}, 60_000);
afterAll(() => plane?.stop(), 60_000);
afterEach(() => {
  fault = null;
  configureLog("fatal", "pretty");
});

/** Everything that is logged from now on. */
function recorded(): LogRecord[] {
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { memory: (record) => void records.push(record) },
    loggers: [
      { category: "picloud", sinks: ["memory"], lowestLevel: "trace" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
  return records;
}

const save = () => plane.call("owner", "PUT", "/apps/default/scripts/faulty", { raw: `${Math.random()}` });

describe("faults", () => {
  test("an unknown error is masked, and is in the log under the id that the client got", async () => {
    const records = recorded();
    fault = new Error("the secret inner life of PiCloud");
    const answer = await save();
    expect(answer.status).toBe(500);
    const problem = expectProblem(answer, "internal");
    expect(answer.text).not.toContain("secret inner life");
    const record = records.find((entry) => entry.properties["requestId"] === problem.request_id);
    expect(record?.properties["error"]).toBe(fault);
  });

  test("a request that nobody answers gets 503 in the end", async () => {
    fault = "silence";
    const answer = await save();
    expect(answer.status).toBe(503);
    expectProblem(answer, "no_answer_in_time");
    expect(answer.headers.get("retry-after")).toBe("5");
  });

  test("a wrong statement is masked too", async () => {
    await plane.db`alter table app_domains rename column pattern to pattern_`;
    const answer = await plane.call("owner", "GET", "/apps/default/domains");
    await plane.db`alter table app_domains rename column pattern_ to pattern`;
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("pattern");
  });

  test("passwords are in no log", async () => {
    const records = recorded();
    await plane.call("guest", "POST", "/auth/login", {
      body: { username: "owner", password: "hunter2 hunter2" },
    });
    await plane.call("guest", "POST", "/auth/login", {
      body: { username: "owner", password: 17, hunter2: 1 },
    });
    expect(JSON.stringify(records.map((record) => record.properties))).not.toContain("hunter2");
  });

  test("a catalog that cannot be refreshed does not turn a committed save into an error", async () => {
    const refresh = plane.told.push.bind(plane.told);
    plane.told.push = () => {
      throw new Error("no catalog today");
    };
    const answer = await save();
    plane.told.push = refresh;
    expect(answer.status).toBe(201);
    expect((await plane.call("owner", "GET", "/apps/default/scripts/faulty")).status).toBe(200);
  });

  test("while the database cannot be reached: 503 with Retry-After", async () => {
    const dead = connect(
      { kind: "socket", directory: "/nonexistent", user: "x", database: "x" },
      { max: 1, applicationName: "test" },
    );
    const identity = createIdentity({
      db: dead,
      clock: plane.clock,
      secretKey: new Uint8Array(32),
      sessionTtlHours: 1,
      trustedProxies: [],
    });
    const manager = await createManager({
      db: plane.db,
      config: plane.config,
      identity,
      checkScript: async () => ({ diagnostics: [], links: NO_LINKS }),
      resolveHost: () => ({ appId: null, claimed: false, params: {} }),
      routeOf: plane.catalog.route,
      sdkReference: () => Promise.reject(new Error("not asked here")),
      invokeVersion: () => Promise.reject(new Error("not asked here")),
      runScript: () => Promise.reject(new Error("not asked here")),
      executions: plane.executions,
      keyring: KEYRING,
      catalogChanged: async () => {},
      onPasswordChanged: async () => {},
    });
    const request = new Request("http://pi/api/v1/admin/apps", {
      headers: { authorization: `Bearer ${"x".repeat(43)}` },
    });
    const answer = await manager.handle(request, { remoteAddress: "10.0.0.1" });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(((await answer.json()) as { code: string }).code).toBe("database_unavailable");
    await dead.end();
  });
});
