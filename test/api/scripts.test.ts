import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startControlPlane, type Actor, type ControlPlane } from "../manager/support/control-plane.ts";
import {
  appAdminsGet,
  editorsGet,
  expectProblem,
  runScenarios,
  viewersGet,
} from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const SOURCE = '"the source of it"';
let scriptId = "";

beforeEach(async () => {
  await plane.db`delete from scripts where app_id = ${plane.blog}`;
  const { json } = await plane.call("owner", "POST", "/scripts", {
    body: { app_id: plane.blog, name: "post", source: SOURCE, description: "Posts" },
  });
  scriptId = json.id;
});

describe("scripts", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /scripts?app=blog",
        method: "GET",
        path: "/scripts?app=blog",
        expect: viewersGet(200),
        contains: ['"name":"post"', "the source of it"],
      },
      {
        name: "GET /scripts",
        method: "GET",
        path: "/scripts?fields=summary",
        expect: { ...viewersGet(200), outsider: 200, otherBoundKey: 200 },
        excludes: ["the source of it"],
        check: ({ json }, actor) => {
          const seen: Partial<Record<Actor, string[]>> = {
            owner: ["hello", "post"],
            admin: ["hello", "post"],
            fullKey: ["hello", "post"],
            outsider: [],
            otherBoundKey: ["hello"],
          };
          const names = json.map((script: { name: string }) => script.name).toSorted();
          expect(names).toEqual(seen[actor] ?? ["post"]);
        },
      },
      {
        name: "POST /scripts",
        method: "POST",
        path: "/scripts",
        options: () => ({ body: { app_id: plane.blog, name: "new one", source: "40 + 2" } }),
        expect: editorsGet(201),
        contains: ['"version":1', '"kind":"endpoint"', '"direct_execute":"members"'],
      },
      {
        name: "GET /scripts/{id}",
        method: "GET",
        path: () => `/scripts/${scriptId}`,
        expect: viewersGet(200),
        contains: ["the source of it"],
        check: ({ headers }) => expect(headers.get("etag")).toBe('"1"'),
      },
      {
        name: "PUT /scripts/{id}",
        method: "PUT",
        path: () => `/scripts/${scriptId}`,
        options: { body: { source: "2" } },
        expect: editorsGet(200),
        contains: ['"version":2'],
      },
      {
        name: "DELETE /scripts/{id}",
        method: "DELETE",
        path: () => `/scripts/${scriptId}`,
        expect: appAdminsGet(204),
      },
      {
        name: "GET /scripts/{id}/versions",
        method: "GET",
        path: () => `/scripts/${scriptId}/versions`,
        expect: viewersGet(200),
        contains: ['"version":1', '"live":true', '"next_cursor":null'],
        excludes: ["the source of it"],
      },
      {
        name: "GET /scripts/{id}/versions/1",
        method: "GET",
        path: () => `/scripts/${scriptId}/versions/1`,
        expect: viewersGet(200),
        contains: ["the source of it"],
      },
      {
        name: "POST /scripts/{id}/versions/1:activate",
        method: "POST",
        path: () => `/scripts/${scriptId}/versions/1:activate`,
        expect: editorsGet(200),
        contains: ["the source of it"],
      },
      {
        name: "GET /scripts/{id}/versions/7",
        method: "GET",
        path: () => `/scripts/${scriptId}/versions/7`,
        expect: { owner: 404, outsider: 404 },
      },
      {
        name: "GET /scripts/{id}/logs",
        method: "GET",
        path: () => `/scripts/${scriptId}/logs`,
        expect: viewersGet(200),
        check: ({ json }) => expect(json).toEqual([]),
      },
      {
        name: "GET /apps/blog/scripts/post",
        method: "GET",
        path: "/apps/blog/scripts/post",
        expect: viewersGet(200),
        contains: ["the source of it"],
      },
      {
        name: "GET /apps/blog/scripts/post/source",
        method: "GET",
        path: "/apps/blog/scripts/post/source",
        expect: viewersGet(200),
        check: ({ text, headers }) => {
          expect(text).toBe(SOURCE);
          expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
        },
      },
      {
        name: "PUT /apps/blog/scripts/post",
        method: "PUT",
        path: "/apps/blog/scripts/post",
        options: { raw: "2" },
        expect: editorsGet(200),
        contains: ['"version":2'],
      },
      {
        name: "DELETE /apps/blog/scripts/post",
        method: "DELETE",
        path: "/apps/blog/scripts/post",
        expect: appAdminsGet(204),
      },
      {
        name: "ids that are none",
        method: "GET",
        path: "/scripts/not-an-id",
        expect: { guest: 401, owner: 404 },
      },
    ],
  );

  const put = (body: unknown, headers?: Record<string, string>) =>
    plane.call("editor", "PUT", `/scripts/${scriptId}`, { body, ...(headers && { headers }) });

  test("a save that changes neither source nor settings makes no version", async () => {
    expect((await put({ source: SOURCE })).json.version).toBe(1);
    expect((await put({ description: "Other" })).json).toMatchObject({ version: 1, description: "Other" });
    expect((await put({ sandbox: { max_operations: 500 } })).json.version).toBe(2);
    expect((await put({ sandbox: { max_operations: 500 } })).json.version).toBe(2);
    expect((await put({ timeout_seconds: 5 })).json.version).toBe(3);
    expect((await put({ source: SOURCE })).json).toMatchObject({ version: 3, timeout_seconds: 5 });
  });

  test("scripts are listed page by page, by name, whole or in short", async () => {
    for (const name of ["Alpha", "beta", "gamma", "Ärger", "50%_off"]) {
      await plane.call("editor", "PUT", `/apps/blog/scripts/${encodeURIComponent(name)}`, { raw: "1" });
    }
    const list = (query: string) => plane.call("viewer", "GET", `/scripts?app=blog${query}`);
    const all: string[] = (await list("")).json.map(({ name }: { name: string }) => name);
    expect(all).toHaveLength(6);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await list(`&fields=summary&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      expect(page.json.length).toBeLessThanOrEqual(2);
      for (const script of page.json) {
        expect(script).not.toHaveProperty("source");
        seen.push(script.name);
      }
      cursor = page.headers.get("x-next-cursor");
    }
    expect(seen).toEqual(all);
    // Over all apps that one sees, likewise.
    const first = await plane.call("viewer", "GET", "/scripts?limit=3");
    const second = await plane.call(
      "viewer",
      "GET",
      `/scripts?limit=3&cursor=${first.headers.get("x-next-cursor")}`,
    );
    expect([...first.json, ...second.json].map(({ name }) => name)).toEqual(all);
    expect(second.headers.get("x-next-cursor")).toBeNull();

    const named = async (text: string) =>
      (await list(`&name=${encodeURIComponent(text)}`)).json.map(({ name }: { name: string }) => name);
    expect(await named("ALPHA")).toEqual(["Alpha"]);
    expect(await named("%_")).toEqual(["50%_off"]);
    expect(await named("nothing")).toEqual([]);
    for (const query of ["&limit=0", "&limit=201", "&cursor=x", `&cursor=${btoa("a/b")}`, "&fields=all"]) {
      expect(expectProblem(await list(query)).status).toBe(422);
    }
  });

  test("versions are listed newest first, page by page", async () => {
    for (const source of ["1", "2", "3"]) await put({ source, message: `made ${source}` });
    const first = await plane.call("viewer", "GET", `/scripts/${scriptId}/versions?limit=3`);
    expect(first.json.items.map((row: { version: number }) => row.version)).toEqual([4, 3, 2]);
    expect(first.json.items[0]).toMatchObject({
      live: true,
      message: "made 3",
      author_id: plane.users["editor"],
    });
    const path = `/scripts/${scriptId}/versions?limit=3&cursor=${first.json.next_cursor}`;
    const second = await plane.call("viewer", "GET", path);
    expect(second.json.items.map((row: { version: number }) => row.version)).toEqual([1]);
    expect(second.json.next_cursor).toBeNull();
    expectProblem(await plane.call("viewer", "GET", `/scripts/${scriptId}/versions?limit=0`), "validation");
    expectProblem(await plane.call("viewer", "GET", `/scripts/${scriptId}/versions?cursor=x`), "validation");
  });

  test("an older version is made live again, and back, without making new ones", async () => {
    await put({ source: '"second"' });
    const activate = (version: string, headers: Record<string, string> = {}) =>
      plane.call("editor", "POST", `/scripts/${scriptId}/versions/${version}:activate`, { headers });
    const back = await activate("1");
    expect(back).toMatchObject({ status: 200, json: { version: 1, source: SOURCE } });
    expect(back.headers.get("etag")).toBe('"1"');
    expect(plane.catalog.script(scriptId)?.liveVersion).toBe(1);
    // The next save counts on from the newest.
    expect((await put({ source: '"third"' })).json.version).toBe(3);
    expect((await activate("2")).json.source).toBe('"second"');
    expectProblem(await activate("1", { "if-match": '"3"' }), "version_mismatch");
    for (const version of ["4", "0", "x", "99999999999"]) expectProblem(await activate(version), "not_found");
    const { json } = await plane.call("viewer", "GET", `/scripts/${scriptId}/versions`);
    expect(json.items.map((row: { live: boolean }) => row.live)).toEqual([false, true, false]);
  });

  test("the database itself refuses to change a version", async () => {
    const attempt = plane.db`update script_versions set source = 'forged' where script_id = ${scriptId}`;
    expect(attempt.then(() => "changed")).rejects.toThrow("never changed");
  });

  test("If-Match saves only over the version that was seen", async () => {
    expect((await put({ source: "1" }, { "if-match": '"1"' })).status).toBe(200);
    const stale = await put({ source: "2" }, { "if-match": '"1"' });
    expect(stale.status).toBe(412);
    expect(expectProblem(stale, "version_mismatch").details).toEqual({ version: 2 });
    expect((await put({ source: "3" }, { "if-match": '"7", W/"2"' })).json.version).toBe(3);
    expect((await put({ source: "4" }, { "if-match": "*" })).json.version).toBe(4);
  });

  test("of two saves over the same version at once, one wins and the other is told", async () => {
    const both = await Promise.all(["1", "2"].map((source) => put({ source }, { "if-match": '"1"' })));
    expect(both.map((answer) => answer.status).toSorted()).toEqual([200, 412]);
    const { json } = await plane.call("owner", "GET", `/scripts/${scriptId}`);
    expect(json.version).toBe(2);
  });

  test("saves at once without If-Match all become versions, each a different one", async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => put({ source: `${n}00` })));
    const versions = answers.map((answer) => answer.json.version).toSorted();
    expect(versions).toEqual([2, 3, 4, 5, 6, 7]);
    const { json } = await plane.call("owner", "GET", `/scripts/${scriptId}`);
    const last = answers.find((answer) => answer.json.version === 7);
    expect(json.source).toBe(last?.json.source);
  });

  test("two scripts of one name at once: one is created", async () => {
    const body = { app_id: "blog", name: "twin", source: "1" };
    const both = await Promise.all([1, 2].map(() => plane.call("editor", "POST", "/scripts", { body })));
    expect(both.map((answer) => answer.status).toSorted()).toEqual([201, 409]);
  });

  test("renaming to a taken name is 409", async () => {
    await plane.call("editor", "PUT", "/apps/blog/scripts/other", { raw: "1" });
    expectProblem(await put({ name: "other" }), "name_taken");
    expect((await put({ name: "renamed" })).json.name).toBe("renamed");
  });

  test("a limit above the ceiling is refused, naming field, requested and ceiling", async () => {
    const asked = async (body: unknown) => expectProblem(await put(body), "above_ceiling").details;
    expect(await asked({ timeout_seconds: 301 })).toEqual({
      field: "timeout_seconds",
      requested: 301,
      ceiling: 300,
    });
    expect(await asked({ memory_limit_mb: 9999 })).toEqual({
      field: "memory_limit_mb",
      requested: 9999,
      ceiling: 512,
    });
    expect(await asked({ sandbox: { max_call_levels: 129 } })).toEqual({
      field: "sandbox.max_call_levels",
      requested: 129,
      ceiling: 128,
    });
    const problem = expectProblem(await put({ sandbox: { max_fun: 1 } }), "validation");
    expect(problem.details.field).toBe("sandbox.max_fun");
    expect(problem.details.expected).toContain("max_operations");
    expectProblem(await put({ sandbox: { max_operations: 0 } }), "validation");
    expectProblem(await put({ timeout_seconds: "5" }), "validation");
  });

  test("modules: name, kind, and no routes", async () => {
    const named = (name: string) =>
      plane.call("editor", "PUT", `/apps/blog/scripts/${encodeURIComponent(name)}?kind=module`, {
        raw: "fn f() { 1 }",
      });
    expect((await named("my_lib")).json.script.kind).toBe("module");
    for (const name of ["My-Lib", "9lives", "kv", "while"])
      expectProblem(await named(name), "invalid_module_name");
    // Without saying so again it stays a module.
    const again = await plane.call("editor", "PUT", "/apps/blog/scripts/my_lib", { raw: "fn f() { 2 }" });
    expect(again.json.script).toMatchObject({ kind: "module", version: 2 });
    const routed = await plane.call("editor", "PUT", "/apps/blog/scripts/my_lib?route=/lib", {
      raw: "fn f() { 3 }",
    });
    expectProblem(routed, "script_is_module");

    await plane.call("editor", "POST", `/scripts/${scriptId}/routes`, { body: { path: "/post" } });
    const refused = expectProblem(await put({ kind: "module", source: "fn f() { 1 }" }), "script_has_routes");
    expect(refused.details.route_count).toBe(1);
  });

  test("a module holds declarations only", async () => {
    const save = (raw: string) => plane.call("editor", "PUT", "/apps/blog/scripts/lib?kind=module", { raw });
    const declarations =
      'import "other" as o;\nconst A = 1;\nexport const B = 2;\nfn f(x) { x + 1 }\nprivate fn g() { }\n;';
    expect((await save(declarations)).status).toBe(201);
    for (const statement of ["f(1);", "let x = 1;", "1", "if true { }"]) {
      const { details } = expectProblem(await save(`${declarations}\n${statement}`), "module_shape");
      expect(details).toMatchObject({ line: 7, column: expect.any(Number) });
      expect(details.excerpt).toStartWith(statement);
    }
    // What is fine for an endpoint is checked again when it becomes a module.
    const endpoint = await plane.call("editor", "PUT", "/apps/blog/scripts/later", { raw: "1 + 1" });
    const changed = await plane.call("editor", "PUT", `/scripts/${endpoint.json.script.id}`, {
      body: { kind: "module" },
    });
    expectProblem(changed, "module_shape");
  });

  test("names that no path could hold are refused with a reason", async () => {
    const names = ["a/b", "..", ".", "a\\b", "a\nb", "tab\tbed", "x".repeat(129), " padded", "\u202egnp.exe"];
    for (const name of names) {
      const answer = await plane.call("editor", "POST", "/scripts", {
        body: { app_id: "blog", name, source: "1" },
      });
      const problem = expectProblem(answer, "invalid_name");
      expect(problem.details.field).toBe("name");
    }
    const fine = ["x".repeat(128), "ünïcode ☃", "a:b", "~tilde", "100 %", "routes:check"];
    for (const name of fine) {
      const path = `/apps/blog/scripts/${encodeURIComponent(name)}`;
      expect((await plane.call("editor", "PUT", path, { raw: "1" })).status).toBe(201);
      expect((await plane.call("editor", "GET", path)).json.name).toBe(name);
    }
  });

  test("the log of a script shows its runs, newest first, and those of no other script", async () => {
    const other = await plane.call("editor", "PUT", "/apps/blog/scripts/other", { raw: "1" });
    const run = (script: string, second: number, path: string) => plane.db`
      insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind, status,
        status_code, duration_ms, operations, request, response_summary, error, logs, created_at)
      values (${plane.blog}, ${Bun.randomUUIDv7()}, ${script}, 1, ${Bun.randomUUIDv7()}, ${Bun.randomUUIDv7()}, 'http',
        'error', 502, 1.5, 42, ${plane.db.json({ method: "GET", path, headers: {} })}, null,
        ${plane.db.json({ code: "script_error", message: "no", line: 1, column: 2 })},
        ${plane.db.json([{ ts: "2030-01-01T00:00:00.000Z", level: "info", message: "hi" }])},
        ${new Date(Date.UTC(2030, 0, 1, 0, 0, second))})`;
    await run(scriptId, 1, "/first");
    await run(scriptId, 2, "/second");
    await run(other.json.script.id, 3, "/other");
    const page = await plane.call("viewer", "GET", `/scripts/${scriptId}/logs?limit=1`);
    expect(page.json).toMatchObject([
      {
        script_id: scriptId,
        status: "error",
        request: { path: "/second" },
        error: { line: 1 },
        logs: [{ message: "hi" }],
      },
    ]);
    const rest = await plane.call("viewer", "GET", `/scripts/${scriptId}/logs?offset=1`);
    expect(rest.json).toMatchObject([{ request: { path: "/first" } }]);
    expectProblem(await plane.call("viewer", "GET", `/scripts/${scriptId}/logs?limit=201`), "validation");
  });

  test("a deleted script takes its routes and versions along", async () => {
    await plane.call("editor", "POST", `/scripts/${scriptId}/routes`, { body: { path: "/post" } });
    await plane.call("appAdmin", "DELETE", `/scripts/${scriptId}`);
    const [row] = await plane.db`
      select (select count(*) from routes where script_id = ${scriptId})
        + (select count(*) from script_versions where script_id = ${scriptId}) as rows`;
    expect(row?.["rows"]).toBe(0);
    expect(plane.catalog.script(scriptId)).toBeUndefined();
  });
});
