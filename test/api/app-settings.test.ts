import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startControlPlane, type ControlPlane } from "../manager/support/control-plane.ts";
import { appAdminsGet, expectProblem, runScenarios, viewersGet } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);
beforeEach(async () => {
  await plane.db`update apps set settings = '{}'`;
});

const DEFAULTS = {
  cors_origins: [],
  expose_errors: false,
  weight: 1,
  max_concurrent: null,
  max_queued: 100,
  rate_limit: null,
  quota_bytes: null,
  log_retention_days: null,
  outbound_allow: [],
};
const patch = (body: object) => plane.call("appAdmin", "PATCH", "/apps/blog/settings", { body });

describe("settings of an app", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps/blog/settings",
        method: "GET",
        path: "/apps/blog/settings",
        expect: viewersGet(200),
        check: ({ json }) => expect(json).toEqual(DEFAULTS),
      },
      {
        name: "PATCH /apps/blog/settings",
        method: "PATCH",
        path: "/apps/blog/settings",
        options: { body: { weight: 2 } },
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json).toEqual({ ...DEFAULTS, weight: 2 }),
      },
    ],
  );

  const all = {
    cors_origins: ["https://example.com", "http://localhost:5173", "*"],
    expose_errors: true,
    weight: 10,
    max_concurrent: 4,
    max_queued: 0,
    rate_limit: { requests: 100, window_seconds: 60, key: "header:x-client" },
    quota_bytes: 1_000_000_000,
    log_retention_days: 7,
    outbound_allow: ["192.168.1.5:8086", "nas.local:80", "[fd00::1]:443"],
  };

  test("can all be set, read back, and set back", async () => {
    expect((await patch(all)).json).toEqual(all);
    expect((await plane.call("viewer", "GET", "/apps/blog/settings")).json).toEqual(all);
    expect((await patch(DEFAULTS)).json).toEqual(DEFAULTS);
    const [row] = await plane.db`select settings from apps where slug = 'blog'`;
    expect(row?.["settings"]).toEqual({});
  });

  test("are stored only where they differ from the defaults", async () => {
    await patch({ weight: 3, max_queued: 100 });
    const [row] = await plane.db`select settings from apps where slug = 'blog'`;
    expect(row?.["settings"]).toEqual({ weight: 3 });
  });

  test("count in the data plane before the answer", async () => {
    await patch({ weight: 7, rate_limit: { requests: 1, window_seconds: 2, key: "ip" } });
    expect(plane.told.at(-1)).toBe(plane.blog);
    expect(plane.catalog.app(plane.blog)?.settings).toMatchObject({
      weight: 7,
      maxQueued: 100,
      rateLimit: { requests: 1, windowSeconds: 2, key: "ip" },
      corsOrigins: [],
    });
  });

  test("are kept in one spelling, each entry once", async () => {
    const answer = await patch({
      cors_origins: ["HTTPS://Example.COM:443", "https://example.com"],
      outbound_allow: ["NAS.local:80", "nas.local:80"],
      rate_limit: { requests: 1, window_seconds: 1, key: "header:X-Client" },
    });
    expect(answer.json).toMatchObject({
      cors_origins: ["https://example.com"],
      outbound_allow: ["nas.local:80"],
      rate_limit: { key: "header:x-client" },
    });
  });

  test("that make no sense are refused with their name, and nothing is changed", async () => {
    const refused: readonly (readonly [object, string])[] = [
      [{ weight: 0 }, "weight"],
      [{ weight: 1.5 }, "weight"],
      [{ weight: 101 }, "weight"],
      [{ weight: null }, "weight"],
      [{ max_concurrent: 0 }, "max_concurrent"],
      [{ max_queued: -1 }, "max_queued"],
      [{ max_queued: "many" }, "max_queued"],
      [{ quota_bytes: -1 }, "quota_bytes"],
      [{ log_retention_days: 0 }, "log_retention_days"],
      [{ expose_errors: "yes" }, "expose_errors"],
      [{ cors_origins: "https://example.com" }, "cors_origins"],
      [{ cors_origins: ["https://example.com", "example.com"] }, "cors_origins.1"],
      [{ cors_origins: ["https://example.com/path"] }, "cors_origins.0"],
      [{ cors_origins: ["https://user@example.com"] }, "cors_origins.0"],
      [{ cors_origins: ["null"] }, "cors_origins.0"],
      [{ outbound_allow: ["nas.local"] }, "outbound_allow.0"],
      [{ outbound_allow: ["nas.local:0"] }, "outbound_allow.0"],
      [{ outbound_allow: ["nas.local:65536"] }, "outbound_allow.0"],
      [{ outbound_allow: ["http://nas.local:80"] }, "outbound_allow.0"],
      [{ outbound_allow: Array.from({ length: 51 }, (_, n) => `h${n}:80`) }, "outbound_allow"],
      [{ rate_limit: { requests: 1, window_seconds: 1, key: "moon" } }, "rate_limit.key"],
      [{ rate_limit: { requests: 1 } }, "rate_limit.window_seconds"],
      [{ colour: "blue" }, "colour"],
    ];
    for (const [body, field] of refused) {
      const answer = await patch({ expose_errors: true, ...body });
      expect([body, answer.status]).toEqual([body, 422]);
      const problem = expectProblem(answer, "validation");
      expect(problem.details.field).toBe(field);
    }
    expect((await plane.call("viewer", "GET", "/apps/blog/settings")).json).toEqual(DEFAULTS);
  });

  test("of two who change different ones at once, both count", async () => {
    await Promise.all([patch({ weight: 5 }), patch({ max_queued: 5 }), patch({ quota_bytes: 5 })]);
    const { json } = await plane.call("viewer", "GET", "/apps/blog/settings");
    expect(json).toMatchObject({ weight: 5, max_queued: 5, quota_bytes: 5 });
  });

  test("that change are written down by name", async () => {
    await patch({ weight: 4, max_queued: 100 });
    const [row] = await plane.db`
      select action, actor_name, changed from audit_log order by created_at desc, id desc limit 1`;
    expect(row).toEqual({ action: "app.settings", actor_name: "appAdmin", changed: ["weight"] });
  });
});
