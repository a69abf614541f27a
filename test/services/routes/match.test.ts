import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  compileRoutes,
  conflicts,
  parseRoute,
  type RouteInput,
  type RoutePattern,
} from "../../../src/services/routes/index.ts";

const table = (...inputs: (string | RouteInput)[]) =>
  compileRoutes(inputs.map((input) => parseRoute(typeof input === "string" ? { path: input } : input)));

const pathOf = (inputs: (string | RouteInput)[], path: string, method = "GET", host = "any.test") =>
  table(...inputs).match(method, host, path)?.route.path;

describe("which route answers", () => {
  test.each([
    ["exact before param", ["/users/:id", "/users/me"], "/users/me", "/users/me"],
    ["exact before a longer prefix", ["/a/b/*", "/a/b/c"], "/a/b/c", "/a/b/c"],
    ["more leading literals first", ["/a/:x/c", "/a/b/*"], "/a/b/c", "/a/b/"],
    ["param before prefix on a tie", ["/a/*", "/a/:x"], "/a/b", "/a/:x"],
    ["the longest prefix", ["/*", "/a/*", "/a/b/*"], "/a/b/c/d", "/a/b/"],
    ["a prefix does not answer its bare name", ["/a/*"], "/a", undefined],
    ["a prefix answers its own slash", ["/a/*"], "/a/", "/a/"],
    ["the catch-all answers the root", ["/*"], "/", "/"],
    ["a parameter takes no empty segment", ["/a/:x"], "/a/", undefined],
    ["a trailing slash is another path", ["/a"], "/a/", undefined],
    ["duplicate slashes are kept", ["/a/b", "/a//b"], "/a//b", "/a//b"],
    ["literals are compared decoded", ["/caf\u00e9"], "/caf%C3%A9", "/caf\u00e9"],
    ["%2F makes no segment", ["/a/:x", "/a/b/c"], "/a/b%2Fc", "/a/:x"],
    ["%2F does not reach a literal", ["/a/b"], "/a%2Fb", undefined],
    ["%2F behind a prefix", ["/a/*"], "/a/b%2Fc", "/a/"],
    ["case counts", ["/A"], "/a", undefined],
  ])("%s", (_name, routes, path, expected) => {
    expect(pathOf(routes, path)).toBe(expected);
  });

  test("a route with the method beats one for any method, which takes the rest", () => {
    const routes = table({ path: "/a", method: "post", dispatch_mode: "async" }, { path: "/a" });
    expect(routes.match("POST", "h", "/a")?.route.method).toBe("POST");
    expect(routes.match("GET", "h", "/a")?.route.method).toBeNull();
  });

  test("HEAD goes to its own route, then to GET's, then to any", () => {
    expect(table({ path: "/a", method: "GET" }, { path: "/a" }).match("HEAD", "h", "/a")?.route.method).toBe(
      "GET",
    );
    expect(
      table({ path: "/a", method: "GET" }, { path: "/a", method: "HEAD" }).match("HEAD", "h", "/a")?.route
        .method,
    ).toBe("HEAD");
    expect(table({ path: "/a", method: "HEAD" }).match("GET", "h", "/a")).toBeNull();
  });

  test("a path that exists for another method falls through to a less specific one", () => {
    expect(pathOf([{ path: "/a", method: "POST" }, "/:x"], "/a", "GET")).toBe("/:x");
  });

  test("host buckets: strict, longer wildcard, shorter wildcard, any; falling through when the path is missing", () => {
    const routes = table(
      { path: "/x", host: "a.b.example.com", host_param_name: null },
      { path: "/x", host: "*.b.example.com" },
      { path: "/x", host: "*.example.com" },
      { path: "/y", host: "*.example.com" },
      { path: "/x" },
      { path: "/z" },
    );
    const hostOf = (host: string, path: string) => routes.match("GET", host, path)?.route.host;
    expect(hostOf("a.b.example.com", "/x")).toBe("a.b.example.com");
    expect(hostOf("c.b.example.com", "/x")).toBe("*.b.example.com");
    expect(hostOf("c.d.example.com", "/x")).toBe("*.example.com");
    expect(hostOf("a.b.example.com", "/y")).toBe("*.example.com");
    expect(hostOf("a.b.example.com", "/z")).toBe("");
    expect(hostOf("example.com", "/x")).toBe("");
    expect(routes.match("GET", "example.com", "/y")).toBeNull();
  });

  test("captures: decoded segments, the host's part, the remainder of a prefix", () => {
    const params = table("/u/:id/:__proto__").match("GET", "h", "/u/a%2Fb/%C3%A9")?.params;
    expect(params?.["id"]).toBe("a/b");
    expect(params?.["__proto__"]).toBe("\u00e9");
    const tenant = table({ path: "/p/:x", host: "{tenant}.example.com" }).match(
      "GET",
      "a.b.example.com",
      "/p/1",
    );
    expect({ ...tenant?.params }).toEqual({ tenant: "a.b", x: "1" });
    expect(table("/f/*").match("GET", "h", "/f/a//b%20c")?.rest).toBe("a//b c");
    expect(table("/f/*").match("GET", "h", "/f/a%2Fb/c")?.rest).toBe("a%2Fb/c");
    expect(table("/f/g/*").match("GET", "h", "/f/g/")?.rest).toBe("");
  });

  test("answers 400 for escapes that cannot be decoded", () => {
    for (const path of ["/%zz", "/a%", "/%ff"]) {
      expect(() => table("/*").match("GET", "h", path)).toThrow("percent escape");
    }
  });
});

// --- against the rules, written down naively ---

const segment = fc.constantFrom("a", "b", ":x", ":y", "");
const path = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([segments, prefix]) => {
    const names = new Set<string>();
    const unique = segments.map((text) =>
      text.startsWith(":") ? (names.has(text) ? "a" : (names.add(text), text)) : text,
    );
    return `/${(prefix ? unique.map((text) => text.replace(":", "")) : unique).join("/")}${prefix ? "/*" : ""}`;
  });
const input: fc.Arbitrary<RouteInput> = fc.record({
  path,
  method: fc.constantFrom(null, "GET", "POST", "HEAD"),
  host: fc.constantFrom("", "", "a.t", "*.t", "*.a.t"),
});

function reference(
  routes: readonly RoutePattern[],
  method: string,
  host: string,
  url: string,
): RoutePattern | undefined {
  const parts = url.slice(1).split("/");
  const hostRank = (route: RoutePattern): number => {
    if (route.hostKind === "any") return 0;
    if (route.hostKind === "strict") return route.host === host ? 1000 : -1;
    const suffix = route.host.slice(1);
    return host.endsWith(suffix) && host.length > suffix.length ? suffix.length : -1;
  };
  const leading = (route: RoutePattern): number => {
    if (route.pathKind === "exact") return 1000;
    const segments = route.path.slice(1).split("/");
    const count = segments.findIndex((text) => text.startsWith(":"));
    return count === -1 ? segments.length - 1 : count;
  };
  const methodRank = (route: RoutePattern): number => {
    if (route.method === method) return 3;
    if (method === "HEAD" && route.method === "GET") return 2;
    return route.method === null ? 1 : -1;
  };
  const fits = (route: RoutePattern): boolean => {
    if (route.pathKind === "exact") return route.path === url;
    if (route.pathKind === "prefix") return url.startsWith(route.path);
    const segments = route.path.slice(1).split("/");
    return (
      segments.length === parts.length &&
      segments.every((text, index) => (text.startsWith(":") ? parts[index] !== "" : text === parts[index]))
    );
  };
  return routes
    .filter((route) => hostRank(route) >= 0 && methodRank(route) > 0 && fits(route))
    .sort(
      (a, b) =>
        hostRank(b) - hostRank(a) ||
        leading(b) - leading(a) ||
        Number(a.pathKind === "prefix") - Number(b.pathKind === "prefix") ||
        methodRank(b) - methodRank(a),
    )[0];
}

test("the table agrees with the rules for any set of routes that do not conflict", () => {
  fc.assert(
    fc.property(
      fc.array(input, { maxLength: 12 }),
      fc.array(
        fc.tuple(
          fc.constantFrom("GET", "POST", "HEAD", "PUT"),
          fc.constantFrom("a.t", "b.a.t", "c.t", "t", "other"),
          fc
            .array(fc.constantFrom("a", "b", "q", ""), { minLength: 1, maxLength: 5 })
            .map((parts) => `/${parts.join("/")}`),
        ),
        { minLength: 1, maxLength: 8 },
      ),
      (inputs, requests) => {
        const routes: RoutePattern[] = [];
        for (const route of inputs.map(parseRoute)) {
          if (!routes.some((other) => conflicts(route, other))) routes.push(route);
        }
        const compiled = compileRoutes(routes);
        for (const [method, host, url] of requests) {
          expect(compiled.match(method, host, url)?.route).toBe(
            reference(routes, method, host, url) as RoutePattern,
          );
        }
      },
    ),
    { numRuns: 2000 },
  );
});
