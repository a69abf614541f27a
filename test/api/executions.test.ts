import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  startControlPlane,
  type Actor,
  type Answer,
  type ControlPlane,
  type Json,
} from "../manager/support/control-plane.ts";
import { expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
let echo = "";
let failing = "";
/** A run of each, with a request that holds secrets. */
let echoRun = "";
let failingRun = "";

const ECHO = `#{ statusCode: 201, body: #{
  version: 1, method: ctx.request.method, path: ctx.request.path, q: ctx.request.query, body: ctx.request.body,
  own: ctx.request.headers["x-own"], authorization: ctx.request.headers["authorization"],
  who: if ctx.principal == () { () } else { ctx.principal.username },
} }`;

beforeAll(async () => {
  plane = await startControlPlane();
  echo = (await deploy("echo", ECHO)).json.script.id;
  failing = (await deploy("failing", `log::info("about to fail"); throw "the inner reason"`)).json.script.id;
  echoRun = await invoke(echo, 1, {
    query: "?page=2&token=S3CRET-query",
    body: { n: 1, password: "S3CRET-body" },
    headers: { "x-own": "mine", "x-api-key": "S3CRET-header" },
  });
  failingRun = await invoke(failing, 1);
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const deploy = (name: string, raw: string) =>
  plane.call("editor", "PUT", `/apps/blog/scripts/${name}`, { raw });

/** Runs a version as the editor. @returns the execution's id, once its row is written */
async function invoke(
  script: string,
  version: number,
  {
    query = "",
    ...options
  }: { query?: string; body?: unknown; headers?: Record<string, string>; raw?: string } = {},
): Promise<string> {
  plane.clock.advance(1000);
  const answer = await plane.call(
    "editor",
    "POST",
    `/scripts/${script}/versions/${version}:invoke${query}`,
    options,
  );
  await plane.executions.flush();
  return answer.headers.get("x-execution-id") ?? "";
}

const read = async (id: string, actor: Actor = "viewer"): Promise<Json> => {
  await plane.executions.flush();
  return (await plane.call(actor, "GET", `/executions/${id}`)).json;
};

const readers: Partial<Record<Actor, number>> = {
  guest: 401,
  wrong: 401,
  owner: 200,
  admin: 200,
  outsider: 404,
  viewer: 200,
  editor: 200,
  appAdmin: 200,
  deactivated: 401,
  readKey: 200,
  fullKey: 200,
  boundKey: 200,
  otherBoundKey: 404,
  expiredKey: 401,
};

runScenarios(
  () => plane,
  [
    {
      name: "GET /apps/{app}/executions",
      method: "GET",
      path: "/apps/blog/executions",
      expect: readers,
      contains: ["about to fail", '"next_cursor":null'],
      excludes: ["S3CRET"],
    },
    {
      name: "GET /executions/{id}",
      method: "GET",
      path: () => `/executions/${echoRun}`,
      expect: readers,
      contains: ['"script_name":"echo"', '"request_body"'],
      excludes: ["S3CRET"],
    },
    {
      name: "GET /executions/{id} of none",
      method: "GET",
      path: `/executions/${Bun.randomUUIDv7()}`,
      expect: { guest: 401, owner: 404, outsider: 404, boundKey: 404 },
    },
    {
      name: "POST /executions/{id}:rerun",
      method: "POST",
      path: () => `/executions/${echoRun}:rerun`,
      expect: { ...readers, viewer: 403, readKey: 403 },
      contains: ['"status":"success"'],
      excludes: ["S3CRET"],
    },
    {
      name: "POST /executions/{id}:rerun of none",
      method: "POST",
      path: `/executions/${Bun.randomUUIDv7()}:rerun`,
      expect: { guest: 401, owner: 404, outsider: 404 },
    },
  ],
);

test("what is invisible answers just as what does not exist", async () => {
  for (const [method, verb] of [
    ["GET", ""],
    ["POST", ":rerun"],
  ] as const) {
    const ask = async (id: string) => {
      const { status, json } = await plane.call("outsider", method, `/executions/${id}${verb}`);
      const { request_id: _, ...rest } = json;
      return { status, rest };
    };
    expect(await ask(echoRun)).toEqual(await ask(Bun.randomUUIDv7()));
    expect(await ask("nonsense")).toEqual(await ask(Bun.randomUUIDv7()));
  }
});

describe("the list", () => {
  const list = (query: string) => plane.call("viewer", "GET", `/apps/blog/executions${query}`);
  const ids = ({ json }: Answer): string[] => json.items.map(({ id }: Json) => id);

  test("filters by script (id or name), status, trigger, version and time", async () => {
    const { created_at: at } = await read(failingRun);
    const before = encodeURIComponent(new Date(Date.parse(at) - 1).toISOString());
    const after = encodeURIComponent(new Date(Date.parse(at) + 1).toISOString());
    for (const query of [
      `?script=${failing}`,
      "?script=failing",
      "?status=error",
      "?status=error&script=failing&version=1",
      `?status=error&from=${before}&to=${after}`,
      "?status=error&trigger=invoke",
      `?from=${encodeURIComponent(at)}&script=failing`,
    ])
      expect([query, ids(await list(query))]).toEqual([query, [failingRun]]);
    for (const query of [
      "?script=failing&status=success",
      "?trigger=cron",
      "?script=failing&version=2",
      "?status=timeout",
      `?script=failing&from=${after}`,
      `?script=failing&to=${encodeURIComponent(at)}`,
    ])
      expect([query, ids(await list(query))]).toEqual([query, []]);
  });

  test("goes page by page", async () => {
    for (let i = 0; i < 5; i++) await invoke(echo, 1);
    const all = ids(await list("?script=echo&limit=200"));
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await list(`?script=echo&limit=2${cursor}`);
      seen.push(...ids(page));
      cursor = page.json.next_cursor === null ? "" : `&cursor=${page.json.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(all);
    expect(new Set(seen).size).toBe(all.length);
  });

  test.each([
    ["?cursor=abc", "invalid_cursor"],
    ["?limit=0", "validation"],
    ["?limit=201", "validation"],
    ["?status=fine", "validation"],
    ["?version=2", "validation"],
    ["?from=yesterday", "validation"],
    ["?to=2026-01-01", "validation"],
    ["?to=2026-02-30T00:00:00Z", "validation"],
    ["?from=2026-02-31T99:00:00Z", "validation"],
    ["?trigger=%27", "validation"],
    ["?colour=blue", "validation"],
  ])("%s is refused", async (query, code) => {
    const answer = await list(query);
    expect(answer.status).toBe(422);
    expectProblem(answer, code);
  });

  test("a script of another app, or none, is not found", async () => {
    const other = await plane.call("owner", "PUT", "/apps/default/scripts/elsewhere", { raw: "1" });
    for (const script of [other.json.script.id, "elsewhere", Bun.randomUUIDv7(), "nobody's"]) {
      const answer = await list(`?script=${encodeURIComponent(script)}`);
      expect([script, answer.status]).toEqual([script, 404]);
    }
  });
});

test("one run shows its request, body, answer, error and logs", async () => {
  expect(await read(echoRun)).toMatchObject({
    id: echoRun,
    script_id: echo,
    script_name: "echo",
    version: 1,
    status: "success",
    status_code: 201,
    trigger_kind: "invoke",
    principal_id: plane.users["editor"],
    rerun_of: null,
    request: {
      method: "POST",
      query: "page=2&token=[not recorded]",
      headers: { "x-own": "mine", "x-api-key": "[not recorded]" },
      masked: expect.arrayContaining(["query.token", "body.password", "headers.x-api-key"]),
    },
    request_body: { kind: "json", text: '{"n":1,"password":"[not recorded]"}', truncated: false },
    error: null,
  });
  expect(await read(failingRun)).toMatchObject({
    status: "error",
    status_code: 502,
    error: { code: "script_error", line: 1 },
    logs: [{ level: "info", message: "about to fail" }],
    tree: [{ id: failingRun, status: "error" }],
  });
});

describe("a rerun", () => {
  const rerun = (id: string, body?: unknown, actor: Actor = "editor") =>
    plane.call(actor, "POST", `/executions/${id}:rerun`, body === undefined ? {} : { body });
  const answered = (answer: Answer): Json => JSON.parse(answer.json.response_summary);

  test("repeats the request, leaves out what was not recorded, and says so", async () => {
    const answer = await rerun(echoRun);
    expect(answer.json).toMatchObject({
      rerun_of: echoRun,
      root_execution_id: echoRun,
      version: 1,
      status: "success",
      status_code: 201,
      error: null,
      logs: [],
      masked: expect.arrayContaining(["query.token", "body.password", "headers.x-api-key"]),
    });
    expect(answered(answer)).toMatchObject({
      method: "POST",
      q: { page: "2" },
      body: { n: 1, password: "[not recorded]" },
      own: "mine",
      who: "editor",
    });
    const row = await read(answer.json.execution_id);
    expect(row).toMatchObject({ rerun_of: echoRun, root_execution_id: echoRun, trigger_kind: "invoke" });
    expect(row.tree[0].id).toBe(echoRun);
    expect(row.tree.map(({ id }: Json) => id)).toContain(answer.json.execution_id);
  });

  test("of a rerun belongs to the same tree", async () => {
    const first = await rerun(failingRun);
    await plane.executions.flush();
    const second = await rerun(first.json.execution_id);
    const { tree } = await read(failingRun);
    expect(tree.map(({ id, rerun_of: of }: Json) => [id, of])).toEqual([
      [failingRun, null],
      [first.json.execution_id, failingRun],
      [second.json.execution_id, first.json.execution_id],
    ]);
    expect(second.json).toMatchObject({
      status: "error",
      status_code: 502,
      error: { code: "script_error" },
      logs: [{ message: "about to fail" }],
    });
  });

  test("takes edited input, which fills what was not recorded", async () => {
    const answer = await rerun(echoRun, {
      method: "put",
      query: "page=3&token=new",
      headers: { "X-Own": "other", "X-API-Key": "k", "x-gone": null },
      body: { n: 2, password: "p" },
    });
    expect(answer.json.masked).toEqual([]);
    expect(answered(answer)).toMatchObject({ method: "PUT", q: { page: "3" }, own: "other", body: { n: 2 } });
  });

  test("a text goes as it is, anything else as JSON, the empty text is no body", async () => {
    const plain = await invoke(echo, 1, { raw: "hello", headers: { "content-type": "text/plain" } });
    expect(answered(await rerun(plain)).body).toBe("hello");
    expect(answered(await rerun(plain, { body: "other" })).body).toBe("other");
    expect(answered(await rerun(plain, { body: [1, "a"] })).body).toEqual([1, "a"]);
    expect(answered(await rerun(plain, { body: "" })).body).toBeNull();
    // As text, numbers keep all their digits.
    expect((await rerun(echoRun, { body: '{"n": 9007199254740993}' })).json.response_summary).toContain(
      "9007199254740993",
    );
    expectProblem(await rerun(echoRun, { body: "{no json" }), "malformed_body");
  });

  test("runs the version that ran, or the live one", async () => {
    await deploy("echo", ECHO.replace("version: 1", "version: 2"));
    expect((await rerun(echoRun)).json.version).toBe(1);
    const live = await rerun(echoRun, { version: "live" });
    expect(live.json.version).toBe(2);
    expect(answered(live).version).toBe(2);
  });

  test("runs as the caller, or as nobody where nobody ran it", async () => {
    expect(answered(await rerun(echoRun, undefined, "owner")).who).toBe("owner");
    await plane.db`update executions set principal_id = null where id = ${echoRun}`;
    expect(answered(await rerun(echoRun, undefined, "owner")).who).toBeNull();
    await plane.db`update executions set principal_id = ${plane.users["editor"] ?? ""} where id = ${echoRun}`;
  });

  test("of a body that is not all there needs one", async () => {
    const long = await invoke(echo, 1, {
      raw: "x".repeat(70_000),
      headers: { "content-type": "text/plain" },
    });
    const answer = await rerun(long);
    expect(answer.status).toBe(409);
    expectProblem(answer, "body_not_recorded");
    expect(answered(await rerun(long, { body: "short" })).body).toBe("short");
  });

  test("of what has no request, no version, or is a module, says so", async () => {
    const id = await invoke(echo, 1);
    await plane.db`update executions set request = null where id = ${id}`;
    expectProblem(await rerun(id), "input_not_recorded");
    await plane.db`update executions set version = 99 where id = ${failingRun}`;
    expectProblem(await rerun(failingRun), "version_gone");
    await plane.db`update executions set version = 1 where id = ${failingRun}`;
    await plane.call("editor", "PUT", "/apps/blog/scripts/turning", { raw: "1" });
    const turning = (await plane.call("editor", "GET", "/apps/blog/scripts/turning")).json.id;
    const run = await invoke(turning, 1);
    await plane.db`update scripts set kind = 'module' where id = ${turning}`;
    expectProblem(await rerun(run), "script_is_module");
  });

  test.each([
    [{ colour: "blue" }, 422],
    [{ version: 3 }, 422],
    [{ method: "G ET" }, 422],
    [{ headers: { "x y": "z" } }, 422],
    [{ headers: { x: "a\r\nb: c" } }, 422],
    [{ query: 1 }, 422],
    [[], 422],
  ])("%j is refused", async (body, status) => {
    const answer = await rerun(echoRun, body);
    expect([answer.status, answer.text]).toEqual([status, answer.text]);
    expectProblem(answer);
  });

  test("is in the audit log before it runs, refused ones are not", async () => {
    const count = async () => {
      const [row] = await plane.db<{ n: number }[]>`
        select count(*)::int as n from audit_log where action = 'execution.rerun' and target_id = ${echoRun}
          and actor_name = 'editor' and app_id = ${plane.blog} and target_name = 'echo'`;
      return row?.n ?? 0;
    };
    const before = await count();
    await rerun(echoRun);
    await rerun(echoRun, undefined, "viewer");
    await rerun(echoRun, { method: "G ET" });
    expect(await count()).toBe(before + 1);
  });

  test("by a key that may not read logs tells only how it went", async () => {
    const made = await plane.call("owner", "POST", "/api-keys", {
      body: { name: "writer", scopes: ["script:write"] },
    });
    const answer = await plane.call("guest", "POST", `/executions/${failingRun}:rerun`, {
      headers: { authorization: `Bearer ${made.json.raw_token}` },
    });
    expect(answer.json).toMatchObject({
      status: "error",
      status_code: 502,
      error: null,
      logs: [],
      response_summary: null,
    });
    expect(answer.text).not.toContain("about to fail");
  });
});

test("planted secrets are nowhere in the database", async () => {
  await plane.executions.flush();
  const [row] = await plane.db<{ text: string }[]>`
    select (select string_agg(e::text, ' ') from executions e) || (select string_agg(a::text, ' ') from audit_log a) as text`;
  expect(row?.text).toContain("[not recorded]");
  expect(row?.text).not.toContain("S3CRET");
});
