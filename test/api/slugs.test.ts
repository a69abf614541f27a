import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startControlPlane, type Actor, type ControlPlane } from "../manager/support/control-plane.ts";
import { expectProblem } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

/** Each test starts with the apps `new-shop`, which was `old-shop`, and `blog`, whose admin does not see the other. */
let shop = "";
beforeEach(async () => {
  await plane.db`delete from apps where slug not in ('blog', 'default')`;
  await plane.db`delete from app_slug_history`;
  shop = (await create("old-shop")).json.id;
  expect((await rename("old-shop", "new-shop")).status).toBe(200);
});

const create = (slug: string, more: object = {}) =>
  plane.call("owner", "POST", "/apps", { body: { slug, name: slug, ...more } });
const rename = (app: string, slug: string, more: object = {}) =>
  plane.call("owner", "PATCH", `/apps/${app}`, { body: { slug, ...more } });
const check = (actor: Actor, app: string, slug: string) =>
  plane.call(actor, "POST", `/apps/${app}/slug:check`, { body: { slug } });
const strip = (text: string) => text.replace(/"request_id":"[^"]*"/, "");

describe("a former slug", () => {
  test("answers a read with 301 and the new place, query and all", async () => {
    const moved = async (path: string) => {
      const answer = await plane.call("owner", "GET", path);
      expect([path, answer.status, answer.text]).toEqual([path, 301, ""]);
      expect(answer.headers.get("x-picloud-slug-moved")).toBe("new-shop");
      expect(answer.headers.get("cache-control")).toBe("no-store");
      return answer.headers.get("location");
    };
    expect(await moved("/apps/old-shop")).toBe("/api/v1/admin/apps/new-shop");
    expect(await moved("/apps/old-shop/domains")).toBe("/api/v1/admin/apps/new-shop/domains");
    expect(await moved("/apps/old-shop/members:candidates?q=a%20b")).toBe(
      "/api/v1/admin/apps/new-shop/members:candidates?q=a%20b",
    );
  });

  test("serves a change, which learns of the new one from a header", async () => {
    const answer = await plane.call("owner", "PATCH", "/apps/old-shop", { body: { name: "Renamed" } });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id: shop, slug: "new-shop", name: "Renamed" });
    expect(answer.headers.get("x-picloud-slug-moved")).toBe("new-shop");
    const deployed = await plane.call("owner", "PUT", "/apps/old-shop/scripts/one", { raw: "1" });
    expect([deployed.status, deployed.headers.get("x-picloud-slug-moved")]).toEqual([201, "new-shop"]);
    const direct = await plane.call("owner", "PATCH", "/apps/new-shop", { body: { name: "Renamed" } });
    expect(direct.headers.has("x-picloud-slug-moved")).toBe(false);
  });

  test("is understood where a query names the app, too", async () => {
    const answer = await plane.call("owner", "GET", "/scripts?app=old-shop");
    expect([answer.status, answer.json]).toEqual([200, []]);
  });

  test("tells nothing to those who may not know of the app", async () => {
    for (const actor of ["appAdmin", "boundKey", "readKey"] as const) {
      for (const [method, path] of [
        ["GET", "/apps/old-shop"],
        ["DELETE", "/apps/old-shop"],
        ["GET", "/scripts?app=old-shop"],
      ] as const) {
        const hidden = await plane.call(actor, method, path);
        const missing = await plane.call(actor, method, path.replace("old-shop", "nowhere"));
        expect([actor, path, hidden.status]).toEqual([actor, path, 404]);
        expect(hidden.headers.has("x-picloud-slug-moved")).toBe(false);
        expect(strip(hidden.text)).toBe(strip(missing.text));
      }
    }
  });

  test("leads to the current slug however often it changed", async () => {
    await rename("new-shop", "2nd-shop");
    for (const slug of ["old-shop", "new-shop"]) {
      const answer = await plane.call("owner", "GET", `/apps/${slug}`);
      expect(answer.headers.get("location")).toBe("/api/v1/admin/apps/2nd-shop");
    }
  });

  test("is given to another app only on purpose", async () => {
    const refused = await create("old-shop");
    const { details } = expectProblem(refused, "slug_historic");
    expect([refused.status, details]).toEqual([409, { slug: "old-shop", historic_owner: "new-shop" }]);
    expectProblem(await rename("blog", "old-shop"), "slug_historic");
    const taken = await create("old-shop", { force_takeover: true });
    expect(taken.status).toBe(201);
    const found = await plane.call("owner", "GET", "/apps/old-shop");
    expect([found.status, found.json.id]).toEqual([200, taken.json.id]);
    const [entry] = await plane.db`select changed, actor_name from audit_log
      where app_id = ${shop} order by created_at desc, id desc limit 1`;
    expect(entry).toEqual({ changed: ["former_slugs"], actor_name: "owner" });
  });

  test("is taken back by its own app without asking", async () => {
    const answer = await rename("new-shop", "old-shop");
    expect([answer.status, answer.json.slug]).toEqual([200, "old-shop"]);
    const moved = await plane.call("owner", "GET", "/apps/new-shop");
    expect(moved.headers.get("location")).toBe("/api/v1/admin/apps/old-shop");
    const history = await plane.db`select slug from app_slug_history`;
    expect([...history]).toEqual([{ slug: "new-shop" }]);
  });

  test("is free again when its app is deleted", async () => {
    await plane.call("owner", "DELETE", "/apps/new-shop");
    expect((await create("old-shop")).status).toBe(201);
  });

  test("of an invisible app is refused without naming it", async () => {
    const answer = await plane.call("appAdmin", "PATCH", "/apps/blog", { body: { slug: "old-shop" } });
    expect(expectProblem(answer, "slug_historic").details).toEqual({ slug: "old-shop" });
    expect(answer.text).not.toContain("new-shop");
  });
});

describe("slug:check", () => {
  test("says whether a slug could be had, and if not, why", async () => {
    const answers = async (slug: string) => (await check("owner", "blog", slug)).json;
    expect(await answers("journal")).toEqual({ available: true });
    expect(await answers("blog")).toEqual({ available: true });
    expect(await answers("new-shop")).toEqual({ available: false, reason: "taken" });
    expect(await answers("login")).toEqual({ available: false, reason: "reserved" });
    expect(await answers(Bun.randomUUIDv7())).toEqual({ available: false, reason: "reserved" });
    expect(await answers("No Slug")).toEqual({ available: false, reason: "malformed" });
    expect(await answers("old-shop")).toEqual({
      available: false,
      reason: "historic",
      historic_owner: "new-shop",
    });
    expect((await check("owner", "new-shop", "old-shop")).json).toEqual({ available: true });
  });

  test("names the former owner only to those who see it", async () => {
    for (const actor of ["appAdmin", "boundKey"] as const) {
      const answer = await check(actor, "blog", "old-shop");
      expect(answer.json).toEqual({ available: false, reason: "historic" });
    }
  });
});

describe("races", () => {
  /** Every slug is in one place at most, and every one of these has a place. */
  const places = async (slug: string) => {
    const rows = await plane.db`select id from apps where slug = ${slug}
      union all select app_id from app_slug_history where slug = ${slug}`;
    return rows.length;
  };

  test("of two who take one former slug over at once, one gets it", async () => {
    const answers = await Promise.all([
      create("old-shop", { force_takeover: true }),
      rename("blog", "old-shop", { force_takeover: true }),
    ]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([
      answers[0]?.status === 201 ? 201 : 200,
      409,
    ]);
    expect(await places("old-shop")).toBe(1);
    const loser = answers.find((answer) => answer.status === 409);
    if (loser !== undefined) expectProblem(loser, "slug_taken");
    await plane.db`update apps set slug = 'blog' where id = ${plane.blog}`;
  });

  test("a slug that is given up and claimed at once is a former one first", async () => {
    for (let round = 0; round < 5; round++) {
      const slug = `round-${round}`;
      await create(slug);
      const [left, claimed] = await Promise.all([rename(slug, `${slug}-away`), create(slug)]);
      expect(left.status).toBe(200);
      expect(claimed.status).toBe(409);
      expect(await places(slug)).toBe(1);
    }
  });

  test("two apps that swap slugs at once do not block one another for ever", async () => {
    await create("left");
    const answers = await Promise.all([
      rename("left", "new-shop", { force_takeover: true }),
      rename("new-shop", "left", { force_takeover: true }),
    ]);
    for (const answer of answers) expect([200, 409]).toContain(answer.status);
    expect((await places("left")) + (await places("new-shop"))).toBe(2);
  });
});
