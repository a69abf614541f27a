import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startControlPlane, type ControlPlane, type Json } from "../manager/support/control-plane.ts";
import { appAdminsGet, runScenarios } from "../manager/support/scenarios.ts";
import { newId } from "../../src/shared/ids.ts";

let plane: ControlPlane;
let script = "";
let trigger = "";
let letter = "";
let woken = 0;
beforeAll(async () => {
  plane = await startControlPlane({
    data: {
      expires: () => {},
      indexesChanged: () => {},
      eventsCaused: () => void woken++,
      cronChanged: () => {},
    },
  });
  script = (await plane.call("owner", "PUT", "/apps/blog/scripts/handler", { raw: "1" })).json.script.id;
  const body = { script_id: script, collection_glob: "*", retry_max_attempts: 9 };
  trigger = (await plane.call("owner", "POST", "/apps/blog/triggers/kv", { body })).json.id;
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const PATH = "/apps/blog/dead_letters";
const EVENT = { source: "kv", op: "insert", kv: { collection: "a", key: "k", value: 1 } };
const ROOT = newId();

async function bury(given: { source?: string; payload?: object; triggerId?: string; ago?: string } = {}) {
  const id = newId();
  await plane.db`
    insert into dead_letters (app_id, id, original_event_id, source, op, trigger_id, script_id, payload, trigger_depth,
      root_execution_id, attempt_count, first_attempt_at, last_attempt_at, last_error, created_at)
    values (${plane.blog}, ${id}, ${newId()}, ${given.source ?? "kv"}, 'insert', ${given.triggerId ?? trigger}, ${script},
      ${plane.db.json((given.payload ?? EVENT) as never)}, 2, ${ROOT}, 3, now(), now(), 'for ever',
      now() - ${given.ago ?? "0"}::interval)`;
  return id;
}
const replay = (id = letter) => plane.call("appAdmin", "POST", `${PATH}/${id}/replay`);
const resolve = (reason: string, id = letter) =>
  plane.call("appAdmin", "POST", `${PATH}/${id}/resolve`, { body: { reason } });
const replayAll = async (body: object): Promise<Json> =>
  (await plane.call("appAdmin", "POST", `${PATH}:replay`, { body })).json;
const waiting = () => plane.db`select * from outbox order by created_at`;

beforeEach(async () => {
  await plane.db`delete from dead_letters`;
  await plane.db`delete from outbox`;
  letter = await bury();
});

describe("dead letters", () => {
  const renew = async () => void (letter = await bury());
  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps/blog/dead_letters",
        method: "GET",
        path: PATH,
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json).toMatchObject({ items: [{ id: letter }], next_cursor: null }),
      },
      {
        name: "GET /apps/blog/dead_letters/count",
        method: "GET",
        path: `${PATH}/count`,
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json).toEqual({ count: 1 }),
      },
      {
        name: "GET /apps/blog/dead_letters/{dl_id}",
        method: "GET",
        path: () => `${PATH}/${letter}`,
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json.payload).toEqual(EVENT),
      },
      {
        name: "POST /apps/blog/dead_letters/{dl_id}/replay",
        method: "POST",
        path: () => `${PATH}/${letter}/replay`,
        expect: appAdminsGet(202),
        check: ({ json }) => expect(json.resolution).toBe("replayed"),
        restore: renew,
      },
      {
        name: "POST /apps/blog/dead_letters/{dl_id}/resolve",
        method: "POST",
        path: () => `${PATH}/${letter}/resolve`,
        options: { body: { reason: "ignored" } },
        expect: appAdminsGet(200),
        restore: renew,
      },
      {
        name: "POST /apps/blog/dead_letters:replay",
        method: "POST",
        path: `${PATH}:replay`,
        options: { body: {} },
        expect: appAdminsGet(202),
        check: ({ json }) => expect(json).toEqual({ replayed: 1, remaining: 0 }),
        restore: renew,
      },
    ],
  );

  test("are delivered again from their first attempt, as often as their trigger says, once", async () => {
    const before = woken;
    expect((await replay()).status).toBe(202);
    expect(await waiting()).toMatchObject([
      {
        source_kind: "kv",
        trigger_id: trigger,
        payload: EVENT,
        attempt_count: 0,
        retry_max_attempts: 9,
        trigger_depth: 2,
        root_execution_id: ROOT,
      },
    ]);
    expect(woken - before).toBe(1);
    const again = await replay();
    expect([again.status, again.json.code]).toEqual([409, "already_resolved"]);
    expect(await waiting()).toHaveLength(1);
  });

  test("are delivered in a transaction if their trigger says so now", async () => {
    await plane.db`update triggers set transactional = true where id = ${trigger}`;
    await replay();
    await plane.db`update triggers set transactional = false where id = ${trigger}`;
    expect(await waiting()).toMatchObject([{ transactional: true }]);
  });

  test("of a trigger that is gone are tried as often as a new one would", async () => {
    await replay(await bury({ triggerId: newId() }));
    expect(await waiting()).toMatchObject([{ retry_max_attempts: 3, retry_backoff: "exponential" }]);
  });

  test("are resolved once, with a reason; one whose handler failed can still be dealt with", async () => {
    expect((await resolve("because")).status).toBe(422);
    expect((await resolve("handler_failed")).json.resolution).toBe("handler_failed");
    expect((await resolve("ignored")).json.resolution).toBe("ignored");
    expect((await resolve("ignored")).status).toBe(409);
    expect((await plane.call("owner", "GET", `${PATH}/count`)).json).toEqual({ count: 0 });
    expect((await plane.call("owner", "GET", `${PATH}?unresolved=true`)).json.items).toEqual([]);
    expect((await plane.call("owner", "GET", PATH)).json.items).toHaveLength(1);
  });

  test("are replayed by a filter, those that are resolved are not", async () => {
    await resolve("ignored");
    await bury({ source: "docs" });
    await bury();
    await bury();
    expect(await replayAll({ source: "docs" })).toEqual({ replayed: 1, remaining: 0 });
    expect(await replayAll({ trigger_id: newId() })).toEqual({ replayed: 0, remaining: 0 });
    expect(await replayAll({ trigger_id: trigger, script_id: script })).toEqual({
      replayed: 2,
      remaining: 0,
    });
    expect(await waiting()).toHaveLength(3);
    const answer = await plane.call("owner", "POST", `${PATH}:replay`, { body: { trigger_id: "x" } });
    expect(answer.status).toBe(422);
  });

  test("come in pages, newest first", async () => {
    const older = await bury({ ago: "1 hour" });
    const first = (await plane.call("owner", "GET", `${PATH}?limit=1`)).json;
    const second = (await plane.call("owner", "GET", `${PATH}?limit=1&cursor=${first.next_cursor}`)).json;
    expect([first.items[0].id, second.items[0].id, second.next_cursor]).toEqual([letter, older, null]);
  });

  test("of another app are not found", async () => {
    const elsewhere = `/apps/default/dead_letters/${letter}`;
    for (const [method, path] of [
      ["GET", elsewhere],
      ["POST", `${elsewhere}/replay`],
    ] as const)
      expect((await plane.call("owner", method, path)).status).toBe(404);
  });

  test("of an asynchronous route tell no secrets of its request", async () => {
    const id = await bury({
      source: "http",
      payload: {
        method: "POST",
        path: "/later",
        query: "a=1&token=hidden",
        headers: ["authorization", "Bearer hidden", "x-a", "b"],
        body: { kind: "text", base64: btoa("hidden") },
      },
    });
    const { json, text } = await plane.call("owner", "GET", `${PATH}/${id}`);
    expect(json.payload).toEqual({
      method: "POST",
      path: "/later",
      query: "a=1&token=[not recorded]",
      headers: ["authorization", "[not recorded]", "x-a", "b"],
      body: { kind: "text", bytes: 6 },
    });
    expect(text).not.toContain("hidden");
  });

  test("are recorded when they are dealt with", async () => {
    await resolve("handler_failed");
    await replay();
    const rows = await plane.db`
      select action, target_name from audit_log where target_id = ${letter} order by created_at, id`;
    expect(rows.map(({ action, target_name }) => [action, target_name])).toEqual([
      ["dead_letter.resolve", "kv insert"],
      ["dead_letter.replay", "kv insert"],
    ]);
  });
});
