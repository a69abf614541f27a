import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isUuid } from "../../src/shared/ids.ts";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

let plane: DataPlane;

beforeAll(async () => {
  plane = await startDataPlane({ triggerRetry: { maxAttempts: 6, backoff: "linear", baseMs: 70 } });
});
afterAll(() => plane.stop());

const asRoot = { headers: { authorization: "Bearer root-token" } };

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly error: string;
  readonly detail: string;
  readonly request_id: string;
  readonly details: Readonly<Record<string, unknown>>;
}
const problem = async (response: Response): Promise<Problem> => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as Problem;
};

let counter = 0;
/** Runs a source once. */
async function run(source: string, init?: RequestInit): Promise<Response> {
  const path = `/run/${++counter}`;
  await plane.deploy(path, source);
  return plane.call(path, init);
}

describe("what a script returns becomes the answer", () => {
  test.each([
    ["a string is text", '"hi"', "hi", "text/plain; charset=utf-8"],
    ["an integer is JSON", "41 + 1", "42", "application/json"],
    ["a float keeps its point", "1.0", "1.0", "application/json"],
    ["a large integer keeps all digits", "9223372036854775807", "9223372036854775807", "application/json"],
    ["nothing is null", "let x = 1;", "null", "application/json"],
    [
      "a map",
      '#{b: [1, 2.5, true, ()], a: "\\u00e9"}',
      '{"a":"\u00e9","b":[1,2.5,true,null]}',
      "application/json",
    ],
    ["a char is a string", "['x']", '["x"]', "application/json"],
    ["a blob is bytes", "blob(3, 65)", "AAA", "application/octet-stream"],
    ["a map with an odd member only", "#{status: 404}", '{"status":404}', "application/json"],
    [
      "statusCode, headers and body",
      '#{statusCode: 201, headers: #{"Content-Type": "text/html"}, body: "<p>"}',
      "<p>",
      "text/html",
    ],
    ["statusCode alone", "#{statusCode: 202}", "", "text/plain; charset=utf-8"],
    ["a body map", "#{statusCode: 200, body: #{a: 1}}", '{"a":1}', "application/json"],
  ])("%s", async (_name, source, body, type) => {
    const response = await run(source);
    expect(await response.text()).toBe(body);
    expect(response.headers.get("content-type")).toBe(type);
    expect(isUuid(response.headers.get("x-request-id") ?? "")).toBe(true);
    expect(isUuid(response.headers.get("x-execution-id") ?? "")).toBe(true);
  });

  test("the status is the script's", async () => {
    for (const status of [200, 201, 204, 301, 404, 418, 500, 599]) {
      const response = await run(`#{ statusCode: ${status}, body: "x" }`);
      expect(response.status).toBe(status);
      expect(await response.text()).toBe(status === 204 ? "" : "x");
    }
  });

  test("an array is a repeated header; hop-by-hop headers, lengths and the session cookie are dropped", async () => {
    const response = await run(`#{ statusCode: 200, body: "x", headers: #{
      "Set-Cookie": ["a=1", "picloud_session=stolen", "b=2"], "Connection": "close", "Content-Length": "9999",
      "Transfer-Encoding": "chunked", "X-Own": "y", "X-Request-Id": "forged" } }`);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("connection")).toBeNull();
    expect(response.headers.get("transfer-encoding")).toBeNull();
    expect(response.headers.get("x-own")).toBe("y");
    expect(isUuid(response.headers.get("x-request-id") ?? "")).toBe(true);
    expect(await response.text()).toBe("x");
  });
});

describe("an answer that is none is 502 invalid_response", () => {
  test.each([
    ["a status that is no integer", '#{statusCode: "200"}'],
    ["a float status", "#{statusCode: 200.0}"],
    ["a status below 100", "#{statusCode: 99}"],
    ["a status above 599", "#{statusCode: 600}"],
    ["a provisional status", "#{statusCode: 101}"],
    ["headers that are no map", '#{statusCode: 200, headers: "x"}'],
    ["a header that is a number", '#{statusCode: 200, headers: #{"x-a": 1}}'],
    ["CR LF in a header", '#{statusCode: 200, headers: #{"x-a": "1\\r\\nset-cookie: b"}}'],
    ["NUL in a header", '#{statusCode: 200, headers: #{"x-a": "\\x00"}}'],
    ["LF in a repeated header", '#{statusCode: 200, headers: #{"x-a": ["ok", "a\\nb"]}}'],
    ["a header name with a space", '#{statusCode: 200, headers: #{"x a": "1"}}'],
    ["a closure", "|x| x"],
    ["a closure inside", "#{a: [|x| x]}"],
    ["a range", "1..2"],
    ["NaN", "[0.0 / 0.0]"],
  ])("%s", async (_name, source) => {
    const response = await run(source);
    expect(response.status).toBe(502);
    expect(await problem(response)).toMatchObject({ code: "invalid_response", status: 502 });
  });
});

describe("what fails has its status", () => {
  test.each([
    ["a thrown value", 'throw "secret text"', 502, "script_error"],
    ["a run-time error", "let x = 1; x.no_such()", 502, "script_error"],
    ["a division by zero", "1 / 0", 502, "script_error"],
    ["an overflow", "9223372036854775807 + 1", 502, "script_error"],
    ["a source that does not compile", "let x = ;", 422, "compile_error"],
    ["an assignment to ctx", "ctx = 1;", 502, "script_error"],
    ["deep recursion", "fn f(n) { f(n + 1) } f(0)", 507, "budget_exceeded"],
    ["a string that doubles", 'let s = "x"; loop { s += s; }', 507, "budget_exceeded"],
  ])("%s", async (_name, source, status, code) => {
    const response = await run(source);
    expect(response.status).toBe(status);
    const body = await problem(response);
    expect(body.code).toBe(code);
    expect(body.error).toBe(body.detail);
    expect(body.error).not.toContain("secret text");
    expect(body.details["execution_id"]).toBe(response.headers.get("x-execution-id"));
    expect(body.request_id).toBe(response.headers.get("x-request-id") ?? "");
  });

  test.each([
    ["operations", "let i = 0; while true { i += 1; }", { max_operations: 1000 }],
    ["the size of arrays", "let a = []; loop { a.push(1); }", { max_array_size: 1000 }],
    ["the size of maps", "let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; }", { max_map_size: 1000 }],
    ["the size of strings", 'let s = ""; loop { s += "x"; }', { max_string_size: 1000 }],
    ["the depth of calls", "fn f(n) { if n == 0 { 0 } else { f(n - 1) } } f(20)", { max_call_levels: 10 }],
  ])("a script's own limit of %s is 507", async (_name, source, sandbox) => {
    const path = `/own-limit/${++counter}`;
    await plane.deploy(path, source, { sandbox: sandbox as unknown as Record<string, number> });
    const response = await plane.call(path);
    expect([response.status, (await problem(response)).code]).toEqual([507, "budget_exceeded"]);
  });

  test("the thrown text and its place are for those who may read the log", async () => {
    await plane.deploy("/thrown", 'let a = 1;\n  throw "secret text";');
    const open = await problem(await plane.call("/thrown", asRoot));
    expect(open.error).toContain("secret text");
    expect(open.details).toMatchObject({ line: 2 });
    const outsider = await problem(
      await plane.call("/thrown", { headers: { authorization: "Bearer outsider-token" } }),
    );
    expect(outsider.error).not.toContain("secret text");
  });

  test("a version without a row is 500, and says nothing more", async () => {
    const script = await plane.deploy("/gone", "1");
    await plane.database.db`update scripts set live_version = null where id = ${script}`;
    await plane.database.db`delete from script_versions where script_id = ${script}`;
    const response = await plane.call("/gone", asRoot);
    expect([response.status, (await problem(response)).code]).toEqual([500, "internal"]);
  });
});

describe("routes", () => {
  test("all kinds reach their script with what they captured", async () => {
    const show = "[ctx.request.params, ctx.request.rest, ctx.request.path, ctx.request.method]";
    await plane.deploy("/kinds/exact", `["exact"] + ${show}`);
    await plane.deploy("/kinds/p/*", `["prefix"] + ${show}`);
    await plane.deploy("/kinds/:a/:b", `["param"] + ${show}`);
    expect(await (await plane.call("/kinds/exact?x=1")).json()).toEqual([
      "exact",
      {},
      "",
      "/kinds/exact",
      "GET",
    ]);
    expect(await (await plane.call("/kinds/p/x/y")).json()).toEqual([
      "prefix",
      {},
      "x/y",
      "/kinds/p/x/y",
      "GET",
    ]);
    expect(await (await plane.call("/kinds/q/%C3%A9", { method: "DELETE" })).json()).toEqual([
      "param",
      { a: "q", b: "\u00e9" },
      "",
      "/kinds/q/%C3%A9",
      "DELETE",
    ]);
  });

  test("no route is 404, a malformed escape 400", async () => {
    const response = await plane.call("/nowhere");
    expect([response.status, (await problem(response)).code]).toEqual([404, "no_route"]);
    await plane.deploy("/esc/:x", "1");
    expect((await problem(await plane.call("/esc/%zz"))).status).toBe(400);
  });

  test("hosts lead to their app, and to that app's routes only", async () => {
    const shop = await plane.rows.app("shop");
    await plane.rows.domain(shop, "{tenant}.shop.test", "parameterised");
    await plane.deploy("/only-shop", "ctx.request.params", { appId: shop });
    await plane.deploy({ path: "/by-host", host: "*.shop.test" }, "ctx.request.host", { appId: shop });
    expect(await (await plane.call("acme.shop.test:8080/only-shop")).json()).toEqual({ tenant: "acme" });
    expect((await plane.call("/only-shop")).status).toBe(404);
    expect(await (await plane.call("Acme.Shop.Test/by-host")).text()).toBe("acme.shop.test");
  });

  test("a host that nobody claims is 404 when there is no fallback app", async () => {
    const strict = await startDataPlane({ fallbackApp: null });
    const response = await strict.call("/x");
    expect([response.status, (await problem(response)).code]).toEqual([404, "unknown_host"]);
    await strict.stop();
  });

  test("an asynchronous route is accepted, to be carried out later", async () => {
    await plane.deploy({ path: "/async", dispatch_mode: "async" }, "1");
    expect((await plane.call("/async", { method: "POST" })).status).toBe(202);
    // How often it is tried is the server's setting, since a route has none.
    expect(
      await plane.database.db`select retry_max_attempts, retry_backoff, retry_base_ms from outbox`,
    ).toMatchObject([{ retry_max_attempts: 6, retry_backoff: "linear", retry_base_ms: 70 }]);
  });

  test("saving makes the next request run the new version", async () => {
    const script = await plane.deploy("/save", '"v1"');
    expect(await (await plane.call("/save")).text()).toBe("v1");
    for (let version = 2; version < 20; version++) {
      await plane.rows.version(plane.appId, script, `"v${version}"`);
      await plane.catalog.refresh(plane.appId);
      expect(await (await plane.call("/save")).text()).toBe(`v${version}`);
    }
  });
});

describe("POST /api/v1/execute/{script_id}", () => {
  const execute = (id: string, init: RequestInit = {}) =>
    plane.call(`/api/v1/execute/${id}`, { method: "POST", ...init });

  test("members' scripts run for those who may read the app, and do not exist for others", async () => {
    const id = await plane.rows.script(plane.appId, "direct", "ctx.principal.username");
    await plane.catalog.refresh(plane.appId);
    expect(await (await execute(id, asRoot)).text()).toBe("root");
    const refused = await problem(await execute(id));
    const missing = await problem(await execute("00000000-0000-7000-8000-000000000000"));
    expect({ ...refused, request_id: "" }).toEqual({ ...missing, request_id: "" });
    expect(refused.status).toBe(404);
    expect((await execute(id, { headers: { authorization: "Bearer outsider-token" } })).status).toBe(404);
    expect((await execute("no-uuid", asRoot)).status).toBe(404);
    expect((await plane.call(`/api/v1/execute/${id}`, asRoot)).status).toBe(405);
  });

  test("public scripts run for anybody; a bad credential and a fault while checking it mean nobody", async () => {
    const id = await plane.rows.script(plane.appId, "open", "ctx.principal == ()", {
      directExecute: "public",
    });
    await plane.catalog.refresh(plane.appId);
    for (const authorization of ["Bearer wrong", "Bearer broken-token", "Basic xx"]) {
      expect(await (await execute(id, { headers: { authorization } })).text()).toBe("true");
    }
  });

  test("modules are 422", async () => {
    const id = await plane.rows.script(plane.appId, "a_module", "fn f() { 1 }", { kind: "module" });
    await plane.catalog.refresh(plane.appId);
    expect((await execute(id, asRoot)).status).toBe(422);
  });
});

describe("what the script sees", () => {
  test("every member of ctx", async () => {
    const script = await plane.deploy("/ctx/:name", "ctx");
    const response = await plane.call("/ctx/Ada?a=1&a=2&b=%20", {
      method: "POST",
      body: '{"n": 1.0, "i": 9223372036854775807}',
      headers: {
        "content-type": "application/json",
        "X-Own": "v",
        "x-forwarded-for": "203.0.113.9, 10.0.0.1",
      },
    });
    const text = await response.text();
    expect(text).toContain('"body":{"i":9223372036854775807,"n":1.0}');
    const ctx = JSON.parse(text);
    expect(ctx).toMatchObject({
      sdk_version: "1.9",
      execution_id: response.headers.get("x-execution-id"),
      request_id: response.headers.get("x-request-id"),
      root_execution_id: response.headers.get("x-execution-id"),
      script_id: script,
      invocation_type: "http",
      trigger_depth: 0,
      attempt: 1,
      principal: null,
      request: {
        method: "POST",
        path: "/ctx/Ada",
        host: "pi.local",
        remote_ip: "10.0.0.1",
        rest: "",
        params: { name: "Ada" },
        query: { a: "2", b: " " },
        query_all: { a: ["1", "2"], b: [" "] },
      },
    });
    expect(ctx.request.headers["x-own"]).toBe("v");
    expect("event" in ctx).toBe(false);
    expect(await (await run('"event" in ctx')).text()).toBe("false");
  });

  test("ctx is constant and starts anew in each run", async () => {
    expect((await run("ctx.request.path = 1;")).status).not.toBe(200);
    await plane.deploy(
      "/fresh",
      "let c = ctx; let before = c.request.params.len(); c.request.params.x = 1; before",
    );
    for (let i = 0; i < 3; i++) expect(await (await plane.call("/fresh")).text()).toBe("0");
  });

  test("credentials of the control plane are removed, others stay", async () => {
    await plane.deploy("/see", "[ctx.request.headers, ctx.principal]");
    const see = async (headers: Record<string, string>) => (await plane.call("/see", { headers })).json();
    const [own, principal] = (await see({ authorization: "Bearer root-token" })) as [
      Record<string, string>,
      unknown,
    ];
    expect(own["authorization"]).toBeUndefined();
    expect(principal).toMatchObject({ username: "root" });
    const [foreign, nobody] = (await see({
      authorization: "Bearer of-the-app",
      cookie: "a=1; picloud_session=x; b=2",
    })) as [Record<string, string>, unknown];
    expect(foreign).toMatchObject({ authorization: "Bearer of-the-app", cookie: "a=1; b=2" });
    expect(nobody).toBeNull();
    // Revoked, expired, or not to be checked at the moment: the text of a key is never the script's.
    const [withKey] = (await see({ authorization: `Bearer pic_${"A".repeat(52)}` })) as [
      Record<string, string>,
    ];
    expect(withKey["authorization"]).toBeUndefined();
    const [both, byCookie] = (await see({
      authorization: "Bearer of-the-app",
      cookie: "picloud_session=root-token",
    })) as [Record<string, string>, unknown];
    expect(both["authorization"]).toBe("Bearer of-the-app");
    expect(both["cookie"]).toBeUndefined();
    expect(byCookie).toMatchObject({ username: "root" });
  });

  const bodies: [string, string | Uint8Array<ArrayBuffer>, string, string][] = [
    ["JSON", '{"a":[1,null]}', "application/json; charset=utf-8", '{"a":[1,null]}'],
    ["a +json type", "[true]", "application/ld+json", "[true]"],
    ["a form", "a=1&b=%C3%A9+x", "application/x-www-form-urlencoded", '{"a":"1","b":"\u00e9 x"}'],
    ["text", "plain \u00e9", "text/plain", "plain \u00e9"],
    ["text of no type", "[1]", "application/octet-stream", "[1]"],
    ["bytes", new Uint8Array([255, 0, 254]), "application/octet-stream", "\ufffd\0\ufffd"],
    ["nothing", "", "application/json", "null"],
  ];
  test.each(bodies)("a body of %s", async (_name, body, type, expected) => {
    const response = await run("ctx.request.body", {
      method: "POST",
      body,
      headers: { "content-type": type },
    });
    expect(await response.text()).toBe(expected);
  });

  test.each(["{", '{"a":1,}', "[1] x", "'a'", "01", "nul", '"\u0001"', "[".repeat(50_000), ""])(
    "JSON that is none is 400 before the script starts: %p",
    async (body) => {
      const path = `/json/${++counter}`;
      const script = await plane.deploy(path, 'log::info("started"); 1');
      const response = await plane.call(path, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
      if (body === "") return expect(response.status).toBe(200);
      expect([response.status, (await problem(response)).code]).toEqual([400, "malformed_body"]);
      expect(await plane.logs(script)).toEqual([]);
    },
  );

  test("a body over the limit is 413, with or without a length, and is not read to its end", async () => {
    await plane.deploy("/big", "1");
    const announced = await plane.call("/big", { method: "POST", body: "x".repeat(64 * 1024 + 1) });
    expect([announced.status, (await problem(announced)).code]).toEqual([413, "too_large"]);
    let produced = 0;
    const stream = new ReadableStream({
      pull(controller) {
        produced++;
        if (produced > 10_000) controller.close();
        else controller.enqueue(new Uint8Array(1024));
      },
    });
    expect((await plane.call("/big", { method: "POST", body: stream })).status).toBe(413);
    expect(produced).toBeLessThan(1000);
    expect((await plane.call("/big", { method: "POST", body: "x".repeat(64 * 1024) })).status).toBe(200);
  });
});

describe("the execution log", () => {
  test("has a row for every outcome", async () => {
    const outcomes: [string, string, number][] = [
      ["1", "success", 200],
      ["#{statusCode: 404}", "success", 404],
      ["throw 1", "error", 502],
      ["let x = ;", "error", 422],
      ["#{statusCode: 1}", "error", 502],
      ["fn f() { f() } f()", "budget_exceeded", 507],
    ];
    for (const [source, status, code] of outcomes) {
      const path = `/outcome/${++counter}`;
      const script = await plane.deploy(path, source);
      const response = await plane.call(path, {
        headers: { "x-plain": "p", "x-api-key": "k", authorization: "Bearer s" },
      });
      const [row] = await plane.logs(script);
      expect(row).toMatchObject({
        status: status as "error",
        status_code: code,
        execution_id: response.headers.get("x-execution-id") ?? "",
        request_id: response.headers.get("x-request-id") ?? "",
        request: {
          method: "GET",
          path,
          headers: { "x-plain": "p", "x-api-key": "[not recorded]", authorization: "[not recorded]" },
        },
        trigger_kind: "http",
      });
      expect(row?.error === null).toBe(status === "success");
    }
  });

  test("keeps what the script logged, in order", async () => {
    const script = await plane.deploy(
      "/logs",
      `log::info("a"); log::warn("b", #{x: 1}); log::error("c", [()]); log::trace("d"); print("e"); debug("f"); log::info("g", ());`,
    );
    await plane.call("/logs");
    const [row] = await plane.logs(script);
    expect(row?.logs.map(({ ts: _, ...entry }) => entry)).toEqual([
      { level: "info", message: "a" },
      { level: "warn", message: "b", data: { x: 1 } },
      { level: "error", message: "c", data: [null] },
      { level: "trace", message: "d" },
      { level: "info", message: "e" },
      { level: "trace", message: expect.stringContaining("f") },
      { level: "info", message: "g", data: null },
    ]);
  });

  test("is capped: 200 entries of 4 KiB, then one that counts the rest", async () => {
    const script = await plane.deploy(
      "/flood",
      'let s = "\u00e9"; s.pad(9000, "\u00e9"); for i in 0..250 { log::info(s); }',
    );
    await plane.call("/flood");
    const [row] = await plane.logs(script);
    expect(row?.logs).toHaveLength(201);
    expect(row?.logs[200]?.message).toContain("50 more");
    for (const entry of row?.logs ?? []) expect(Buffer.byteLength(entry.message)).toBeLessThanOrEqual(4096);
    expect(row?.logs[0]?.message.startsWith("\u00e9\u00e9")).toBe(true);
  });
});

test("a route of a script that has only drafts is 404 until one is live", async () => {
  const script = await plane.deploy("/drafts-only", `"live"`);
  const live = (version: number | null) =>
    plane.database.db`update scripts set live_version = ${version} where id = ${script}`.then(() =>
      plane.catalog.refresh(plane.appId),
    );
  await live(null);
  const answer = await plane.call("/drafts-only");
  expect(answer.status).toBe(404);
  expect(((await answer.json()) as { code: string }).code).toBe("no_live_version");
  await live(1);
  expect(await (await plane.call("/drafts-only")).text()).toBe("live");
});
