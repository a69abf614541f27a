import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { published } from "../../src/manager/openapi/document.ts";
import { startControlPlane, type ControlPlane, type Json } from "../manager/support/control-plane.ts";
import { runScenarios } from "../manager/support/scenarios.ts";
import { document } from "../manager/support/documented.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const ask = (path: string, init?: RequestInit) =>
  plane.manager.handle(new Request(`http://pi:8080${path}`, init), { remoteAddress: "10.0.0.1" });

describe("GET /api/v1/openapi.json", () => {
  test("is the document, for anybody", async () => {
    const answer = await ask("/api/v1/openapi.json");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    const json = (await answer.json()) as Json;
    expect(json).toEqual(JSON.parse(JSON.stringify(published(document))));
  });

  test("is sent once: who has it gets 304", async () => {
    const tag = (await ask("/api/v1/openapi.json")).headers.get("etag") ?? "";
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
      const answer = await ask("/api/v1/openapi.json", { headers: { "If-None-Match": known } });
      expect([answer.status, await answer.text()]).toEqual([304, ""]);
    }
  });

  test("answers HEAD, and no other method", async () => {
    const head = await ask("/api/v1/openapi.json", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const method of ["POST", "DELETE", "OPTIONS"])
      expect((await ask("/api/v1/openapi.json", { method })).status).toBe(404);
  });
});

describe("GET /api/v1/docs", () => {
  test("is a page that may load its own two files and nothing else", async () => {
    const answer = await ask("/api/v1/docs");
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    const html = await answer.text();
    const loaded = [...html.matchAll(/<(?:link|script)[^>]* (?:href|src)="([^"]+)"/g)].map(
      ([, path = ""]) => path,
    );
    expect(loaded).toEqual(["/api/v1/docs/style.css", "/api/v1/docs/search.js"]);
    for (const path of loaded) {
      const file = await ask(path);
      expect(file.headers.get("content-type")).toMatch(/^text\/(css|javascript); charset=utf-8$/);
      expect(file.headers.get("x-content-type-options")).toBe("nosniff");
      expect((await file.text()).length).toBeGreaterThan(500);
    }
  });

  test("has nothing below it but those files", async () => {
    for (const path of ["/api/v1/docs/", "/api/v1/docs/page.ts", "/api/v1/docs/..%2fx"])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
  });
});

describe("pages of other origins", () => {
  test("are given no leave to read anything of the control plane", async () => {
    const headers = { Origin: "https://elsewhere.example", "Access-Control-Request-Method": "GET" };
    for (const path of ["/api/v1/openapi.json", "/api/v1/admin/apps", "/api/v1/admin/auth/login"]) {
      for (const method of ["OPTIONS", "GET"]) {
        const answer = await ask(path, { method, headers });
        const allowed = [...answer.headers.keys()].filter((name) => name.startsWith("access-control-"));
        expect([method, path, allowed]).toEqual([method, path, []]);
      }
    }
  });
});

describe("GET /apps/{app}/openapi.json", () => {
  const put = async (name: string, query: string, raw: string) =>
    expect((await plane.call("owner", "PUT", `/apps/blog/scripts/${name}?${query}`, { raw })).status).toBe(
      201,
    );

  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps/blog/openapi.json",
        method: "GET",
        path: "/apps/blog/openapi.json",
        expect: {
          guest: 401,
          outsider: 404,
          viewer: 200,
          editor: 200,
          appAdmin: 200,
          admin: 200,
          owner: 200,
        },
        contains: ['"title":"Blog"'],
      },
    ],
  );

  test("has the app's routes with what its scripts say about themselves", async () => {
    await plane.call("owner", "POST", "/apps/blog/domains", { body: { pattern: "blog.example.com" } });
    await put(
      "post",
      "route=/posts/:id&method=PUT",
      [
        "// a licence, perhaps",
        "//! @summary Writes a post",
        "//! Needs the right cookie.",
        '//! @body {"title":"Hello"}',
        "//! @response The post as it is now",
        '//! @response 404 {"error":"no such post"}',
        '"code"',
        "//! @summary not at the head",
      ].join("\n"),
    );
    await put("files", "route=/files/*&method=GET", "1");
    await put("later", "route=/later&method=POST&dispatch=async", "//! @body anything\n1");
    const { json } = await plane.call("viewer", "GET", "/apps/blog/openapi.json");
    expect(json.servers).toEqual([{ url: "http://blog.example.com:8080" }]);
    expect(json.paths["/posts/{id}"]).toEqual({
      put: {
        summary: "Writes a post",
        description: "Needs the right cookie.",
        tags: ["post"],
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
        requestBody: { content: { "application/json": { example: { title: "Hello" } } } },
        responses: {
          200: { description: "The post as it is now", content: { "*/*": {} } },
          404: { description: "", content: { "application/json": { example: { error: "no such post" } } } },
        },
        "x-script-id": expect.any(String),
      },
    });
    expect(json.paths["/files/{rest}"].get).toMatchObject({ summary: "files", tags: ["files"] });
    expect(json.paths["/later"].post).toMatchObject({
      requestBody: { description: "anything" },
      responses: { 202: { description: "Accepted; runs later." } },
    });
  });

  test("shows a route for any method under each, and one that is switched off not at all", async () => {
    await put("any", "route=/any", "1");
    const { json } = await plane.call("viewer", "GET", "/apps/blog/openapi.json");
    expect(Object.keys(json.paths["/any"])).toEqual(["get", "post", "put", "patch", "delete"]);
    await plane.db`update routes set enabled = false where path = '/any'`;
    expect((await plane.call("viewer", "GET", "/apps/blog/openapi.json")).json.paths["/any"]).toBeUndefined();
  });
});
