import { expect, test } from "bun:test";
import { endpoints } from "./support/documented.ts";

interface Hooks {
  readonly detail?: { readonly summary?: string; readonly tags?: readonly string[] };
  readonly body?: unknown;
  readonly parse?: unknown;
  readonly response?: Record<string, unknown>;
}

test("there are endpoints, all under the API's root", () => {
  expect(endpoints.length).toBeGreaterThan(30);
  for (const { path } of endpoints) expect(path).toStartWith("/api/v1/admin/");
});

test("every endpoint that takes JSON reads it our way: limited, strict, with clear errors", () => {
  const without = endpoints
    .filter(({ hooks }) => (hooks as Hooks).body !== undefined && (hooks as Hooks).parse === undefined)
    .map(({ method, path }) => `${method} ${path}`);
  expect(without).toEqual([]);
});

test("every endpoint that changes something, and takes no JSON, says that it reads no body by itself", () => {
  const without = endpoints
    .filter(({ method }) => method === "POST" || method === "PUT" || method === "PATCH")
    .filter(({ hooks }) => (hooks as Hooks).parse === undefined)
    .map(({ method, path }) => `${method} ${path}`);
  expect(without).toEqual([]);
});

test("every endpoint declares its answers by status, the refusals among them", () => {
  for (const { method, path, hooks } of endpoints) {
    const statuses = Object.keys((hooks as Hooks).response ?? {});
    expect([method, path, statuses.some((status) => status.startsWith("2"))]).toEqual([method, path, true]);
    if (path !== "/api/v1/admin/auth/logout")
      expect([method, path, statuses]).toEqual([method, path, expect.arrayContaining(["401"])]);
  }
});

test("every endpoint says in a short sentence what it is for, and to which noun it belongs", () => {
  for (const { method, path, hooks } of endpoints) {
    const { summary = "", tags = [] } = (hooks as Hooks).detail ?? {};
    expect([method, path, summary.length > 4 && summary.length <= 80, tags.length]).toEqual([
      method,
      path,
      true,
      1,
    ]);
    expect(summary).not.toEndWith(".");
  }
});

test("objects that clients send have no unknown fields", () => {
  const open = endpoints.filter(({ hooks }) => {
    const body = (hooks as Hooks).body as { type?: string; additionalProperties?: boolean } | undefined;
    return body !== undefined && (body.type !== "object" || body.additionalProperties !== false);
  });
  expect(open.map(({ path }) => path)).toEqual([]);
});
