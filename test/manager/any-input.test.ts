import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { startControlPlane, type ControlPlane } from "./support/control-plane.ts";

let plane: ControlPlane;
let scriptId = "";
let routeId = "";
beforeAll(async () => {
  plane = await startControlPlane();
  const { json } = await plane.call("owner", "PUT", "/apps/blog/scripts/post?route=/post", { raw: "1" });
  scriptId = json.script.id;
  routeId = (await plane.call("owner", "GET", `/scripts/${scriptId}/routes`)).json[0].id;
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

/** Endpoints that take JSON, each with a body that it accepts: changed in one place or two, it reaches far. */
const TARGETS: readonly (readonly [
  method: string,
  path: () => string,
  accepted: () => Record<string, unknown>,
])[] = [
  ["POST", () => "/auth/login", () => ({ username: "viewer", password: "x" })],
  [
    "POST",
    () => "/admins",
    () => ({ username: "u", password: "long enough", instance_role: "member", email: "a@b" }),
  ],
  [
    "PATCH",
    () => `/admins/${plane.users["outsider"]}`,
    () => ({ username: "outsider", email: "a@b.c", is_active: true }),
  ],
  ["POST", () => "/apps", () => ({ slug: "a", name: "A", description: "" })],
  ["PATCH", () => "/apps/blog", () => ({ slug: "blog", name: "A", description: "" })],
  ["POST", () => "/apps/blog/domains", () => ({ pattern: "a.example.com" })],
  [
    "POST",
    () => "/scripts",
    () => ({ app_id: "blog", name: "a", source: "1", kind: "module", description: "" }),
  ],
  ["PUT", () => `/scripts/${scriptId}`, () => ({ name: "post", source: "1", sandbox: {}, message: "m" })],
  ["PUT", () => "/apps/blog/scripts/post", () => ({ source: "1", sandbox: {}, direct_execute: "public" })],
  [
    "POST",
    () => `/scripts/${scriptId}/routes`,
    () => ({ path: "/a", host: "", method: "GET", host_param_name: null }),
  ],
  ["PATCH", () => `/routes/${routeId}`, () => ({ path: "/post", host: "", method: null, enabled: true })],
  ["POST", () => "/routes:check", () => ({ app_id: "blog", path: "/a", host: "", method: null })],
  ["POST", () => "/routes:match", () => ({ app_id: "blog", url: "http://x/a", method: "GET" })],
];

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "blog",
    "/a/:b",
    "/a/*",
    "*.x.org",
    "{a}.x.org",
    "any",
    "exact",
    "module",
    "GET",
    "\0",
    "\ud800",
    "'; --",
  ),
);
const value = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.jsonValue());
const body = (accepted: Record<string, unknown>): fc.Arbitrary<unknown> => {
  const changed = (values: fc.Arbitrary<unknown>) =>
    fc
      .dictionary(fc.constantFrom(...Object.keys(accepted)), values, { maxKeys: 2 })
      .map((some) => ({ ...accepted, ...some }));
  return fc.oneof(
    { weight: 6, arbitrary: changed(text) },
    { weight: 3, arbitrary: changed(value) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 0, false, "", [], {}, "x") },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
};

const seen = new Map<number, number>();
for (const [method, path, accepted] of TARGETS) {
  test(`${method} ${path.toString().slice(6)}: no body is a fault of ours`, async () => {
    await fc.assert(
      fc.asyncProperty(body(accepted()), async (sent) => {
        const answer = await plane.call("owner", method, path(), { body: sent });
        // 429 and 503 are answers too: this guesses passwords at a great pace.
        expect([JSON.stringify(sent), answer.status < 500 || answer.status === 503]).toEqual([
          JSON.stringify(sent),
          true,
        ]);
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        if (answer.status >= 400) expect(answer.json.code).toBeString();
      }),
      { numRuns: 100, seed: 7 },
    );
  }, 60_000);
}

test("no path and no query is a fault of ours", async () => {
  const segment = fc.oneof(
    text,
    fc.constantFrom("apps", "scripts", "blog", "post", "source", "versions", "logs", "kv", "docs", scriptId),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "DELETE", "PUT", "POST"),
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom("app", "limit", "cursor", "offset", "before", "route", "kind", "force"),
        text,
      ),
      async (method, segments, query) => {
        const wellFormed = (part: string) => encodeURIComponent(part.toWellFormed());
        const search = Object.entries(query).map(([key, given]) => `${key}=${wellFormed(given)}`);
        const path = `/${segments.map(wellFormed).join("/")}?${search.join("&")}`;
        const answer = await plane.call("viewer", method, path, method === "PUT" ? { raw: "1" } : {});
        expect([method, path, answer.status < 500]).toEqual([method, path, true]);
      },
    ),
    { numRuns: 400, seed: 7 },
  );
}, 60_000);

test("no logs query is a fault of ours", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("limit", "offset", "before"), text, async (key, given) => {
      const path = `/scripts/${scriptId}/logs?${key}=${encodeURIComponent(given.toWellFormed())}`;
      expect((await plane.call("owner", "GET", path)).status).toBeLessThan(500);
    }),
    { numRuns: 60, seed: 7 },
  );
}, 60_000);

test("the bodies above were of both sorts, acceptable and not", () => {
  expect((seen.get(200) ?? 0) + (seen.get(201) ?? 0)).toBeGreaterThan(100);
  expect(seen.get(422)).toBeGreaterThan(100);
});
