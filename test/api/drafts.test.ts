import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  startControlPlane,
  type CallOptions,
  type ControlPlane,
  type Json,
} from "../manager/support/control-plane.ts";
import { editorsGet, expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ environment: { PICLOUD_FALLBACK_APP: "blog" } });
  await plane.catalog.load();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

let id = "";
beforeEach(async () => {
  await plane.db`delete from scripts where app_id = ${plane.blog}`;
  id = (await deploy(`"one"`, "?route=/post")).json.script.id;
});

const NAMED = "/apps/blog/scripts/post";
const deploy = (raw: string, query = "", options: CallOptions = {}) =>
  plane.call("editor", "PUT", `${NAMED}${query}`, { raw, ...options });
const put = (body: unknown, query = "", options: CallOptions = {}) =>
  plane.call("editor", "PUT", `/scripts/${id}${query}`, { body, ...options });
const read = async (): Promise<Json> => (await plane.call("viewer", "GET", `/scripts/${id}`)).json;
const activate = (version: number, options: CallOptions = {}) =>
  plane.call("editor", "POST", `/scripts/${id}/versions/${version}:activate`, options);
const versions = async (): Promise<Json[]> =>
  (await plane.call("viewer", "GET", `/scripts/${id}/versions`)).json.items;

describe("drafts", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "PUT /scripts/{id}?activate=false",
        method: "PUT",
        path: () => `/scripts/${id}?activate=false`,
        options: { body: { source: `"draft"` } },
        expect: editorsGet(201),
        check: ({ json, headers }) => {
          expect(json).toMatchObject({ version: 2, live: false, live_version: 1, source: `"draft"` });
          // What reading the script shows has not changed.
          expect(headers.get("etag")).toBe(`"1"`);
        },
      },
      {
        name: "PUT /apps/blog/scripts/post?activate=false",
        method: "PUT",
        path: `${NAMED}?activate=false`,
        options: { raw: `"draft"` },
        expect: editorsGet(201),
        check: ({ json }) => {
          expect(json).toMatchObject({ version: 2, script: { version: 2, live: false, live_version: 1 } });
          expect(json.urls).toEqual(["http://pi:8080/post"]);
        },
      },
      {
        name: "POST /scripts?activate=false",
        method: "POST",
        path: "/scripts?activate=false",
        options: () => ({ body: { app_id: "blog", name: "fresh", source: "1" } }),
        expect: editorsGet(201),
        check: ({ json }) =>
          expect(json).toMatchObject({ version: 1, live: false, live_version: null, urls: [] }),
        restore: (running, { json }) => running.call("owner", "DELETE", `/scripts/${json.id}`),
      },
    ],
  );

  test("a draft leaves what runs, and what reading shows, as it was", async () => {
    await put({ source: `"draft"`, timeout_seconds: 7 }, "?activate=false");
    expect(plane.catalog.script(id)).toMatchObject({ liveVersion: 1 });
    expect(await read()).toMatchObject({ version: 1, live: true, live_version: 1, source: `"one"` });
    expect((await versions()).map(({ version, live }) => [version, live])).toEqual([
      [2, false],
      [1, true],
    ]);
  });

  test("an activated draft is live with its own settings; without a draft, activate=true is the rule", async () => {
    await put({ source: `"draft"`, timeout_seconds: 7 }, "?activate=false");
    expect((await activate(2)).json).toMatchObject({ version: 2, live: true, timeout_seconds: 7 });
    expect(plane.catalog.script(id)).toMatchObject({ liveVersion: 2, limits: { timeoutMs: 7000 } });
    expect((await put({ source: `"three"` }, "?activate=true")).json).toMatchObject({
      version: 3,
      live: true,
    });
  });

  test("the draft saved again makes no second one, and saved to run it is the one that runs", async () => {
    const first = await deploy(`"draft"`, "?activate=false");
    const again = await deploy(`"draft"`, "?activate=false");
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.json).toMatchObject({ version: 2, script: { live: false } });
    expect((await deploy(`"draft"`)).json).toMatchObject({ version: 2, script: { live: true } });
    expect(await versions()).toHaveLength(2);
  });

  test("a script with drafts only runs nowhere until one is activated", async () => {
    const created = await plane.call("editor", "PUT", "/apps/blog/scripts/new?route=/new&activate=false", {
      raw: `"new"`,
    });
    expect(created.status).toBe(201);
    const script = created.json.script.id;
    expect(plane.catalog.script(script)).toMatchObject({ liveVersion: null });
    expect((await plane.call("viewer", "GET", `/scripts/${script}`)).json).toMatchObject({
      version: 1,
      live: false,
      live_version: null,
    });
    // Saved once more, to run this time.
    await plane.call("editor", "PUT", "/apps/blog/scripts/new", { raw: `"new"` });
    expect(plane.catalog.script(script)).toMatchObject({ liveVersion: 1 });
  });

  test("a draft must compile too, and cannot turn a live endpoint into a module", async () => {
    expectProblem(await deploy("let =", "?activate=false"), "compile_error");
    expectProblem(
      await put({ source: "fn a() { 1 }", kind: "module" }, "?activate=false"),
      "draft_changes_kind",
    );
    expect(await versions()).toHaveLength(1);
  });

  test("what else activate= may say is refused", async () => {
    for (const query of ["?activate=no", "?activate=", "?activate=1"]) {
      expect(expectProblem(await deploy(`"x"`, query)).status).toBe(422);
      expect(expectProblem(await put({ source: `"x"` }, query)).status).toBe(422);
    }
  });

  test("a draft beside the live version does not stand in the way of If-Match", async () => {
    const seen = (await plane.call("editor", "GET", `/scripts/${id}`)).headers.get("etag") ?? "";
    await put({ source: `"draft"` }, "?activate=false", { headers: { "if-match": seen } });
    expect((await put({ source: `"two"` }, "", { headers: { "if-match": seen } })).status).toBe(200);
    expectProblem(await put({ source: `"x"` }, "", { headers: { "if-match": seen } }), "version_mismatch");
  });
});

describe("If-Match", () => {
  test("activation and deletion, too, happen only to the version that was seen", async () => {
    await deploy(`"two"`);
    const old = { headers: { "if-match": `"1"` } };
    expectProblem(await activate(1, old), "version_mismatch");
    for (const path of [`/scripts/${id}`, NAMED]) {
      const answer = await plane.call("appAdmin", "DELETE", path, old);
      expect(answer.status).toBe(412);
      expectProblem(answer, "version_mismatch");
    }
    expect((await read()).version).toBe(2);
    const seen = { headers: { "if-match": `"2"` } };
    expect((await activate(1, seen)).status).toBe(200);
    expect((await plane.call("appAdmin", "DELETE", NAMED, { headers: { "if-match": `"1"` } })).status).toBe(
      204,
    );
  });

  test("of an activation and a save at once over the same version, one wins", async () => {
    await deploy(`"two"`);
    const options = { headers: { "if-match": `"2"` } };
    const answers = await Promise.all([activate(1, options), put({ source: `"three"` }, "", options)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
  });
});

describe("versions", () => {
  test("name who saved them and why", async () => {
    await put({ source: `"two"`, message: "because" });
    expect((await versions())[0]).toMatchObject({
      version: 2,
      author: "editor",
      author_id: plane.users["editor"],
      message: "because",
    });
    const { json } = await plane.call("viewer", "GET", `/scripts/${id}/versions/2`);
    expect(json).toMatchObject({ author: "editor", message: "because", source: `"two"` });
  });

  test("the newest fifty are kept, the live one, and those that the log tells of", async () => {
    await plane.db`
      insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind, status,
        duration_ms, created_at)
      values (${plane.blog}, ${Bun.randomUUIDv7()}, ${id}, 3, ${Bun.randomUUIDv7()}, ${Bun.randomUUIDv7()}, 'http',
        'success', 1, now())`;
    for (let round = 2; round <= 56; round++) await deploy(`"${round}"`, "?activate=false");
    const kept = await plane.db<{ version: number }[]>`
      select version from script_versions where script_id = ${id} order by version`;
    expect(kept.map(({ version }) => version)).toEqual([
      1,
      3,
      ...Array.from({ length: 50 }, (_, i) => i + 7),
    ]);
    expectProblem(await plane.call("editor", "GET", `/scripts/${id}/versions/2`), "not_found");
    expect((await activate(56)).status).toBe(200);
    await deploy(`"57"`);
    expect((await plane.call("editor", "GET", `/scripts/${id}/versions/1`)).status).toBe(404);
  }, 30_000);
});

describe("the audit log", () => {
  const entries = async (): Promise<Json[]> =>
    plane.db`select action, target_kind, target_id, target_name, actor_name, changed,
        before_sha256 is not null as before, after_sha256 is not null as after, request_id
      from audit_log where app_id = ${plane.blog} order by created_at, id`;

  test("holds every change of scripts and routes, with who made it", async () => {
    await plane.db`delete from audit_log`;
    await deploy(`"two"`, "?route=/second&dispatch=async");
    await deploy(`"two"`, "?route=/second&dispatch=sync");
    await deploy(`"draft"`, "?activate=false");
    await activate(1);
    await put({ description: "told" });
    await put({ description: "told" });
    const route = await plane.call("editor", "POST", `/scripts/${id}/routes`, {
      body: { path: "/third/:id" },
    });
    await plane.call("editor", "PATCH", `/routes/${route.json.id}`, { body: { enabled: false } });
    await plane.call("editor", "DELETE", `/routes/${route.json.id}`);
    await plane.call("appAdmin", "DELETE", `/scripts/${id}`);
    const all = await entries();
    expect(all.map(({ action, actor_name, changed }) => [action, actor_name, changed])).toEqual([
      ["script.update", "editor", ["last_version", "live_version", "source"]],
      ["route.create", "editor", []],
      ["route.update", "editor", ["dispatch_mode"]],
      ["script.update", "editor", ["last_version"]],
      ["script.activate", "editor", ["live_version", "source"]],
      ["script.update", "editor", ["description"]],
      ["route.create", "editor", []],
      ["route.update", "editor", ["enabled"]],
      ["route.delete", "editor", []],
      ["script.delete", "appAdmin", []],
    ]);
    expect(all[1]).toMatchObject({
      target_kind: "route",
      target_name: "ANY /second",
      before: false,
      after: true,
    });
    expect(all.at(-1)).toMatchObject({
      target_kind: "script",
      target_id: id,
      target_name: "post",
      after: false,
    });
    for (const { request_id } of all) expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("has nothing of what was refused", async () => {
    await plane.db`delete from audit_log`;
    await deploy("let =");
    await deploy(`"x"`, "", { headers: { "if-match": `"9"` } });
    await plane.call("viewer", "PUT", NAMED, { raw: "1" });
    await plane.call("editor", "POST", `/scripts/${id}/routes`, { body: { path: "/post" } });
    await plane.call("editor", "DELETE", `/scripts/${id}`);
    expect(await entries()).toEqual([]);
  });
});

test("addresses are told wherever a script is", async () => {
  const urls = ["http://pi:8080/post"];
  expect((await read()).urls).toEqual(urls);
  const list = await plane.call("viewer", "GET", "/scripts?app=blog&fields=summary");
  expect(list.json.map((script: Json) => script.urls)).toEqual([urls]);
  expect((await activate(1)).json.urls).toEqual(urls);
  expect((await put({ description: "x" })).json.urls).toEqual(urls);
});
