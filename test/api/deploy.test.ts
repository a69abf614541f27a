import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startControlPlane, type CallOptions, type ControlPlane } from "../manager/support/control-plane.ts";
import { expectProblem } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);
beforeEach(async () => {
  await plane.db`delete from scripts where app_id = ${plane.blog}`;
  await plane.call("owner", "DELETE", "/apps/default/scripts/greet");
});

const deploy = (path: string, raw: string | Uint8Array, options: CallOptions = {}) =>
  plane.call("owner", "PUT", `/apps/default/scripts/${path}`, { raw, ...options });

describe("deploying with curl", () => {
  test("creates with 201, updates with 200, and answers script, version and addresses", async () => {
    const created = await deploy("greet?route=/greet/:name", '"one"');
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({
      version: 1,
      urls: ["http://pi:8080/greet/:name"],
      warnings: [],
      script: { name: "greet", kind: "endpoint", source: '"one"', version: 1 },
    });
    const updated = await deploy("greet?route=/greet/:name", '"two"');
    expect(updated.status).toBe(200);
    expect(updated.json).toMatchObject({ version: 2, urls: ["http://pi:8080/greet/:name"] });
    expect(updated.headers.get("etag")).toBe('"2"');
  });

  test("what is saved is what the data plane knows when the answer comes", async () => {
    const { json } = await deploy("greet?route=/greet", "1");
    expect(plane.catalog.script(json.script.id)?.liveVersion).toBe(1);
    const app = plane.catalog.resolveApp("pi:8080").app;
    expect(plane.catalog.route(app?.id ?? "", "GET", "pi", "/greet")?.route.scriptId).toBe(json.script.id);
    await deploy("greet", "2");
    expect(plane.catalog.script(json.script.id)?.liveVersion).toBe(2);
  });

  test("the same upload again changes nothing and tells nobody", async () => {
    await deploy("greet?route=/greet", "1");
    const told = plane.told.length;
    const again = await deploy("greet?route=/greet", "1");
    expect(again).toMatchObject({ status: 200, json: { version: 1, urls: ["http://pi:8080/greet"] } });
    expect(plane.told.length).toBe(told);
  });

  test("several routes, commas included, with one method", async () => {
    const { json } = await deploy("greet?route=/a,b&route=/c/*&route=/a,b&method=post&dispatch=async", "1");
    expect(json.urls).toEqual(["http://pi:8080/a,b", "http://pi:8080/c/*"]);
    const { json: routes } = await plane.call("owner", "GET", `/scripts/${json.script.id}/routes`);
    expect(routes).toMatchObject([
      { path: "/a,b", path_kind: "exact", method: "POST", dispatch_mode: "async" },
      { path: "/c/", path_kind: "prefix", method: "POST", dispatch_mode: "async" },
    ]);
  });

  test("a route that the script has already keeps its dispatch unless another is named", async () => {
    const { json } = await deploy("greet?route=/greet&dispatch=async", "1");
    const mode = async () =>
      (await plane.call("owner", "GET", `/scripts/${json.script.id}/routes`)).json.map(
        (route: { dispatch_mode: string }) => route.dispatch_mode,
      );
    await deploy("greet?route=/greet", "2");
    expect(await mode()).toEqual(["async"]);
    await deploy("greet?route=/greet&dispatch=sync", "2");
    expect(await mode()).toEqual(["sync"]);
  });

  test("the same path for another method is another route", async () => {
    await deploy("greet?route=/greet", "1");
    const { json } = await deploy("greet?route=/greet&method=GET", "1");
    const { json: routes } = await plane.call("owner", "GET", `/scripts/${json.script.id}/routes`);
    expect(routes.map((route: { method: string | null }) => route.method)).toEqual([null, "GET"]);
  });

  test("a route conflict names the rival, and leaves everything as it was", async () => {
    await deploy("greet?route=/greet", '"old"');
    const refused = await deploy("thief?route=/mine&route=/greet", '"new"');
    expect(refused.status).toBe(409);
    const problem = expectProblem(refused, "route_conflict");
    expect(problem.details.conflict).toMatchObject({ path: "/greet", script_name: "greet", method: null });
    expect((await plane.call("owner", "GET", "/apps/default/scripts/thief")).status).toBe(404);

    await deploy("victim", '"first"');
    expectProblem(await deploy("victim?route=/greet", '"second"'), "route_conflict");
    const victim = await plane.call("owner", "GET", "/apps/default/scripts/victim");
    expect(victim.json).toMatchObject({ version: 1, source: '"first"' });
    const { json: rows } = await plane.call("owner", "GET", `/scripts/${victim.json.id}/versions`);
    expect(rows.items.length).toBe(1);
    await plane.call("owner", "DELETE", "/apps/default/scripts/victim");
  });

  test("of two scripts that claim one route at once, one gets it", async () => {
    const answers = await Promise.all(
      ["first", "second", "third"].map((name) => deploy(`${name}?route=/contested/:${name}`, `"${name}"`)),
    );
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, 409, 409]);
    const { json: scripts } = await plane.call("owner", "GET", "/scripts?app=default");
    const made = scripts.filter((script: { name: string }) =>
      ["first", "second", "third"].includes(script.name),
    );
    expect(made.length).toBe(1);
    await plane.call("owner", "DELETE", `/scripts/${made[0].id}`);
  });

  test("a script created twice at once is created once and updated once", async () => {
    const answers = await Promise.all([1, 2].map((n) => deploy("greet", `${n}`)));
    expect(answers.map((answer) => [answer.status, answer.json.version]).toSorted()).toEqual([
      [200, 2],
      [201, 1],
    ]);
  });

  test("a source that does not compile: line, column and caret, and nothing has changed", async () => {
    await deploy("greet", '"old"');
    const refused = await deploy("greet?route=/greet", "let a = 1;\nlet b = a +;\n");
    expect(refused.status).toBe(422);
    const { details } = expectProblem(refused, "compile_error");
    expect(details).toMatchObject({ line: 2, column: 12 });
    expect(details.message.length).toBeGreaterThan(3);
    expect(details.excerpt).toBe("let b = a +;\n           ^");
    const { json } = await plane.call("owner", "GET", "/apps/default/scripts/greet");
    expect(json).toMatchObject({ version: 1, source: '"old"' });
    const { json: routes } = await plane.call("owner", "GET", `/scripts/${json.id}/routes`);
    expect(routes).toEqual([]);
  });

  test("JSON carries any fields of the script; a script that was read can be sent back", async () => {
    const created = await plane.call("owner", "PUT", "/apps/default/scripts/greet", {
      body: { source: "1", description: "Greets", timeout_seconds: 3, direct_execute: "public" },
    });
    expect(created.json.script).toMatchObject({
      description: "Greets",
      timeout_seconds: 3,
      direct_execute: "public",
    });
    const { json: read } = await plane.call("owner", "GET", "/apps/default/scripts/greet");
    const sent = await plane.call("owner", "PUT", "/apps/default/scripts/greet", {
      body: { ...read, source: "2" },
    });
    expect(sent.json).toMatchObject({ version: 2, script: { description: "Greets" } });
    const partial = await plane.call("owner", "PUT", "/apps/default/scripts/greet", {
      body: { description: "" },
    });
    expect(partial.json).toMatchObject({ version: 2, script: { source: "2", description: "" } });

    const put = (body: unknown) => plane.call("owner", "PUT", "/apps/default/scripts/greet", { body });
    expectProblem(await put({ name: "other" }), "read_only");
    expectProblem(await put({ app_id: plane.blog }), "read_only");
    expect(expectProblem(await put({ sauce: "1" }), "validation").details.field).toBe("sauce");
    const nothing = await plane.call("owner", "PUT", "/apps/default/scripts/fresh", { body: {} });
    expectProblem(nothing, "source_missing");
  });

  test("a misspelt parameter is refused rather than ignored", async () => {
    const problem = expectProblem(await deploy("greet?rout=/x", "1"), "validation");
    expect(problem.details).toMatchObject({ field: "rout" });
    expect(problem.details.expected).toContain("route");
    expectProblem(await deploy("greet?method=GET", "1"), "validation");
    expectProblem(await deploy("greet?route=/x&dispatch=later", "1"), "validation");
    expectProblem(await deploy("greet?route=/x&method=NO%20WAY", "1"), "invalid_route");
    expectProblem(await deploy("greet?route=/api/x", "1"), "invalid_route");
    expectProblem(await deploy("greet?kind=modul", "1"), "validation");
  });

  test("addresses: the configured base, or the hosts that the app claims", async () => {
    const nowhere = await plane.call("owner", "PUT", "/apps/blog/scripts/post?route=/post", { raw: "1" });
    expect(nowhere.json.urls).toEqual([]);
    expect(nowhere.json.warnings[0].message).toContain("claim a domain");
    await plane.call("owner", "POST", "/apps/blog/domains", { body: { pattern: "blog.example.com" } });
    await plane.call("owner", "POST", "/apps/blog/domains", { body: { pattern: "*.blog.example.com" } });
    const claimed = await plane.call("owner", "PUT", "/apps/blog/scripts/post?route=/post", { raw: "1" });
    expect(claimed.json.urls).toEqual([
      "http://*.blog.example.com:8080/post",
      "http://blog.example.com:8080/post",
    ]);
    const behindProxy = await plane.call("owner", "PUT", "/apps/blog/scripts/post", {
      raw: "1",
      address: "127.0.0.1",
      headers: { "x-forwarded-proto": "https", "x-forwarded-host": "blog.example.com" },
    });
    expect(behindProxy.json.urls).toEqual(["https://blog.example.com/post"]);
    await plane.db`delete from app_domains where app_id = ${plane.blog}`;
    await plane.catalog.load();
  });
});
