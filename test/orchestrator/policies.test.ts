import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

setDefaultTimeout(60_000);

let plane: DataPlane;

beforeAll(async () => {
  plane = await startDataPlane();
});

afterAll(() => plane.stop());

/** Counts its runs in the execution log; answers its execution id. */
const SCRIPT = '#{ statusCode: 201, headers: #{ "x-own": "1" }, body: #{ run: ctx.execution_id } }';

let paths = 0;
/** A route of its own for a test. */
async function route(
  settings: { readonly rateLimit?: object; readonly idempotent?: boolean },
  source = SCRIPT,
): Promise<{ readonly path: string; readonly script: string }> {
  const path = `/policy-${++paths}`;
  const script = await plane.deploy(path, source);
  await plane.database.db`
    update routes set rate_limit = ${settings.rateLimit === undefined ? null : plane.database.db.json(settings.rateLimit as never)},
      idempotent = ${settings.idempotent ?? false}
    where script_id = ${script}`;
  await plane.rows.announce(plane.appId);
  await plane.catalog.refresh(plane.appId);
  return { path, script };
}

const rateOf = (answer: Response) =>
  ["limit", "remaining"].map((name) => answer.headers.get(`ratelimit-${name}`)).join("/");

describe("a route with a rate limit", () => {
  test("lets so many through and answers 429 then, with the standard headers on each answer", async () => {
    const { path, script } = await route({ rateLimit: { requests: 2, window_seconds: 60, key: "app" } });
    const answers = [
      await plane.call(path),
      await plane.call(path),
      await plane.call(path, { method: "POST" }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 429]);
    expect(answers.map(rateOf)).toEqual(["2/1", "2/0", "2/0"]);
    const refusal = answers[2];
    expect(Number(refusal?.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(refusal?.headers.get("ratelimit-reset")).toBe(refusal?.headers.get("retry-after") ?? "");
    expect(await refusal?.json()).toMatchObject({ status: 429, code: "rate_limited" });
    expect(await plane.logs(script)).toHaveLength(2);
    expect(plane.orchestrator.stats().rateLimited).toBeGreaterThanOrEqual(1);
  });

  test("counts by address, by header, or by caller", async () => {
    const statuses = async (key: string, requests: readonly RequestInit[]) => {
      const { path } = await route({ rateLimit: { requests: 1, window_seconds: 60, key } });
      const all: number[] = [];
      for (const init of requests) all.push((await plane.call(path, init)).status);
      return all;
    };
    const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
    expect(await statuses("ip", [from("9.9.9.1"), from("9.9.9.2"), from("9.9.9.1")])).toEqual([
      201, 201, 429,
    ]);
    const key = (value: string) => ({ headers: { "x-key": value } });
    expect(await statuses("header:x-key", [key("a"), key("b"), key("a"), {}, {}])).toEqual([
      201, 201, 429, 201, 429,
    ]);
    const token = (value: string) => ({ headers: { authorization: `Bearer ${value}` } });
    expect(
      await statuses("principal", [
        token("root-token"),
        token("outsider-token"),
        token("root-token"),
        {},
        {},
      ]),
    ).toEqual([201, 201, 429, 201, 429]);
  });

  test("tells its limit on a failed run too", async () => {
    const { path } = await route({ rateLimit: { requests: 5, window_seconds: 60, key: "app" } }, "throw 1");
    const answer = await plane.call(path);
    expect([answer.status, rateOf(answer)]).toEqual([502, "5/4"]);
  });
});

describe("a route that honours idempotency keys", () => {
  const post = (path: string, key: string, init: { body?: string; headers?: Record<string, string> } = {}) =>
    plane.call(path, {
      method: "POST",
      body: init.body ?? "{}",
      headers: { "content-type": "application/json", "idempotency-key": key, ...init.headers },
    });

  test("runs a request once and gives its answer again", async () => {
    const { path, script } = await route({ idempotent: true });
    const first = await post(path, "order-1");
    const again = await post(path, "order-1");
    expect([first.status, again.status]).toEqual([201, 201]);
    expect([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(again.headers.get("x-own")).toBe("1");
    const run = (await first.json()) as { readonly run: string };
    expect(await again.json()).toEqual(run);
    expect(first.headers.get("x-execution-id")).toBe(run.run);
    expect(again.headers.get("x-execution-id")).toBe(run.run);
    expect(first.headers.get("x-request-id")).not.toBe(again.headers.get("x-request-id"));
    expect(await plane.logs(script)).toHaveLength(1);
  });

  test("refuses the key for another body, query or caller, and one that is no key", async () => {
    const { path } = await route({ idempotent: true });
    await post(path, "k");
    const answers = [
      await post(path, "k", { body: "{ }" }),
      await post(`${path}?a=1`, "k"),
      await post(path, "k", { headers: { authorization: "Bearer root-token" } }),
      await post(path, "k", { headers: { authorization: "Bearer of the script's own" } }),
    ];
    for (const answer of answers) {
      expect(await answer.json()).toMatchObject({ status: 422, code: "idempotency_key_reused" });
    }
    const long = await post(path, "x".repeat(201));
    expect(await long.json()).toMatchObject({ status: 400, code: "invalid_idempotency_key" });
    expect((await post(path, "x".repeat(200))).status).toBe(201);
  });

  test("answers 409 while the first is under way, and runs it once however many come", async () => {
    const { path, script } = await route({ idempotent: true }, "let x = 0; while x < 300000 { x += 1 } x");
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(path, "busy")));
    const codes = answers.map((answer) => answer.status);
    expect(codes.filter((code) => code === 200).length).toBeGreaterThanOrEqual(1);
    expect(codes.filter((code) => code !== 200 && code !== 409)).toEqual([]);
    expect(await plane.logs(script)).toHaveLength(1);
  });

  test("keeps a failure as the answer, since the script has run", async () => {
    const { path, script } = await route({ idempotent: true }, 'throw "no"');
    const first = await post(path, "f");
    const again = await post(path, "f");
    expect([first.status, again.status]).toEqual([502, 502]);
    expect(await again.json()).toEqual(await first.json());
    expect(await plane.logs(script)).toHaveLength(1);
  });

  test("other routes, and requests that change nothing, take no notice of the header", async () => {
    const plain = await route({});
    await post(plain.path, "k");
    await post(plain.path, "k");
    expect(await plane.logs(plain.script)).toHaveLength(2);
    const idempotent = await route({ idempotent: true });
    for (let i = 0; i < 2; i++) await plane.call(idempotent.path, { headers: { "idempotency-key": "k" } });
    expect(await plane.logs(idempotent.script)).toHaveLength(2);
  });

  test("so does the execute endpoint, for each script by itself", async () => {
    const script = await plane.deploy("/direct-idempotent", SCRIPT, { directExecute: "public" });
    for (let i = 0; i < 2; i++) expect((await post(`/api/v1/execute/${script}`, "k")).status).toBe(201);
    expect(await plane.logs(script)).toHaveLength(1);
  });
});

describe("settings of an app", () => {
  /** An app of its own that answers for a host of its own. */
  async function appWith(settings: object): Promise<{ readonly appId: string; readonly host: string }> {
    const host = `app${++paths}.example.com`;
    const appId = await plane.rows.app(`app-${paths}`);
    await plane.rows.domain(appId, host, "exact");
    await plane.database
      .db`update apps set settings = ${plane.database.db.json(settings as never)} where id = ${appId}`;
    await plane.rows.announce(appId);
    await plane.catalog.refresh(appId);
    return { appId, host };
  }

  test("expose_errors shows everybody what a script threw", async () => {
    for (const [settings, shown] of [
      [{ expose_errors: true }, true],
      [{}, false],
    ] as const) {
      const { appId, host } = await appWith(settings);
      await plane.deploy("/boom", 'throw "the reason"', { appId });
      const answer = await plane.call(`${host}/boom`);
      expect(answer.status).toBe(502);
      expect((await answer.text()).includes("the reason")).toBe(shown);
    }
  });

  test("rate_limit counts all routes of the app together, beside a route's own", async () => {
    const { appId, host } = await appWith({ rate_limit: { requests: 3, window_seconds: 60, key: "app" } });
    await plane.deploy("/a", "1", { appId });
    await plane.deploy("/b", "2", { appId });
    const statuses = [];
    for (const path of ["/a", "/b", "/a", "/b"]) statuses.push((await plane.call(`${host}${path}`)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  test("max_concurrent and max_queued bound the app's runs, and no other app's", async () => {
    const { appId, host } = await appWith({ max_concurrent: 1, max_queued: 1 });
    await plane.deploy("/slow", "let x = 0; while x < 1000000 { x += 1 } x", { appId });
    await plane.deploy("/free-of-it", "1");
    const all = Promise.all(Array.from({ length: 4 }, () => plane.call(`${host}/slow`)));
    expect((await plane.call("/free-of-it")).status).toBe(200);
    const statuses = (await all).map((answer) => answer.status);
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(2);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(1);
  });

  describe("cors_origins", () => {
    const PAGE = { origin: "https://page.example" };
    const ask = (method: string) => ({
      method: "OPTIONS",
      headers: {
        ...PAGE,
        "access-control-request-method": method,
        "access-control-request-headers": "x-a, content-type",
      },
    });

    test("lets pages of those origins read answers and errors, and nobody else's", async () => {
      const { appId, host } = await appWith({ cors_origins: ["https://page.example"] });
      await plane.deploy("/data", "1", { appId });
      await plane.deploy("/fails", "throw 1", { appId });
      for (const path of ["/data", "/fails"]) {
        const answer = await plane.call(`${host}${path}`, { headers: PAGE });
        expect(answer.headers.get("access-control-allow-origin")).toBe("https://page.example");
        expect(answer.headers.get("vary")).toContain("Origin");
        for (const headers of [new Headers(), new Headers({ origin: "https://evil.example" })]) {
          const other = await plane.call(`${host}${path}`, { headers });
          expect(other.headers.has("access-control-allow-origin")).toBe(false);
        }
      }
    });

    test("answers the browser's question without running the script", async () => {
      const { appId, host } = await appWith({ cors_origins: ["*"] });
      const script = await plane.deploy({ path: "/post", method: "POST" }, "1", { appId });
      const answer = await plane.call(`${host}/post`, ask("POST"));
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("access-control-allow-methods")).toBe("POST");
      expect(answer.headers.get("access-control-allow-headers")).toBe("x-a, content-type");
      expect((await plane.call(`${host}/post`, ask("PUT"))).status).toBe(404);
      expect((await plane.call(`${host}/nothing`, ask("POST"))).status).toBe(404);
      expect(await plane.logs(script)).toHaveLength(0);
    });

    test("a route for OPTIONS answers by itself, and headers that a script sets stay", async () => {
      const { appId, host } = await appWith({ cors_origins: ["*"] });
      const source =
        '#{ statusCode: 200, headers: #{ "access-control-allow-origin": "https://own.example" }, body: "own" }';
      await plane.deploy({ path: "/own", method: "OPTIONS" }, source, { appId });
      const answer = await plane.call(`${host}/own`, ask("POST"));
      expect([answer.status, await answer.text()]).toEqual([200, "own"]);
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://own.example");
    });

    test("without the setting nothing is added, and OPTIONS reaches a route for every method", async () => {
      const { appId, host } = await appWith({});
      await plane.deploy("/any", "ctx.request.method", { appId });
      const answer = await plane.call(`${host}/any`, ask("POST"));
      expect([answer.status, await answer.text()]).toEqual([200, "OPTIONS"]);
      expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    });
  });
});
