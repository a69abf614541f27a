import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { recordAudit, LOCAL_ACTOR, type AuditEntry } from "../../src/services/audit/index.ts";
import { ACTORS, startControlPlane, type ControlPlane, type Json } from "../manager/support/control-plane.ts";
import { expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
let fallback = "";
beforeAll(async () => {
  plane = await startControlPlane();
  const [app] = await plane.db<{ id: string }[]>`select id from apps where slug = 'default'`;
  fallback = app?.id ?? "";
  const entry = (name: string, appId: string | null, action = "script.update"): AuditEntry => ({
    action,
    appId,
    target: { kind: "script", id: name, name },
    before: { source: "1", name },
    after: { source: "2", name },
  });
  const editor = {
    userId: plane.users["editor"] ?? "",
    username: "editor",
    instanceRole: "member",
    key: { id: Bun.randomUUIDv7(), scopes: [], appId: null },
    requestId: Bun.randomUUIDv7(),
    address: "10.0.0.7",
  } as const;
  // Logins are recorded too.
  for (const actor of ACTORS) await plane.call(actor, "GET", "/auth/me");
  await plane.db`truncate audit_log`;
  await recordAudit(plane.db, LOCAL_ACTOR, { ...entry("reset", null, "user.update"), changed: ["password"] });
  for (let n = 0; n < 5; n++) await recordAudit(plane.db, editor, entry(`blog-${n}`, plane.blog));
  await recordAudit(plane.db, editor, entry("gone", plane.blog, "script.delete"));
  await recordAudit(plane.db, editor, entry("elsewhere", fallback));
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const names = (json: Json): string[] => json.items.map((item: Json) => item.target.name);
const NEWEST = ["elsewhere", "gone", "blog-4", "blog-3", "blog-2", "blog-1", "blog-0", "reset"];

describe("GET /audit", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /audit",
        method: "GET",
        path: "/audit",
        expect: {
          guest: 401,
          wrong: 401,
          expiredKey: 401,
          deactivated: 401,
          outsider: 403,
          viewer: 403,
          editor: 403,
          appAdmin: 403,
          readKey: 403,
          boundKey: 403,
          otherBoundKey: 403,
          fullKey: 200,
          admin: 200,
          owner: 200,
        },
        check: ({ json }) => expect(names(json)).toEqual(NEWEST),
      },
      {
        name: "GET /audit?app=blog",
        method: "GET",
        path: "/audit?app=blog",
        expect: {
          guest: 401,
          outsider: 404,
          otherBoundKey: 404,
          viewer: 403,
          editor: 403,
          readKey: 403,
          appAdmin: 200,
          boundKey: 200,
          fullKey: 200,
          admin: 200,
          owner: 200,
        },
        check: ({ json }) => expect(names(json)).toEqual(NEWEST.slice(1, 7)),
        excludes: ["elsewhere", '"reset"'],
      },
    ],
  );

  test("tells who did what to what, what changed, and with which request", async () => {
    const { json } = await plane.call("owner", "GET", "/audit?limit=1");
    expect(json.items).toEqual([
      {
        id: expect.any(String),
        created_at: expect.stringMatching(/Z$/),
        actor: { id: plane.users["editor"], name: "editor" },
        key_id: expect.any(String),
        app_id: fallback,
        action: "script.update",
        target: { kind: "script", id: "elsewhere", name: "elsewhere" },
        changed: ["source"],
        before_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        after_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        request_id: expect.any(String),
        address: "10.0.0.7",
      },
    ]);
    const local = (await plane.call("owner", "GET", "/audit?action=user")).json.items;
    expect(local).toMatchObject([
      { actor: { id: null, name: "(this machine)" }, app_id: null, key_id: null },
    ]);
    expect(local[0].changed).toContain("password");
  });

  test("does not tell of what changed nothing", async () => {
    const newest = async () => (await plane.call("owner", "GET", "/audit?limit=1")).json.items[0].id;
    const before = await newest();
    const { json: app } = await plane.call("owner", "GET", "/apps/blog");
    const { json: user } = await plane.call("owner", "GET", "/auth/me");
    const settings = (await plane.call("owner", "GET", "/apps/blog/settings")).json;
    for (const [path, body] of [
      ["/apps/blog", {}],
      ["/apps/blog", { name: app.name, slug: app.slug }],
      ["/apps/blog/settings", settings],
      [`/admins/${user.id}`, { username: user.username, is_active: true }],
    ] as const)
      expect([path, (await plane.call("owner", "PATCH", path, { body })).status]).toEqual([path, 200]);
    expect(await newest()).toBe(before);
  });

  test("is filtered by actor, action, noun and time", async () => {
    const found = async (query: string) => names((await plane.call("owner", "GET", `/audit?${query}`)).json);
    expect(await found("action=script.delete")).toEqual(["gone"]);
    expect(await found("action=script")).toHaveLength(7);
    expect(await found(`actor=${plane.users["editor"]}`)).toHaveLength(7);
    expect(await found("actor=editor&action=script.delete")).toEqual(["gone"]);
    expect(await found("actor=nobody")).toEqual([]);
    expect(await found("actor=EDITOR")).toHaveLength(7);
    // Of those who are no users, or not any more.
    expect(await found("actor=(this machine)")).toEqual(["reset"]);
    expect(await found(`from=${new Date(Date.now() - 600_000).toISOString()}`)).toEqual(NEWEST);
    expect(await found("from=2999-01-01T00:00:00Z")).toEqual([]);
    expect(await found("to=2001-01-01T00:00:00%2B02:00")).toEqual([]);
    expect(await found("app=default")).toEqual(["elsewhere"]);
  });

  test("comes in pages that neither repeat nor leave out", async () => {
    const seen: string[] = [];
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null && pages < 10; pages++) {
      const answer = await plane.call(
        "owner",
        "GET",
        `/audit?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      seen.push(...names(answer.json));
      cursor = answer.json.next_cursor;
    }
    expect(seen).toEqual(NEWEST);
  });

  test("refuses a cursor, a time, an action and a filter that it does not understand", async () => {
    const ask = (query: string) => plane.call("owner", "GET", `/audit?${query}`);
    expectProblem(await ask("cursor=abc"), "invalid_cursor");
    expectProblem(await ask("from=yesterday"), "invalid_time");
    expectProblem(await ask("from=2026-04-31T00:00:00Z"), "invalid_time");
    expect(expectProblem(await ask("to=2026-11-21T09:30:00+01:00"), "invalid_time").detail).toContain("%2B");
    expectProblem(await ask("action=DROP TABLE"), "validation");
    expect(expectProblem(await ask("limit=201"), "validation").detail).toBe(
      "limit: not acceptable; expected a whole number from 1 to 200.",
    );
    expect(expectProblem(await ask("limit=1.5"), "validation").detail).toStartWith("limit: ");
    expectProblem(await ask("who=me"), "validation");
  });

  test("still tells of an app that is gone, to those who see the whole instance", async () => {
    const gone = Bun.randomUUIDv7();
    await recordAudit(plane.db, LOCAL_ACTOR, {
      action: "app.delete",
      appId: gone,
      target: { kind: "app", id: gone, name: "Shop" },
    });
    expect(names((await plane.call("admin", "GET", `/audit?app=${gone}`)).json)).toEqual(["Shop"]);
    expectProblem(await plane.call("appAdmin", "GET", `/audit?app=${gone}`), "not_found");
    expectProblem(await plane.call("boundKey", "GET", `/audit?app=${gone}`), "not_found");
  });
});
