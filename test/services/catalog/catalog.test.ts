import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { listen } from "../../../src/database/listen.ts";
import { createCatalog, type Catalog } from "../../../src/services/catalog/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { DEFAULT_CEILINGS, DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { waitFor } from "../../support/wait.ts";
import { seed } from "../seed.ts";

let database: TestDatabase;
let rows: ReturnType<typeof seed>;
let catalog: Catalog;
let main: string;
let hello: string;

beforeAll(async () => {
  database = await testDatabase();
  rows = seed(database.db);
  main = await rows.app("default");
  hello = await rows.script(main, "hello", '"hi"', {
    timeoutSeconds: 5,
    memoryLimitMb: 8,
    sandbox: { max_operations: 77 },
  });
  await rows.route(main, hello, "/hello");
  catalog = createCatalog(database.db, {
    fallbackApp: "default",
    limits: DEFAULT_LIMITS,
    ceilings: DEFAULT_CEILINGS,
  });
  await catalog.load();
});

afterAll(() => database.drop());

test("load makes apps, routes and scripts known, with the limits of the live version", () => {
  expect(catalog.app(main)?.slug).toBe("default");
  expect(catalog.route(main, "GET", "any", "/hello")?.route).toMatchObject({ appId: main, scriptId: hello });
  expect(catalog.script(hello)).toMatchObject({ name: "hello", liveVersion: 1, directExecute: "members" });
  expect(catalog.script(hello)?.limits).toEqual({
    ...DEFAULT_LIMITS,
    timeoutMs: 5000,
    memoryBytes: 8 * 1024 * 1024,
    maxOperations: 77,
  });
});

test("ceilings that were lowered later hold for stored settings", async () => {
  const strict = createCatalog(database.db, {
    fallbackApp: null,
    limits: DEFAULT_LIMITS,
    ceilings: { ...DEFAULT_CEILINGS, timeoutMs: 1000, maxOperations: 50 },
  });
  await strict.load();
  expect(strict.script(hello)?.limits).toMatchObject({ timeoutMs: 1000, maxOperations: 50 });
});

test("refresh shows what was committed before it, whoever else refreshes at the same time", async () => {
  for (let round = 0; round < 20; round++) {
    const ids = await Promise.all(
      [0, 1, 2].map(async (part) => {
        const path = `/r/${round}/${part}`;
        await rows.route(main, hello, path);
        await catalog.refresh(main);
        // At once, not later.
        return catalog.route(main, "GET", "any", path)?.route.path;
      }),
    );
    expect(ids).toEqual([0, 1, 2].map((part) => `/r/${round}/${part}`));
  }
});

test("disabled routes and deleted apps vanish", async () => {
  const app = await rows.app("short");
  const script = await rows.script(app, "s", "1");
  const route = await rows.route(app, script, "/x");
  await rows.domain(app, "short.test", "exact");
  await catalog.refresh(app);
  expect(catalog.resolveApp("short.test").app?.id).toBe(app);
  expect(catalog.route(app, "GET", "short.test", "/x")).not.toBeNull();
  await database.db`update routes set enabled = false where id = ${route}`;
  await catalog.refresh(app);
  expect(catalog.route(app, "GET", "short.test", "/x")).toBeNull();
  await database.db`delete from apps where id = ${app}`;
  await catalog.refresh(app);
  expect(catalog.app(app)).toBeUndefined();
  expect(catalog.script(script)).toBeUndefined();
  expect(catalog.resolveApp("short.test").app?.id).toBe(main);
});

describe("hosts", () => {
  beforeAll(async () => {
    const owners = {
      exact: "a.example.com",
      wildcard: "*.example.com",
      longer: "*.b.example.com",
      labelled: "{tenant}.c.example.com",
    };
    for (const [slug, pattern] of Object.entries(owners)) {
      const shape = pattern.startsWith("*")
        ? "wildcard"
        : pattern.startsWith("{")
          ? "parameterised"
          : "exact";
      await rows.domain(await rows.app(slug), pattern, shape);
    }
    await rows.domain(await rows.app("both"), "*.c.example.com", "wildcard");
    await catalog.load();
  });

  test.each([
    ["a.example.com", "exact"],
    ["A.EXAMPLE.com.:8080", "exact"],
    ["z.example.com", "wildcard"],
    ["y.z.example.com", "wildcard"],
    ["z.b.example.com", "longer"],
    ["b.example.com", "wildcard"],
    ["t.c.example.com", "labelled"],
    ["u.t.c.example.com", "both"],
    ["example.com", "default"],
    ["192.168.1.7:8080", "default"],
    ["[::1]:8080", "default"],
    ["", "default"],
  ])("%s belongs to %s", (host, slug) => {
    expect(catalog.resolveApp(host).app?.slug).toBe(slug);
  });

  test("a parameterised claim captures its label", () => {
    expect({ ...catalog.resolveApp("Acme.c.example.com").params }).toEqual({ tenant: "acme" });
  });

  test("without a fallback app, unknown hosts have none", async () => {
    const none = createCatalog(database.db, {
      fallbackApp: null,
      limits: DEFAULT_LIMITS,
      ceilings: DEFAULT_CEILINGS,
    });
    await none.load();
    expect(none.resolveApp("nobody.test").app).toBeNull();
    expect(none.resolveApp("a.example.com").app?.slug).toBe("exact");
  });
});

test("a notification from elsewhere brings the change; an old one is skipped", async () => {
  const listener = await listen(database.target, {
    applicationName: "test",
    channels: { picloud_catalog: catalog.onNotify },
    onReconnect: () => {},
  });
  const app = await rows.app("elsewhere");
  await rows.route(app, await rows.script(app, "s", "1"), "/n");
  for (let i = 0; i < 100 && catalog.route(app, "GET", "h", "/n") === null; i++) await Bun.sleep(10);
  expect(catalog.route(app, "GET", "h", "/n")).not.toBeNull();
  await database.db`delete from apps where id = ${app}`;
  for (let i = 0; i < 100 && catalog.app(app) !== undefined; i++) await Bun.sleep(10);
  expect(catalog.app(app)).toBeUndefined();
  catalog.onNotify(`${newId()}:0`);
  catalog.onNotify("nonsense");
  catalog.onNotify(`${main}:1`);
  await listener.close();
});

test("a refresh that failed is made up for by itself, so that nothing committed stays unseen", async () => {
  await rows.route(main, hello, "/made-up-for");
  await database.db`alter table app_domains rename to app_domains_away`;
  try {
    expect(
      await catalog.refresh(main).then(
        () => "seen",
        () => "failed",
      ),
    ).toBe("failed");
  } finally {
    await database.db`alter table app_domains_away rename to app_domains`;
  }
  await waitFor("the route is known", () => catalog.route(main, "GET", "any", "/made-up-for") !== null, 5000);
});
