import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readSecret } from "../../src/services/secrets/index.ts";
import { KEYRING, startControlPlane, type ControlPlane } from "../manager/support/control-plane.ts";
import { expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const VALUE = "a-value-that-nobody-may-see";
const PATH = "/apps/blog/secrets";
const valueOf = (name: string) => readSecret(plane.db, KEYRING, plane.blog, name);

beforeEach(async () => {
  await plane.db`delete from secrets`;
  await plane.call("owner", "POST", PATH, { body: { name: "API_KEY", value: VALUE } });
});

describe("secrets", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps/blog/secrets",
        method: "GET",
        path: PATH,
        expect: {
          guest: 401,
          wrong: 401,
          deactivated: 401,
          expiredKey: 401,
          owner: 200,
          admin: 200,
          outsider: 404,
          viewer: 200,
          editor: 200,
          appAdmin: 200,
          readKey: 200,
          fullKey: 200,
          boundKey: 200,
          otherBoundKey: 404,
        },
        check: ({ json }) =>
          expect(json).toEqual([{ name: "API_KEY", updated_at: expect.stringMatching(/Z$/) }]),
        excludes: [VALUE, btoa(VALUE)],
      },
      {
        name: "POST /apps/blog/secrets",
        method: "POST",
        path: PATH,
        options: { body: { name: "NEW", value: VALUE } },
        expect: {
          guest: 401,
          wrong: 401,
          deactivated: 401,
          expiredKey: 401,
          owner: 201,
          admin: 201,
          outsider: 404,
          viewer: 403,
          editor: 201,
          appAdmin: 201,
          readKey: 403,
          fullKey: 201,
          boundKey: 201,
          otherBoundKey: 404,
        },
        excludes: [VALUE],
        restore: () => plane.db`delete from secrets where name = 'NEW'`,
      },
      {
        name: "POST /apps/blog/secrets of one that is there",
        method: "POST",
        path: PATH,
        options: { body: { name: "API_KEY", value: VALUE } },
        expect: { viewer: 403, editor: 200, outsider: 404 },
        excludes: [VALUE],
      },
      {
        name: "DELETE /apps/blog/secrets/{name}",
        method: "DELETE",
        path: `${PATH}/API_KEY`,
        expect: {
          guest: 401,
          expiredKey: 401,
          outsider: 404,
          viewer: 403,
          readKey: 403,
          editor: 204,
          otherBoundKey: 404,
        },
        excludes: [VALUE],
      },
    ],
  );

  test("a value is kept for the app's scripts, with its type", async () => {
    expect(await valueOf("API_KEY")).toBe(JSON.stringify(VALUE));
    const value = { url: "https://example.com", tries: [1, 2] };
    expect((await plane.call("editor", "POST", PATH, { body: { name: "MAP", value } })).status).toBe(201);
    expect(JSON.parse((await valueOf("MAP")) ?? "")).toEqual(value);
    await plane.call("editor", "POST", PATH, { body: { name: "MAP", value: "changed" } });
    expect(await valueOf("MAP")).toBe('"changed"');
  });

  test("what is not acceptable is refused without repeating it", async () => {
    const post = (body: unknown) => plane.call("editor", "POST", PATH, { body });
    const refused = [
      await post({ name: "1", value: VALUE }),
      await post({ name: "a b", value: VALUE }),
      await post({ name: "A", value: 12_345_678 }),
      await post({ name: "A", value: null }),
      await post({ name: "A", value: VALUE, secret: VALUE }),
      await post({ name: "A" }),
    ];
    for (const answer of refused) {
      expect([answer.status, expectProblem(answer, "validation").code]).toEqual([422, "validation"]);
      expect(answer.text).not.toContain(VALUE);
      expect(answer.text).not.toContain("12345678");
    }
    const large = await post({ name: "A", value: VALUE.repeat(3000) });
    expect(expectProblem(large, "secret_too_large").details).toEqual({
      field: "value",
      size: 81_000,
      limit: 65_536,
    });
    expect(large.text).not.toContain(VALUE);
  });

  test("one that is not there cannot be deleted", async () => {
    for (const name of ["MISSING", "no%20name", "x".repeat(300)]) {
      expectProblem(await plane.call("editor", "DELETE", `${PATH}/${name}`), "not_found");
    }
  });

  test("the audit log tells that it changed, and nothing about what it is", async () => {
    await plane.db`truncate audit_log`;
    await plane.call("editor", "POST", PATH, { body: { name: "API_KEY", value: "another" } });
    await plane.call("editor", "POST", PATH, { body: { name: "FRESH", value: "another" } });
    await plane.call("editor", "DELETE", `${PATH}/FRESH`);
    const rows = await plane.db`select action, target_kind, target_name, changed, app_id, actor_name,
      before_sha256 is not null as before, after_sha256 is not null as after from audit_log order by created_at, id`;
    const common = { target_kind: "secret", app_id: plane.blog, actor_name: "editor" };
    expect([...rows]).toEqual([
      {
        ...common,
        action: "secret.set",
        target_name: "API_KEY",
        changed: ["value"],
        before: true,
        after: true,
      },
      {
        ...common,
        action: "secret.set",
        target_name: "FRESH",
        changed: ["value"],
        before: false,
        after: true,
      },
      { ...common, action: "secret.delete", target_name: "FRESH", changed: [], before: true, after: false },
    ]);
    // The same whatever the value is: no hash of it can be guessed at.
    const [hashes] =
      await plane.db`select count(distinct after_sha256)::int as n from audit_log where target_name = 'API_KEY'`;
    await plane.call("editor", "POST", PATH, { body: { name: "API_KEY", value: "a third" } });
    const [again] =
      await plane.db`select count(distinct after_sha256)::int as n from audit_log where target_name = 'API_KEY'`;
    expect([hashes?.["n"], again?.["n"]]).toEqual([1, 1]);
  });
});
