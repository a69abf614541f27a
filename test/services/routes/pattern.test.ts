import { describe, expect, test } from "bun:test";
import { conflicts, normaliseHost, parseRoute, type RouteInput } from "../../../src/services/routes/index.ts";
import { AppError } from "../../../src/shared/errors.ts";

function refusal(input: RouteInput): AppError {
  try {
    parseRoute(input);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(input)} was accepted`);
}

describe("the kind of a path", () => {
  test.each([
    ["/greet", "exact", "/greet"],
    ["/greet/", "exact", "/greet/"],
    ["/greet/*", "prefix", "/greet/"],
    ["/*", "prefix", "/"],
    ["/users/:id", "param", "/users/:id"],
    ["/users/:id/posts/:post_id", "param", "/users/:id/posts/:post_id"],
    ["//double", "exact", "//double"],
  ])("%s is %s", (path, kind, stored) => {
    expect(parseRoute({ path })).toMatchObject({ pathKind: kind as "exact", path: stored });
  });

  test("an explicit kind overrides what the text looks like", () => {
    expect(parseRoute({ path: "/a/:b", path_kind: "exact" })).toMatchObject({
      pathKind: "exact",
      path: "/a/:b",
    });
    expect(parseRoute({ path: "/a/*", path_kind: "exact" })).toMatchObject({
      pathKind: "exact",
      path: "/a/*",
    });
    expect(parseRoute({ path: "/a", path_kind: "prefix" })).toMatchObject({
      pathKind: "prefix",
      path: "/a/",
    });
    expect(parseRoute({ path: "/a/", path_kind: "prefix" })).toMatchObject({ path: "/a/" });
  });
});

describe("refused with 422 and the field", () => {
  test.each<[string, RouteInput, string, RegExp]>([
    ["no slash", { path: "greet" }, "path", /start with a slash/],
    ["empty", { path: "" }, "path", /start with a slash/],
    ["a colon inside a segment", { path: "/a/b:c" }, "path", /whole segment/],
    ["two colons", { path: "/a/:b:c" }, "path", /whole segment/],
    ["a parameter without name", { path: "/a/:" }, "path", /name/],
    ["a name that is no identifier", { path: "/a/:1x" }, "path", /letters/],
    ["a parameter twice", { path: "/:a/:a" }, "path", /twice/],
    ["braces", { path: "/a/{id}" }, "path", /Braces/],
    ["a star inside", { path: "/a/*/b" }, "path", /only at the end/],
    ["a parameter in a prefix", { path: "/a/:id/*" }, "path", /no parameters/],
    ["param without parameter", { path: "/a", path_kind: "param" }, "path", /no :name/],
    ["a query", { path: "/a?b" }, "path", /cannot be part/],
    ["NUL", { path: "/a\0" }, "path", /cannot be part/],
    ["a space", { path: "/a b" }, "path", /cannot be part/],
    ["an escape", { path: "/a%20b" }, "path", /%20/],
    ["a dot segment", { path: "/a/../b" }, "path", /resolve/],
    ["a lone surrogate", { path: "/\ud800" }, "path", /Unicode/],
    ["too long", { path: `/${"a".repeat(2000)}` }, "path", /1024/],
    ["/api/", { path: "/api/x" }, "path", /reserved/],
    ["/api", { path: "/api" }, "path", /reserved/],
    ["/admin/*", { path: "/admin/*" }, "path", /reserved/],
    ["/admin/:x", { path: "/admin/:x" }, "path", /reserved/],
    ["/healthz", { path: "/healthz" }, "path", /reserved/],
    ["/metrics", { path: "/metrics" }, "path", /reserved/],
    ["/readyz", { path: "/readyz" }, "path", /reserved/],
    ["/version", { path: "/version" }, "path", /reserved/],
    ["/realtime/x", { path: "/realtime/x" }, "path", /reserved/],
    ["acme", { path: "/.well-known/acme-challenge/x" }, "path", /reserved/],
    ["a method with a space", { path: "/a", method: "GE T" }, "method", /not an HTTP method/],
    ["a host with a scheme", { path: "/a", host: "http://x" }, "host", /not a host/],
    ["a host for any", { path: "/a", host: "x.test", host_kind: "any" }, "host", /leave one/],
    ["a wildcard without star", { path: "/a", host: "x.test", host_kind: "wildcard" }, "host", /starts with/],
    ["strict without host", { path: "/a", host_kind: "strict" }, "host", /not a host/],
    ["a star in the middle", { path: "/a", host: "a.*.test" }, "host", /not a host/],
    [
      "a host parameter without wildcard",
      { path: "/a", host_param_name: "x" },
      "host_param_name",
      /wildcard/,
    ],
    ["one name twice", { path: "/:t", host: "{t}.test" }, "host_param_name", /also a parameter/],
  ])("%s", (_name, input, field, message) => {
    const error = refusal(input);
    expect([error.status, error.code, error.details["field"]]).toEqual([422, "invalid_route", field]);
    expect(error.message).toMatch(message);
  });
});

test("names that only begin like reserved ones are free", () => {
  for (const path of ["/apis", "/api-docs/x", "/administrator", "/*", "/:x", "/healthz2", "/versions"])
    parseRoute({ path });
});

test("hosts and methods are normalised", () => {
  expect(parseRoute({ path: "/a", host: "Example.COM.", method: "get" })).toMatchObject({
    hostKind: "strict",
    host: "example.com",
    method: "GET",
  });
  expect(parseRoute({ path: "/a", host: "{tenant}.Example.com" })).toMatchObject({
    hostKind: "wildcard",
    host: "*.example.com",
    hostParamName: "tenant",
  });
  expect(parseRoute({ path: "/a", host: "[::1]" }).host).toBe("[::1]");
  expect(normaliseHost("Pi.Local.:8080")).toBe("pi.local");
  expect(normaliseHost("[::1]:8080")).toBe("[::1]");
  expect(normaliseHost("[::1]")).toBe("[::1]");
  expect(normaliseHost("")).toBe("");
});

describe("conflicts", () => {
  test.each<[string | RouteInput, string | RouteInput, boolean]>([
    ["/a", "/a", true],
    ["/a", "/a/", false],
    ["/a/*", "/a/*", true],
    ["/a/*", "/a/b/*", false],
    ["/a/*", "/a/:x", false],
    ["/a/:x", "/a/b", false],
    ["/u/:id", "/u/:name", true],
    ["/u/:id", "/:kind/x", true],
    ["/u/:id/x", "/u/:id/y", false],
    ["/u/:id", "/u/:id/x", false],
    [{ path: "/a", method: "GET" }, "/a", false],
    [{ path: "/a", method: "GET" }, { path: "/a", method: "get" }, true],
    [{ path: "/a", host: "x.test" }, "/a", false],
    [{ path: "/a", host: "x.test" }, { path: "/a", host: "X.test" }, true],
    [{ path: "/a", host: "*.test" }, { path: "/a", host: "{t}.test" }, true],
  ])("%p and %p: %p", (a, b, expected) => {
    const parse = (input: string | RouteInput) =>
      parseRoute(typeof input === "string" ? { path: input } : input);
    expect(conflicts(parse(a), parse(b))).toBe(expected);
    expect(conflicts(parse(b), parse(a))).toBe(expected);
  });
});
