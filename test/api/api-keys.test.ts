import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SCOPES } from "../../src/shared/principal.ts";
import {
  PASSWORD,
  startControlPlane,
  type Actor,
  type Answer,
  type ControlPlane,
} from "../manager/support/control-plane.ts";
import { expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const strip = (text: string) => text.replace(/"request_id":"[^"]*"/, "");
const withKey = (key: string, method: string, path: string, body?: unknown) =>
  plane.call("guest", method, path, { body, headers: { authorization: `Bearer ${key}` } });
const mint = (actor: Actor, body: object) => plane.call(actor, "POST", "/api-keys", { body });
const minted = async (actor: Actor, body: object): Promise<{ id: string; raw_token: string }> => {
  const answer = await mint(actor, { name: "test", scopes: ["script:read"], ...body });
  expect(answer.status).toBe(201);
  return answer.json;
};
const remove = (running: ControlPlane, { json }: Answer) =>
  running.db`delete from api_keys where id = ${json.id}`;

describe("API keys", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /api-keys",
        method: "GET",
        path: "/api-keys",
        expect: {
          guest: 401,
          wrong: 401,
          deactivated: 401,
          expiredKey: 401,
          owner: 200,
          admin: 200,
          outsider: 200,
          appAdmin: 200,
          readKey: 403,
          fullKey: 403,
          boundKey: 403,
          otherBoundKey: 403,
        },
        excludes: ["pic_", "hmac", "raw_token"],
        check: ({ json }, actor) => {
          const names = json.map((key: { name: string }) => key.name);
          const own: Partial<Record<Actor, string[]>> = {
            owner: ["fullKey", "boundKey", "otherBoundKey", "expiredKey"],
            appAdmin: ["readKey"],
          };
          expect(names).toEqual(own[actor] ?? []);
        },
      },
      {
        name: "POST /api-keys",
        method: "POST",
        path: "/api-keys",
        options: { body: { name: "ci", scopes: ["script:write", "script:read"] } },
        expect: {
          guest: 401,
          wrong: 401,
          deactivated: 401,
          expiredKey: 401,
          owner: 201,
          outsider: 201,
          viewer: 201,
          readKey: 403,
          fullKey: 403,
          boundKey: 403,
          otherBoundKey: 403,
        },
        check: ({ json }) => {
          expect(json.raw_token).toMatch(/^pic_[A-Z2-7]{52}$/);
          expect(json).toMatchObject({
            name: "ci",
            prefix: json.raw_token.slice(4, 12),
            scopes: ["script:read", "script:write"],
            app_id: null,
            expires_at: null,
            last_used_at: null,
          });
        },
        restore: remove,
      },
      {
        name: "POST /api-keys bound to blog",
        method: "POST",
        path: "/api-keys",
        options: { body: { name: "ci", scopes: ["script:read"], app_id: "blog" } },
        expect: { owner: 201, viewer: 201, appAdmin: 201, outsider: 404, boundKey: 403, otherBoundKey: 403 },
        check: ({ json }) => expect(json.app_id).toBe(plane.blog),
        restore: remove,
      },
      {
        name: "DELETE of somebody else's key",
        method: "DELETE",
        path: () => `/api-keys/${keyIds.readKey}`,
        expect: {
          guest: 401,
          owner: 404,
          admin: 404,
          viewer: 404,
          readKey: 403,
          fullKey: 403,
          boundKey: 403,
        },
      },
      {
        name: "GET /auth/me",
        method: "GET",
        path: "/auth/me",
        expect: {
          readKey: 200,
          fullKey: 200,
          boundKey: 200,
          otherBoundKey: 200,
          expiredKey: 401,
          deactivated: 401,
        },
      },
    ],
  );

  const keyIds: Record<string, string> = {};
  beforeAll(async () => {
    for (const row of await plane.db`select id, name from api_keys`) keyIds[row["name"]] = row["id"];
  });

  test("the text is nowhere stored, only what it can be recognised by", async () => {
    const { id, raw_token: text } = await minted("viewer", {});
    const [row] = await plane.db`select row_to_json(k)::text as stored from api_keys k where id = ${id}`;
    expect(row?.["stored"]).not.toContain(text);
    expect(row?.["stored"]).not.toContain(text.slice(12));
  });

  test("what cannot become a key is refused with the reason", async () => {
    const refused = async (body: object, code: string, field: string) => {
      const answer = await mint("owner", { name: "x", scopes: ["script:read"], ...body });
      expect([answer.status, expectProblem(answer, code).details.field]).toEqual([422, field]);
    };
    await refused({ scopes: [] }, "validation", "scopes");
    await refused({ scopes: ["script:read", "root"] }, "validation", "scopes.1");
    await refused({ scopes: ["instance:admin"], app_id: "blog" }, "bound_instance_scope", "scopes");
    await refused({ expires_at: "2029-12-31T23:59:59Z" }, "expiry_in_past", "expires_at");
    await refused({ expires_at: "2030-01-01T00:00:00Z" }, "expiry_in_past", "expires_at");
    await refused({ expires_at: "tomorrow" }, "validation", "expires_at");
    await refused({ expires_at: "2031-04-31T00:00:00Z" }, "validation", "expires_at");
    await refused({ name: "" }, "validation", "name");
    expectProblem(
      await mint("owner", { name: "x", scopes: ["script:read"], app_id: "nowhere" }),
      "not_found",
    );
  });

  test("an app that is invisible answers like one that is not there", async () => {
    const hidden = await mint("outsider", { name: "x", scopes: ["script:read"], app_id: plane.blog });
    const missing = await mint("outsider", {
      name: "x",
      scopes: ["script:read"],
      app_id: Bun.randomUUIDv7(),
    });
    expect(strip(hidden.text)).toBe(strip(missing.text));
  });

  test("an app that is deleted at the same moment is one that is not there", async () => {
    const doomed = Bun.randomUUIDv7();
    await plane.db`insert into apps (id, slug, name) values (${doomed}, 'doomed', 'Doomed')`;
    const asked: Promise<Answer>[] = [];
    await plane.db.begin(async (sql) => {
      await sql`delete from apps where id = ${doomed}`;
      asked.push(
        mint("owner", { name: "late", scopes: ["script:read"], app_id: "doomed" }),
        plane.call("owner", "POST", "/apps/doomed/members", {
          body: { user_id: plane.users["outsider"], role: "viewer" },
        }),
      );
      // Both stand before their last step by then.
      for (let tries = 0, waiting = 0; tries < 200 && waiting < 2; tries++) {
        await Bun.sleep(10);
        waiting = (
          await plane.db`select 1 from pg_stat_activity
            where wait_event_type = 'Lock' and datname = current_database()`
        ).length;
      }
    });
    for (const answer of await Promise.all(asked)) expectProblem(answer, "not_found");
  });

  test("a revoked key is worth nothing with the next request", async () => {
    const { id, raw_token: key } = await minted("viewer", {});
    expect((await withKey(key, "GET", "/apps")).status).toBe(200);
    expect((await plane.call("viewer", "DELETE", `/api-keys/${id}`)).status).toBe(204);
    expect((await withKey(key, "GET", "/apps")).status).toBe(401);
    expectProblem(await plane.call("viewer", "DELETE", `/api-keys/${id}`), "not_found");
    expectProblem(await plane.call("viewer", "DELETE", "/api-keys/nonsense"), "not_found");
  });

  test("a key ends when it was said to", async () => {
    const { raw_token: key } = await minted("viewer", { expires_at: "2030-01-01T02:00:00+01:00" });
    plane.clock.advance(3_599_999);
    expect((await withKey(key, "GET", "/apps")).status).toBe(200);
    plane.clock.advance(1);
    expect((await withKey(key, "GET", "/apps")).status).toBe(401);
  });

  test("its last use is written down once a minute at most", async () => {
    const { id, raw_token: key } = await minted("viewer", {});
    const lastUse = async () => {
      const { json } = await plane.call("viewer", "GET", "/api-keys");
      return json.find((row: { id: string }) => row.id === id).last_used_at;
    };
    const used = async () => {
      expect((await withKey(key, "GET", "/apps")).status).toBe(200);
      // It is written beside the answer, not before it.
      for (let tries = 0; tries < 50 && (await lastUse()) === null; tries++) await Bun.sleep(10);
      await Bun.sleep(20);
    };
    expect(await lastUse()).toBeNull();
    const first = new Date(plane.clock.now()).toISOString();
    await used();
    expect(await lastUse()).toBe(first);
    plane.clock.advance(59_000);
    await used();
    expect(await lastUse()).toBe(first);
    plane.clock.advance(1_000);
    await used();
    for (let tries = 0; tries < 50 && (await lastUse()) === first; tries++) await Bun.sleep(10);
    expect(await lastUse()).toBe(new Date(plane.clock.now()).toISOString());
  });

  test("text that only looks like a key is 401, and so is a key under another server's secret", async () => {
    const { raw_token: key } = await minted("viewer", {});
    const other = `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`;
    for (const text of [other, key.toLowerCase(), "pic_", `${key}A`, key.slice(4), `pic_${"A".repeat(52)}`]) {
      expect([text, (await withKey(text, "GET", "/apps")).status]).toEqual([text, 401]);
    }
    await plane.db`update api_keys set token_hmac = sha256(token_hmac) where name = 'test'`;
    expect((await withKey(key, "GET", "/apps")).status).toBe(401);
  });
});

describe("what a key allows", () => {
  test("is what its user may do, and no more", async () => {
    const { raw_token: key } = await minted("viewer", { scopes: [...SCOPES] });
    expect((await withKey(key, "GET", "/apps/blog")).json.my_role).toBe("viewer");
    const problem = expectProblem(await withKey(key, "PATCH", "/apps/blog", { name: "x" }), "forbidden");
    expect(problem.details).toMatchObject({ required_role: "app_admin", role: "viewer" });
    expect((await withKey(key, "GET", "/admins")).status).toBe(403);
  });

  test("is what its scopes cover, and the refusal names the missing one", async () => {
    const { raw_token: key } = await minted("owner", { scopes: ["domain:manage"] });
    const missing = async (method: string, path: string, body?: unknown) => {
      const problem = expectProblem(await withKey(key, method, path, body), "forbidden");
      expect(problem.status).toBe(403);
      expect(problem.detail).toContain(problem.details.required_scope);
      return problem.details.required_scope;
    };
    expect(await missing("GET", "/apps/blog")).toBe("script:read");
    expect(await missing("GET", "/scripts")).toBe("script:read");
    expect(await missing("PATCH", "/apps/blog", { name: "x" })).toBe("app:admin");
    expect(await missing("POST", "/apps", { slug: "x", name: "x" })).toBe("instance:admin");
    expect(await missing("GET", "/admins")).toBe("instance:admin");
    const claim = await withKey(key, "POST", "/apps/blog/domains", { pattern: "key.example.com" });
    expect(claim.status).toBe(201);
  });

  test("never reaches beyond the app it is bound to, not even as a difference between answers", async () => {
    const { json: scripts } = await plane.call("owner", "GET", "/scripts?app=default");
    const [script] = scripts;
    const paths = [
      "/apps/default",
      `/apps/${script.app_id}`,
      "/scripts?app=default",
      `/scripts/${script.id}`,
    ];
    for (const path of [
      ...paths,
      `/scripts/${script.id}/logs`,
      "/apps/default/members",
      "/apps/default/scripts/hello",
    ]) {
      const answer = await plane.call("boundKey", "GET", path);
      const missing = await plane.call(
        "boundKey",
        "GET",
        path.replaceAll(/default|[0-9a-f-]{36}/g, (text) =>
          text === "default" ? "nowhere" : Bun.randomUUIDv7(),
        ),
      );
      expect([path, answer.status]).toEqual([path, 404]);
      expect(strip(answer.text)).toBe(strip(missing.text));
    }
    for (const path of ["/apps", "/scripts"]) {
      const bound = await plane.call("boundKey", "GET", path);
      expect(bound.status).toBe(200);
      expect(bound.text).not.toContain(script.app_id);
      const other = await plane.call("otherBoundKey", "GET", path);
      expect(other.status).toBe(200);
      expect(other.text).not.toContain(plane.blog);
    }
    const slugs = async (actor: Actor) =>
      (await plane.call(actor, "GET", "/apps")).json.map((app: { slug: string }) => app.slug);
    expect(await slugs("fullKey")).toEqual(["blog", "default"]);
    expect(await slugs("boundKey")).toEqual(["blog"]);
    expect(await slugs("otherBoundKey")).toEqual(["default"]);
    expect(await slugs("readKey")).toEqual(["blog"]);
  });

  test("changes with its user: membership, role, deactivation, deletion", async () => {
    const { json: user } = await plane.call("owner", "POST", "/admins", {
      body: { username: "keyholder", password: PASSWORD, instance_role: "member" },
    });
    const basic = { authorization: `Basic ${btoa(`keyholder:${PASSWORD}`)}` };
    const grant = { user_id: user.id, role: "editor" };
    await plane.call("owner", "POST", "/apps/blog/members", { body: grant });
    const { json } = await plane.call("guest", "POST", "/api-keys", {
      body: { name: "mine", scopes: [...SCOPES] },
      headers: basic,
    });
    const bound = await plane.call("guest", "POST", "/api-keys", {
      body: { name: "bound", scopes: ["script:read"], app_id: "blog" },
      headers: basic,
    });
    const statuses = async () => [
      (await withKey(json.raw_token, "GET", "/apps/blog")).status,
      (await withKey(bound.json.raw_token, "GET", "/apps/blog")).status,
      (await withKey(json.raw_token, "GET", "/admins")).status,
    ];
    expect(await statuses()).toEqual([200, 200, 403]);
    await plane.call("owner", "DELETE", `/apps/blog/members/${user.id}`);
    expect(await statuses()).toEqual([404, 404, 403]);
    await plane.call("owner", "PATCH", `/admins/${user.id}`, { body: { instance_role: "admin" } });
    expect(await statuses()).toEqual([200, 200, 200]);
    await plane.call("owner", "PATCH", `/admins/${user.id}`, { body: { is_active: false } });
    expect(await statuses()).toEqual([401, 401, 401]);
    // Keys of somebody who comes back stay expired.
    await plane.call("owner", "PATCH", `/admins/${user.id}`, { body: { is_active: true } });
    expect(await statuses()).toEqual([401, 401, 401]);
    await plane.call("owner", "DELETE", `/admins/${user.id}`);
    const left = await plane.db`select 1 from api_keys where user_id = ${user.id}`;
    expect(left.length).toBe(0);
  });

  test("goes with the app it is bound to", async () => {
    await plane.call("owner", "POST", "/apps", { body: { slug: "brief", name: "Brief" } });
    const { raw_token: key } = await minted("owner", { app_id: "brief" });
    expect((await withKey(key, "GET", "/apps/brief")).status).toBe(200);
    await plane.call("owner", "DELETE", "/apps/brief");
    expect((await withKey(key, "GET", "/apps")).status).toBe(401);
  });

  test("does not include its user's own account, unless it may manage users", async () => {
    const { raw_token: key } = await minted("viewer", { scopes: [...SCOPES] });
    const change = { password: "another password" };
    const path = `/admins/${plane.users["viewer"]}`;
    expect((await withKey(key, "PATCH", path, change)).status).toBe(403);
    expect((await withKey(key, "GET", path)).status).toBe(200);
    const bound = await plane.call("boundKey", "PATCH", `/admins/${plane.users["owner"]}`, { body: change });
    expect(bound.status).toBe(403);
  });

  test("needs no same-origin proof, like any bearer token", async () => {
    const answer = await plane.call("fullKey", "PATCH", "/apps/blog", {
      body: { description: "by key" },
      headers: { "sec-fetch-site": "cross-site", origin: "http://elsewhere.example" },
    });
    expect(answer.status).toBe(200);
  });

  test("counts on the data plane too", async () => {
    const headers = new Headers({ authorization: `Bearer ${plane.keys.boundKey}` });
    const who = await plane.identity.principalOf(headers, "10.0.0.1");
    expect(who).toMatchObject({ username: "owner", key: { appId: plane.blog } });
    if (who === null) return;
    expect(await plane.identity.authorize(who, "AppRead", plane.blog)).toBe("app_admin");
    const elsewhere = plane.identity.authorize(who, "AppRead", Bun.randomUUIDv7());
    expect(await elsewhere.then(String, (error) => error.status)).toBe(404);
  });
});
