import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startControlPlane, type ControlPlane, type Json } from "../manager/support/control-plane.ts";
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
    expect(json).toEqual(JSON.parse(JSON.stringify(document)));
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
