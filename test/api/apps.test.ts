import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startControlPlane, type Actor, type ControlPlane } from "../manager/support/control-plane.ts";
import {
  appAdminsGet,
  expectProblem,
  instanceAdminsGet,
  runScenarios,
  viewersGet,
} from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const forget = (slug: string) => (running: ControlPlane) => running.db`delete from apps where slug = ${slug}`;

describe("apps", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps",
        method: "GET",
        path: "/apps",
        expect: {
          guest: 401,
          wrong: 401,
          deactivated: 401,
          expiredKey: 401,
          owner: 200,
          admin: 200,
          outsider: 200,
          viewer: 200,
          editor: 200,
          appAdmin: 200,
          readKey: 200,
          fullKey: 200,
          boundKey: 200,
          otherBoundKey: 200,
        },
        check: ({ json }, actor) => {
          const slugs = json.map((app: { slug: string }) => app.slug);
          const seen: Partial<Record<Actor, string[]>> = {
            outsider: [],
            viewer: ["blog"],
            editor: ["blog"],
            appAdmin: ["blog"],
            readKey: ["blog"],
            boundKey: ["blog"],
            otherBoundKey: ["default"],
          };
          expect(slugs).toEqual(seen[actor] ?? ["blog", "default"]);
        },
      },
      {
        name: "GET /apps/blog",
        method: "GET",
        path: "/apps/blog",
        expect: viewersGet(200),
        contains: ['"slug":"blog"'],
        check: ({ json }, actor) => {
          const roles = { viewer: "viewer", editor: "editor" } as Record<string, string>;
          expect(json.my_role).toBe(roles[actor] ?? "app_admin");
        },
      },
      {
        name: "GET of an app that is not there",
        method: "GET",
        path: "/apps/nowhere",
        expect: { guest: 401, owner: 404, viewer: 404 },
      },
      {
        name: "POST /apps",
        method: "POST",
        path: "/apps",
        options: { body: { slug: "shop", name: "Shop" } },
        expect: instanceAdminsGet(201),
        contains: ['"slug":"shop"', '"my_role":"app_admin"'],
        restore: forget("shop"),
      },
      {
        name: "PATCH /apps/blog",
        method: "PATCH",
        path: "/apps/blog",
        options: { body: { description: "About things" } },
        expect: appAdminsGet(200),
        contains: ["About things"],
      },
      {
        name: "POST /apps/blog:pause",
        method: "POST",
        path: "/apps/blog:pause",
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json).toMatchObject({ slug: "blog", paused: true, paused_until: null }),
      },
      {
        name: "POST /apps/blog:resume",
        method: "POST",
        path: "/apps/blog:resume",
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json).toMatchObject({ paused: false, paused_until: null }),
      },
      {
        name: "POST /apps/blog/slug:check",
        method: "POST",
        path: "/apps/blog/slug:check",
        options: { body: { slug: "journal" } },
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json).toEqual({ available: true }),
      },
      {
        name: "DELETE of an app",
        method: "DELETE",
        path: "/apps/blog?force=maybe",
        expect: { owner: 422 },
      },
      {
        name: "DELETE /apps/blog",
        method: "DELETE",
        path: "/apps/blog",
        // The app goes with the last of these, so nobody who may comes before somebody who may not.
        expect: {
          guest: 401,
          outsider: 404,
          viewer: 403,
          editor: 403,
          deactivated: 401,
          readKey: 403,
          otherBoundKey: 404,
          expiredKey: 401,
        },
      },
    ],
  );

  test("an app is found by its id too", async () => {
    const answer = await plane.call("viewer", "GET", `/apps/${plane.blog}`);
    expect(answer.json).toMatchObject({ slug: "blog" });
  });

  test("an invisible app answers exactly like a missing one", async () => {
    const strip = (text: string) => text.replace(/"request_id":"[^"]*"/, "");
    const hidden = await plane.call("outsider", "GET", "/apps/blog");
    const missing = await plane.call("outsider", "GET", "/apps/nowhere");
    expect(strip(hidden.text)).toBe(strip(missing.text));
  });

  test("a taken slug is 409, a reserved or malformed one 422", async () => {
    const post = (slug: string) => plane.call("owner", "POST", "/apps", { body: { slug, name: "X" } });
    expectProblem(await post("blog"), "slug_taken");
    expectProblem(await post("admin"), "slug_reserved");
    for (const slug of ["", "-a", "A", "ä", "a/b", "a".repeat(64), "a b"]) {
      const problem = expectProblem(await post(slug), "validation");
      expect(problem.details.field).toBe("slug");
    }
  });

  test("of two who create one slug at once, one wins", async () => {
    const both = await Promise.all(
      [1, 2].map(() => plane.call("owner", "POST", "/apps", { body: { slug: "race", name: "Race" } })),
    );
    expect(both.map((answer) => answer.status).toSorted()).toEqual([201, 409]);
    await plane.db`delete from apps where slug = 'race'`;
  });

  test("the default app can be neither renamed nor deleted", async () => {
    expectProblem(
      await plane.call("owner", "PATCH", "/apps/default", { body: { slug: "other" } }),
      "app_is_default",
    );
    expectProblem(await plane.call("owner", "DELETE", "/apps/default?force=true"), "app_is_default");
    expect((await plane.call("owner", "PATCH", "/apps/default", { body: { name: "Main" } })).status).toBe(
      200,
    );
  });

  test("an app with scripts is deleted only with force, and then with everything in it", async () => {
    const { json: app } = await plane.call("owner", "POST", "/apps", {
      body: { slug: "full", name: "Full" },
    });
    await plane.call("owner", "PUT", "/apps/full/scripts/one?route=/one", { raw: "1" });
    await plane.call("owner", "POST", "/apps/full/domains", { body: { pattern: "full.example.com" } });
    const refused = expectProblem(await plane.call("owner", "DELETE", "/apps/full"), "app_not_empty");
    expect(refused.details).toEqual({ script_count: 1 });
    expect((await plane.call("owner", "DELETE", "/apps/full?force=true")).status).toBe(204);
    const [left] = await plane.db`
      select (select count(*) from scripts where app_id = ${app.id}) + (select count(*) from routes where app_id = ${app.id})
        + (select count(*) from script_versions where app_id = ${app.id})
        + (select count(*) from app_domains where app_id = ${app.id}) as rows`;
    expect(left?.["rows"]).toBe(0);
    expect(plane.told.at(-1)).toBe(app.id);
  });

  test("a pause has an end that is to come, or none, and is known to the data plane", async () => {
    const pause = (body?: object) => plane.call("owner", "POST", "/apps/blog:pause", { body });
    const known = () => plane.catalog.app(plane.blog)?.pausedUntil;
    const until = "2099-01-01T00:00:00.500+01:00";
    expect((await pause({ until })).json).toMatchObject({
      paused: true,
      paused_until: "2098-12-31T23:00:00.500Z",
    });
    expect(known()).toBe(Date.parse(until));
    expect((await plane.call("viewer", "GET", "/apps")).json).toMatchObject([{ paused: true }]);
    const renamed = await plane.call("owner", "PATCH", "/apps/blog", { body: { name: "Blog" } });
    expect(renamed.json).toMatchObject({ paused: true, paused_until: "2098-12-31T23:00:00.500Z" });
    expect((await pause({ until: null })).json).toMatchObject({ paused: true, paused_until: null });
    expect(known()).toBe(Infinity);
    for (const body of [{ until: "soon" }, { until: "2020-01-01T00:00:00Z" }])
      expectProblem(await pause(body), "invalid_time");
    const patch = (paused_until: unknown) =>
      plane.call("owner", "PATCH", "/apps/blog", { body: { paused_until } });
    expect((await patch(until)).json).toMatchObject({
      paused: true,
      paused_until: "2098-12-31T23:00:00.500Z",
    });
    expect([(await patch(null)).json.paused, known()]).toEqual([false, null]);
    expectProblem(await patch("2020-01-01T00:00:00Z"), "invalid_time");
    expectProblem(await patch(true), "validation");
    expectProblem(await pause({ until: 5 }), "validation");
    expectProblem(await pause({ for: "1h" }), "validation");
    for (const again of [false, true]) {
      const { json } = await plane.call("owner", "POST", "/apps/blog:resume");
      expect([again, json.paused, json.paused_until, known()]).toEqual([again, false, null, null]);
    }
    await plane.db`update apps set paused_at = now(), paused_until = now() - interval '1 s' where slug = 'blog'`;
    const over = await plane.call("owner", "GET", "/apps/blog");
    expect([over.json.paused, over.json.paused_until]).toEqual([false, null]);
  });

  test("a fresh installation has the app default with a Hello World, and keeps it as its people leave it", async () => {
    const { json: scripts } = await plane.call("owner", "GET", "/scripts?app=default");
    expect(scripts).toMatchObject([{ name: "hello", kind: "endpoint", version: 1 }]);
    const { json: domains } = await plane.call("owner", "GET", "/apps/default/domains");
    expect(domains).toMatchObject([{ pattern: "localhost", shape: "exact" }]);
    const { json: routes } = await plane.call("owner", "GET", `/scripts/${scripts[0].id}/routes`);
    expect(routes).toMatchObject([{ path: "/hello", method: null }]);
  });
});
