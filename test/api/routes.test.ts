import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startControlPlane, type ControlPlane, type Json } from "../manager/support/control-plane.ts";
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

let scriptId = "";
let route: Json;

beforeEach(async () => {
  await plane.db`delete from scripts where app_id = ${plane.blog}`;
  await plane.db`delete from app_domains where app_id = ${plane.blog}`;
  scriptId = (await plane.call("owner", "PUT", "/apps/blog/scripts/post", { raw: "1" })).json.script.id;
  route = (await add({ path: "/posts/:id" })).json;
});

const add = (body: unknown) => plane.call("editor", "POST", `/scripts/${scriptId}/routes`, { body });
const change = (body: unknown) => plane.call("editor", "PATCH", `/routes/${route.id}`, { body });

describe("routes", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /scripts/{id}/routes",
        method: "GET",
        path: () => `/scripts/${scriptId}/routes`,
        expect: viewersGet(200),
        contains: ["/posts/:id"],
      },
      {
        name: "POST /scripts/{id}/routes",
        method: "POST",
        path: () => `/scripts/${scriptId}/routes`,
        options: { body: { path: "/files/*", method: "get" } },
        expect: editorsGet(201),
        check: ({ json }) =>
          expect(json).toMatchObject({
            path: "/files/",
            path_kind: "prefix",
            method: "GET",
            host_kind: "any",
            host: "",
            host_param_name: null,
            dispatch_mode: "sync",
            enabled: true,
            script_id: scriptId,
            app_id: plane.blog,
          }),
      },
      {
        name: "PATCH /routes/{id}",
        method: "PATCH",
        path: () => `/routes/${route.id}`,
        options: { body: { dispatch_mode: "async" } },
        expect: editorsGet(200),
        contains: ['"dispatch_mode":"async"', "/posts/:id"],
      },
      {
        name: "DELETE /routes/{id}",
        method: "DELETE",
        path: () => `/routes/${route.id}`,
        expect: editorsGet(204),
      },
      {
        name: "DELETE of a route that is not there",
        method: "DELETE",
        path: "/routes/0196d3e0-0000-7000-8000-000000000000",
        expect: { guest: 401, owner: 404, outsider: 404 },
      },
      {
        name: "POST /routes:check",
        method: "POST",
        path: "/routes:check",
        options: { body: { app_id: "blog", path: "/posts/:slug" } },
        expect: viewersGet(200),
        check: ({ json }) => {
          expect(json.ok).toBe(false);
          expect(json.normalized).toMatchObject({ path: "/posts/:slug", path_kind: "param" });
          expect(json.conflict).toMatchObject({ id: route.id, script_name: "post" });
        },
      },
      {
        name: "POST /routes:match",
        method: "POST",
        path: "/routes:match",
        options: { body: { app_id: "blog", url: "https://blog.example.com/posts/a%20b?x=1", method: "get" } },
        expect: viewersGet(200),
        check: ({ json }) =>
          expect(json).toMatchObject({
            matched: true,
            params: { id: "a b" },
            script_id: scriptId,
            route: { id: route.id },
          }),
      },
    ],
  );

  test("a binding that collides is 409 and names the route that is there", async () => {
    const answer = await add({ path: "/posts/:other" });
    expect(answer.status).toBe(409);
    expect(expectProblem(answer, "route_conflict").details.conflict).toMatchObject({
      id: route.id,
      path: "/posts/:id",
    });
  });

  test("a binding that is not valid is 422 and names the field", async () => {
    expect(expectProblem(await add({ path: "nothing" }), "invalid_route").details.field).toBe("path");
    expect(expectProblem(await add({ path: "/a/:b:c" }), "invalid_route").details.field).toBe("path");
    expect(expectProblem(await add({ path: "/x", host: "a b" }), "invalid_route").details.field).toBe("host");
    expect(expectProblem(await add({ path: "/api/x" }), "invalid_route").details.field).toBe("path");
    expect(expectProblem(await add({ path: "/x", colour: 1 }), "validation").details.field).toBe("colour");
    expect(expectProblem(await add({}), "validation").details.field).toBe("path");
  });

  test("a host must be claimed by the app first, and its claim stays while a route needs it", async () => {
    expectProblem(await add({ path: "/x", host: "shop.example.com" }), "host_not_claimed");
    const claim = (pattern: string) =>
      plane.call("appAdmin", "POST", "/apps/blog/domains", { body: { pattern } });
    const { json: domain } = await claim("*.example.com");
    expect((await add({ path: "/x", host: "shop.example.com" })).status).toBe(201);
    expect((await add({ path: "/y", host: "{shop}.example.com" })).json).toMatchObject({
      host: "*.example.com",
      host_kind: "wildcard",
      host_param_name: "shop",
    });
    expectProblem(await add({ path: "/x", host: "example.org" }), "host_not_claimed");
    const release = () => plane.call("appAdmin", "DELETE", `/apps/blog/domains/${domain.id}`);
    expectProblem(await release(), "domain_in_use");
    await plane.db`delete from routes where app_id = ${plane.blog}`;
    expect((await release()).status).toBe(204);
  });

  test("a change of a route is checked like a new one", async () => {
    await add({ path: "/fixed" });
    expectProblem(await change({ path: "/fixed" }), "route_conflict");
    expect((await change({ path: "/posts/:slug" })).json).toMatchObject({
      id: route.id,
      path: "/posts/:slug",
    });
    expect((await change({ path: "/all/*" })).json).toMatchObject({ path: "/all/", path_kind: "prefix" });
    expect((await change({ method: "delete" })).json).toMatchObject({
      path: "/all/",
      path_kind: "prefix",
      method: "DELETE",
    });
    expectProblem(await change({ host: "elsewhere.org" }), "host_not_claimed");
    expect((await change({ enabled: false })).json.enabled).toBe(false);
    expect(plane.catalog.route(plane.blog, "DELETE", "any", "/all/x")).toBeNull();
    expect((await change({ enabled: true })).json.enabled).toBe(true);
    expect(plane.catalog.route(plane.blog, "DELETE", "any", "/all/x")?.route.id).toBe(route.id);
  });

  test("a path that nothing answers is no match", async () => {
    const match = (url: string) =>
      plane.call("viewer", "POST", "/routes:match", { body: { app_id: "blog", url } });
    expect((await match("/nothing")).json).toEqual({ matched: false, params: {} });
    expect((await match("/posts/7")).json.matched).toBe(true);
    expectProblem(await match("ftp://x/y"), "invalid_url");
    expectProblem(await match("/posts/%zz"), "malformed_path");
  });

  test("a host that another app claims is no match, and what its own claim names is a parameter", async () => {
    const claim = await plane.call("owner", "POST", "/apps/blog/domains", {
      body: { pattern: "{tenant}.blogs.example" },
    });
    const match = async (host: string) => {
      const body = { app_id: "blog", url: `http://${host}/posts/7` };
      return (await plane.call("viewer", "POST", "/routes:match", { body })).json;
    };
    expect(await match("one.blogs.example")).toMatchObject({ params: { tenant: "one", id: "7" } });
    expect(await match("nobodys.example")).toMatchObject({ matched: true, params: { id: "7" } });
    expect(await match("localhost")).toEqual({ matched: false, params: {} });
    await plane.call("owner", "DELETE", `/apps/blog/domains/${claim.json.id}`);
  });

  test("of several that claim one path at once, one gets it", async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => add({ path: "/rush" })));
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, 409, 409, 409]);
  });

  test("the route of another app is invisible, whatever is asked of it", async () => {
    const { json } = await plane.call("owner", "GET", "/scripts?app=default");
    const { json: routes } = await plane.call("owner", "GET", `/scripts/${json[0].id}/routes`);
    for (const actor of ["viewer", "editor", "appAdmin"] as const) {
      expect((await plane.call(actor, "DELETE", `/routes/${routes[0].id}`)).status).toBe(404);
      const patched = await plane.call(actor, "PATCH", `/routes/${routes[0].id}`, {
        body: { path: "/mine" },
      });
      expect(patched.status).toBe(404);
    }
  });
});

describe("domains", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps/blog/domains",
        method: "GET",
        path: "/apps/blog/domains",
        expect: viewersGet(200),
        check: ({ json }) => expect(json).toEqual([]),
      },
      {
        name: "POST /apps/blog/domains",
        method: "POST",
        path: "/apps/blog/domains",
        options: { body: { pattern: "{Tenant}.Blog.Example.com" } },
        expect: appAdminsGet(201),
        contains: ['"pattern":"{Tenant}.blog.example.com"', '"shape":"parameterised"'],
      },
      {
        name: "DELETE of a domain that is not there",
        method: "DELETE",
        path: "/apps/blog/domains/nothing",
        expect: appAdminsGet(404),
      },
    ],
  );

  test("a shape is claimed once over all apps, and nobody is told by whom", async () => {
    const claim = (app: string, pattern: string) =>
      plane.call("owner", "POST", `/apps/${app}/domains`, { body: { pattern } });
    expect((await claim("blog", "{a}.taken.org")).status).toBe(201);
    const refused = await claim("default", "{b}.taken.org");
    expect(refused.status).toBe(409);
    expectProblem(refused, "domain_claimed");
    expect(refused.text).not.toContain("blog");
    expectProblem(await claim("blog", "http://x.org/"), "invalid_domain");
  });

  test("of two apps that claim a host at once, one gets it", async () => {
    const answers = await Promise.all(
      ["blog", "default"].map((app) =>
        plane.call("owner", "POST", `/apps/${app}/domains`, { body: { pattern: "race.example.com" } }),
      ),
    );
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, 409]);
    await plane.db`delete from app_domains where pattern = 'race.example.com'`;
  });
});

describe("rate limits and idempotency", () => {
  const limit = { requests: 10, window_seconds: 60, key: "header:X-Client" };
  const stored = { ...limit, key: "header:x-client" };

  test("a route has neither unless it is told to", async () => {
    expect(route).toMatchObject({ rate_limit: null, idempotent: false });
    expect(known()).toMatchObject({ rateLimit: null, idempotent: false });
  });

  test("both are kept, told, and known to the data plane at once", async () => {
    const changed = await change({ rate_limit: limit, idempotent: true });
    expect(changed.json).toMatchObject({ rate_limit: stored, idempotent: true });
    expect(known()).toMatchObject({
      rateLimit: { requests: 10, windowSeconds: 60, key: "header:x-client" },
      idempotent: true,
    });
    expect((await change({ path: "/posts/:slug" })).json).toMatchObject({
      rate_limit: stored,
      idempotent: true,
    });
    expect((await change({ rate_limit: null })).json).toMatchObject({ rate_limit: null, idempotent: true });
    expect(known()).toMatchObject({ rateLimit: null, idempotent: true });
  });

  test("a new route may have them from the start, and a deployment that names its path keeps them", async () => {
    const added = await add({ path: "/limited", rate_limit: limit, idempotent: true });
    expect(added).toMatchObject({ status: 201, json: { rate_limit: stored, idempotent: true } });
    await plane.call("editor", "PUT", "/apps/blog/scripts/post?route=/limited", { raw: "2" });
    const { json } = await plane.call("editor", "GET", `/scripts/${scriptId}/routes`);
    expect(json.find((row: Json) => row.path === "/limited")).toMatchObject({
      id: added.json.id,
      rate_limit: stored,
      idempotent: true,
    });
  });

  test.each([
    ["no requests", { ...limit, requests: 0 }],
    ["too many requests", { ...limit, requests: 1_000_001 }],
    ["half a request", { ...limit, requests: 1.5 }],
    ["no window", { ...limit, window_seconds: 0 }],
    ["a window of more than a day", { ...limit, window_seconds: 86_401 }],
    ["an unknown key", { ...limit, key: "country" }],
    ["a header without a name", { ...limit, key: "header:" }],
    ["a header's name with a space", { ...limit, key: "header:a b" }],
    ["an unknown field", { ...limit, burst: 1 }],
    ["a missing field", { requests: 1, key: "ip" }],
    ["something else", "10/min"],
  ])("%s is refused", async (_name, rate_limit) => {
    expect(expectProblem(await change({ rate_limit })).status).toBe(422);
    expect(known()).toMatchObject({ rateLimit: null });
  });

  const known = () => plane.catalog.route(plane.blog, "GET", "any.test", "/posts/1")?.route;
});
