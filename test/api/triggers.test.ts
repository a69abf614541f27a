import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { droppedFigures } from "../../src/services/events/index.ts";
import { findMailbox, secretOf } from "../../src/services/inbound-mail/index.ts";
import {
  KEYRING,
  startControlPlane,
  type ControlPlane,
  type Json,
} from "../manager/support/control-plane.ts";
import { appAdminsGet, expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
let script = "";
let foreign = "";
let library = "";
let trigger = "";
let woken = 0;
let rescheduled = 0;
beforeAll(async () => {
  plane = await startControlPlane({
    environment: { PICLOUD_TRIGGER_RETRY_MAX_ATTEMPTS: "5", PICLOUD_TRIGGER_RETRY_BACKOFF: "linear" },
    data: {
      expires: () => {},
      indexesChanged: () => {},
      eventsCaused: () => void woken++,
      cronChanged: () => void rescheduled++,
    },
  });
  const deploy = async (app: string, name: string, query = "") =>
    (await plane.call("owner", "PUT", `/apps/${app}/scripts/${name}${query}`, { raw: "1" })).json.script.id;
  script = await deploy("blog", "handler");
  foreign = await deploy("default", "foreign");
  const saved = await plane.call("owner", "PUT", "/apps/blog/scripts/library?kind=module", {
    raw: "fn f() { 1 }",
  });
  library = saved.json.script.id;
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const PATH = "/apps/blog/triggers";
const add = (kind: string, body: object) =>
  plane.call("appAdmin", "POST", `${PATH}/${kind}`, { body: { script_id: script, ...body } });
const patch = (body: object) => plane.call("appAdmin", "PATCH", `${PATH}/${trigger}`, { body });
const read = async (id = trigger): Promise<Json> =>
  (await plane.call("owner", "GET", PATH)).json.find((one: Json) => one.id === id);
const refused = async (kind: string, body: object): Promise<string> => {
  const answer = await add(kind, body);
  expect([kind, body, answer.status]).toEqual([kind, body, 422]);
  return answer.json.code;
};
const waiting = () => plane.db`select * from outbox order by created_at`;

beforeEach(async () => {
  await plane.db`delete from triggers`;
  await plane.db`delete from outbox`;
  trigger = (await add("kv", { collection_glob: "orders", ops: ["insert"] })).json.id;
});

describe("triggers", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps/blog/triggers",
        method: "GET",
        path: PATH,
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json.map(({ id }: Json) => id)).toEqual([trigger]),
      },
      {
        name: "POST /apps/blog/triggers/docs",
        method: "POST",
        path: `${PATH}/docs`,
        options: () => ({ body: { script_id: script, collection_glob: "logs:*" } }),
        expect: appAdminsGet(201),
      },
      {
        name: "PATCH /apps/blog/triggers/{tid}",
        method: "PATCH",
        path: () => `${PATH}/${trigger}`,
        options: { body: { retry_base_ms: 5 } },
        expect: appAdminsGet(200),
        check: ({ json }) => expect(json.retry_base_ms).toBe(5),
      },
      {
        name: "POST /apps/blog/triggers/{tid}:run",
        method: "POST",
        path: () => `${PATH}/${trigger}:run`,
        expect: appAdminsGet(202),
      },
      {
        name: "DELETE /apps/blog/triggers/{tid}",
        method: "DELETE",
        path: () => `${PATH}/${trigger}`,
        expect: appAdminsGet(204),
        restore: async () => void (trigger = (await add("kv", { collection_glob: "*" })).json.id),
      },
    ],
  );

  test("show all that there is to them; what was not said comes from the environment", async () => {
    expect(await read()).toEqual({
      id: trigger,
      app_id: plane.blog,
      script_id: script,
      script_name: "handler",
      kind: "kv",
      enabled: true,
      disabled_reason: null,
      paused_until: null,
      dispatch_mode: "async",
      retry_max_attempts: 5,
      retry_backoff: "linear",
      retry_base_ms: 1000,
      ordering: null,
      transactional: false,
      registered_by_principal: plane.users["appAdmin"] ?? "",
      dropped: 0,
      last_fired_at: null,
      last_execution_id: null,
      last_status: null,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      details: { kind: "kv", collection_glob: "orders", ops: ["insert"] },
    });
    const { json } = await add("dead_letter", { script_id_filter: script, retry_max_attempts: 1 });
    expect([json.retry_max_attempts, json.details]).toEqual([
      1,
      { kind: "dead_letter", source_filter: null, trigger_id_filter: null, script_id_filter: script },
    ]);
  });

  test("take a name, a prefix or all of collections, and only operations of their kind", async () => {
    for (const glob of ["*", "a", "a:*", "a:b:*", "a.b"])
      expect([glob, (await add("docs", { collection_glob: glob })).status]).toEqual([glob, 201]);
    for (const glob of ["", ":*", "a*", "*a", "a:*:b", "**", "a:**", "*:*"])
      expect([glob, await refused("docs", { collection_glob: glob })]).toEqual([glob, "invalid_glob"]);
    expect(await refused("kv", { collection_glob: "a", ops: ["create"] })).toBe("validation");
    expect(await refused("docs", { collection_glob: "a", ops: ["insert"] })).toBe("validation");
    expect(await refused("kv", {})).toBe("validation");
    expect(await refused("kv", { collection_glob: "a", topic_pattern: "a" })).toBe("validation");
    expect(await refused("kv", { collection_glob: "a", retry_max_attempts: 0 })).toBe("validation");
    expect(await refused("kv", { collection_glob: "a", paused_until: "tomorrow" })).toBe("invalid_time");
    expect(await refused("dead_letter", { script_id_filter: "x" })).toBe("validation");
  });

  test("of messages take a topic, all below one, or all", async () => {
    for (const pattern of ["*", "orders", "orders.*", "orders.paid", "a.b.*", "A-1_x"]) {
      const { status, json } = await add("pubsub", { topic_pattern: pattern });
      expect([status, json.details]).toEqual([201, { kind: "pubsub", topic_pattern: pattern }]);
    }
    for (const pattern of ["", "*.x", "a.*.b", "x*", "*x", "**", "a..b", ".a", "a.", ".*", "a b"])
      expect([pattern, await refused("pubsub", { topic_pattern: pattern })]).toEqual([
        pattern,
        "invalid_topic_pattern",
      ]);
    expect(await refused("pubsub", { collection_glob: "a" })).toBe("validation");
  });

  test("of times say when they fire next", async () => {
    const before = rescheduled;
    const { status, json } = await add("cron", { schedule: "30  2 * * mon", timezone: "Europe/Berlin" });
    expect([status, rescheduled - before]).toEqual([201, 1]);
    expect(json.details).toEqual({
      kind: "cron",
      schedule: "0 30 2 * * MON",
      timezone: "Europe/Berlin",
      missed: "once",
      overlap: "allow",
      start_deadline_seconds: null,
      next_runs: expect.any(Array),
    });
    const runs = json.details.next_runs.map((text: string) => new Date(text));
    expect(runs).toHaveLength(5);
    expect(runs.every((at: Date) => at.getTime() > Date.now() && at.getUTCDay() === 1)).toBe(true);
    const row = async () => (await plane.db`select next_at, details from triggers where id = ${json.id}`)[0];
    expect((await row())?.["next_at"]).toEqual(runs[0]);
    // What is due and not yet fired is not lost by a change of something else.
    await plane.db`update triggers set next_at = '2026-01-05T01:30:00Z' where id = ${json.id}`;
    const change = (body: object) => plane.call("appAdmin", "PATCH", `${PATH}/${json.id}`, { body });
    expect((await change({ retry_base_ms: 9 })).json.details.next_runs[0]).toBe("2026-01-05T01:30:00.000Z");
    expect((await change({ missed: "all" })).json.details).toMatchObject({
      missed: "all",
      schedule: "0 30 2 * * MON",
    });
    const over = await change({ schedule: "0 0 0 1 1 * 2020" });
    expect([over.status, over.json.details.next_runs]).toEqual([200, []]);
    expect((await change({ enabled: false })).status).toBe(200);
    for (const [body, code] of [
      [{ schedule: "0 0 0 30 2 *" }, "invalid_schedule"],
      [{ schedule: "0 0 24 * * *" }, "invalid_schedule"],
      [{ schedule: "@daily", timezone: "Mars" }, "invalid_timezone"],
      [{ schedule: "@daily", missed: "never" }, "validation"],
      [{ schedule: "@daily", start_deadline_seconds: 0 }, "validation"],
      [{}, "validation"],
    ] as const)
      expect([body, await refused("cron", body)]).toEqual([body, code]);
  });

  test("call endpoints of their own app only", async () => {
    const body = { collection_glob: "*" };
    expect((await add("kv", { ...body, script_id: "handler" })).json.script_id).toBe(script);
    expect((await add("kv", { ...body, script_id: foreign })).status).toBe(404);
    expect((await add("kv", { ...body, script_id: "foreign" })).status).toBe(404);
    expect((await add("kv", { ...body, script_id: "nothing" })).status).toBe(404);
    expect(await refused("kv", { ...body, script_id: library })).toBe("script_is_module");
    const answer = await plane.call("owner", "PUT", "/apps/blog/scripts/handler?kind=module", {
      raw: "fn f() { 1 }",
    });
    expect([answer.status, answer.json.code]).toEqual([422, "script_has_triggers"]);
  });

  test("of a kind without a service are refused; what is no kind is not found", async () => {
    for (const kind of ["files", "queue"]) {
      const answer = await add(kind, { collection_glob: "*" });
      expectProblem(answer);
      expect([answer.status, answer.json.code]).toEqual([422, "trigger_kind_unavailable"]);
      expect(answer.json.error).toBe(
        `There are no triggers of the kind ${kind} yet, since nothing would ever call their scripts; there are kv, docs, cron, pubsub, email, dead_letter.`,
      );
      expect(answer.json.details).toEqual({
        kind,
        available: ["kv", "docs", "cron", "pubsub", "email", "dead_letter"],
      });
      // Before anybody looks at the body.
      expect((await add(kind, { nonsense: 1 })).json.code).toBe("trigger_kind_unavailable");
    }
    expect((await add("weather", {})).status).toBe(404);
    expect(await plane.db`select from triggers`).toHaveLength(1);
  });

  test("are asynchronous, and nothing else", async () => {
    const body = { collection_glob: "a", dispatch_mode: "sync" };
    expect((await add("kv", body)).json.error).toBe(
      'dispatch_mode: not acceptable; expected "async", the only one there is.',
    );
    expect((await patch({ dispatch_mode: "sync" })).status).toBe(422);
    expect((await add("kv", { ...body, dispatch_mode: "async" })).json.dispatch_mode).toBe("async");
  });

  describe("for e-mail", () => {
    /** The secret as it is kept, opened. */
    const kept = async (id: string): Promise<string | null> => {
      const box = await findMailbox(plane.db, plane.blog, id);
      if (box === undefined) throw new Error("no such trigger");
      return secretOf(KEYRING, box);
    };
    const everywhere = async (): Promise<string> =>
      JSON.stringify([
        await plane.db`select * from audit_log`,
        await plane.db`select details from triggers`,
        (await plane.call("owner", "GET", PATH)).json,
        (await plane.call("owner", "GET", "/audit")).json,
      ]);

    test("have a secret of their own, which the answer to their making tells, and nothing else", async () => {
      const { status, json, headers } = await add("email", {});
      expect(status).toBe(201);
      expect(json.inbound_secret).toMatch(/^[0-9a-f]{64}$/);
      expect(json.details).toEqual({
        kind: "email",
        has_inbound_secret: true,
        inbound_path: `/api/v1/email-inbound/${plane.blog}/${json.id}`,
      });
      expect(headers.get("cache-control")).toBe("no-store");
      expect(await kept(json.id)).toBe(json.inbound_secret);
      expect((await add("email", {})).json.inbound_secret).not.toBe(json.inbound_secret);
      expect(await read(json.id)).toEqual({ ...json, inbound_secret: undefined });
      expect(await everywhere()).not.toContain(json.inbound_secret);
    });

    test("take one, or none when that is said; what is given is not told again", async () => {
      const given = await add("email", { inbound_secret: "given by me" });
      expect([given.status, given.json.details.has_inbound_secret]).toEqual([201, true]);
      expect(given.text).not.toContain("given by me");
      expect(await kept(given.json.id)).toBe("given by me");
      expect(await everywhere()).not.toContain("given by me");
      const none = await add("email", { inbound_secret: null });
      expect([none.json.details.has_inbound_secret, none.json.inbound_secret]).toEqual([false, undefined]);
      expect(await kept(none.json.id)).toBeNull();
      for (const inbound_secret of ["", 5, "x".repeat(1025)]) {
        const answer = await add("email", { inbound_secret });
        expect([answer.status, answer.json.details.field]).toEqual([422, "inbound_secret"]);
        expect(answer.json.error).not.toContain("xxx");
      }
      expect(await refused("email", { collection_glob: "*" })).toBe("validation");
    });

    test("keep it through other changes, and get another one, a new one or none", async () => {
      const { json: made } = await add("email", {});
      trigger = made.id;
      expect((await patch({ retry_base_ms: 5 })).json.inbound_secret).toBeUndefined();
      expect(await kept(trigger)).toBe(made.inbound_secret);
      expect((await patch({ inbound_secret: "mine from now on" })).text).not.toContain("mine from now on");
      expect(await kept(trigger)).toBe("mine from now on");
      const { json: fresh } = await patch({ new_inbound_secret: true });
      expect(fresh.inbound_secret).toMatch(/^[0-9a-f]{64}$/);
      expect(await kept(trigger)).toBe(fresh.inbound_secret);
      expect((await patch({ inbound_secret: null })).json.details.has_inbound_secret).toBe(false);
      expect(await kept(trigger)).toBeNull();
      expect((await patch({ inbound_secret: "x", new_inbound_secret: true })).status).toBe(422);
      const [before] = await plane.db<{ count: number }[]>`
        select count(*)::int as count from audit_log where action = 'trigger.update' and 'inbound_secret' = any (changed)`;
      expect(before?.count).toBe(3);
      const all = await everywhere();
      for (const secret of [made.inbound_secret, fresh.inbound_secret, "mine from now on"])
        expect(all).not.toContain(secret);
    });
  });

  test("of another app are not found", async () => {
    const elsewhere = `/apps/default/triggers/${trigger}`;
    expect((await plane.call("owner", "PATCH", elsewhere, { body: {} })).status).toBe(404);
    expect((await plane.call("owner", "DELETE", elsewhere)).status).toBe(404);
    expect((await plane.call("owner", "POST", `${elsewhere}:run`)).status).toBe(404);
    expect(await read()).toBeDefined();
  });

  test("change what is said and keep the rest", async () => {
    const { json } = await patch({ ops: ["update", "delete"], ordering: "key" });
    expect([json.details, json.ordering]).toEqual([
      { kind: "kv", collection_glob: "orders", ops: ["update", "delete"] },
      "key",
    ]);
    expect((await patch({ collection_glob: "" })).status).toBe(422);
    expect((await patch({ collection_glob: "x", ordering: null })).json.ordering).toBeNull();
  });

  test("say whether their runs are transactions, of what happens and of what is run by hand", async () => {
    const made = await add("pubsub", { topic_pattern: "*", transactional: true });
    expect(made.json.transactional).toBe(true);
    expect((await add("kv", { collection_glob: "*", transactional: "yes" })).status).toBe(422);
    const run = () => plane.call("owner", "POST", `${PATH}/${trigger}:run`);
    await run();
    expect((await patch({ transactional: true })).json.transactional).toBe(true);
    expect((await patch({ retry_base_ms: 7 })).json.transactional).toBe(true);
    await run();
    expect((await waiting()).map(({ transactional }) => transactional)).toEqual([false, true]);
    expect((await patch({ transactional: null })).status).toBe(422);
  });

  test("tell the data plane when they come and go", async () => {
    const emits = () => plane.catalog.app(plane.blog)?.emits;
    expect(emits()).toBe(true);
    await patch({ enabled: false });
    expect(emits()).toBe(false);
    await patch({ enabled: true });
    expect(emits()).toBe(true);
    await plane.call("owner", "DELETE", `${PATH}/${trigger}`);
    expect(emits()).toBe(false);
  });

  test("of times need one that is to come, when they are made", async () => {
    expect(await refused("cron", { schedule: "0 0 0 30 2 *" })).toBe("invalid_schedule");
    expect(await refused("cron", { schedule: "0 0 0 1 1 * 2020" })).toBe("invalid_schedule");
    expect((await add("cron", { schedule: "0 0 0 1 1 * 2020-2100" })).status).toBe(201);
  });

  test("of times that are run by hand get what a firing now would have", async () => {
    const made = (await add("cron", { schedule: "@daily", timezone: "Asia/Kolkata" })).json.id;
    expect((await plane.call("appAdmin", "POST", `${PATH}/${made}:run`)).status).toBe(202);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect((await waiting())[0]?.["payload"]).toEqual({
      source: "cron",
      op: "run",
      cron: {
        trigger_id: made,
        schedule: "0 0 0 * * *",
        timezone: "Asia/Kolkata",
        scheduled_at: time,
        fired_at: time,
        missed: false,
      },
    });
  });

  test("of dead letters that are run by hand are not tried again", async () => {
    const made = (await add("dead_letter", { retry_max_attempts: 9 })).json.id;
    await plane.call("appAdmin", "POST", `${PATH}/${made}:run`);
    expect((await waiting())[0]?.["retry_max_attempts"]).toBe(1);
  });

  test("that are run by hand get the event that they are given", async () => {
    const before = woken;
    const event = { op: "insert", kv: { collection: "orders", key: "k", value: 1 } };
    const given = await plane.call("owner", "POST", `${PATH}/${trigger}:run`, { body: { event } });
    const empty = await plane.call("owner", "POST", `${PATH}/${trigger}:run`);
    expect((await waiting()).map(({ id, payload }) => [id, payload])).toEqual([
      [given.json.execution_id, { source: "kv", ...event }],
      [empty.json.execution_id, { source: "kv", op: "run", kv: {} }],
    ]);
    expect(woken - before).toBe(2);
    await patch({ enabled: false });
    const answer = await plane.call("owner", "POST", `${PATH}/${trigger}:run`);
    expect([answer.status, answer.json.code]).toEqual([409, "trigger_disabled"]);
  });

  test("that are disabled or deleted leave nothing waiting, and what waited is counted", async () => {
    const run = () => plane.call("owner", "POST", `${PATH}/${trigger}:run`);
    const [before] = await droppedFigures(plane.db);
    await run();
    await run();
    expect((await patch({ enabled: false })).json.dropped).toBe(2);
    expect(await waiting()).toHaveLength(0);
    expect((await patch({ enabled: true })).json.dropped).toBe(2);
    await run();
    await plane.db`update outbox set claimed_by = ${trigger}, due_at = now() + interval '1 minute'`;
    // What is being delivered is not dropped.
    expect((await patch({ enabled: false })).json.dropped).toBe(2);
    await patch({ enabled: true });
    for (let n = 0; n < 3; n++) await run();
    await plane.call("owner", "DELETE", `${PATH}/${trigger}`);
    expect(await waiting()).toHaveLength(0);
    const rows = await plane.db`
      select action, changed from audit_log where target_id = ${trigger} and action <> 'trigger.run'
      order by created_at, id`;
    expect(rows.map(({ action, changed }) => [action, changed])).toEqual([
      ["trigger.create", []],
      ["trigger.update", ["enabled", "2 waiting events dropped"]],
      ["trigger.update", ["enabled"]],
      ["trigger.update", ["enabled"]],
      ["trigger.update", ["enabled"]],
      ["trigger.delete", ["3 waiting events dropped"]],
    ]);
    expect(await droppedFigures(plane.db)).toEqual([["blog", (before?.[1] ?? 0) + 5]]);
  });

  test("of users who may not have them any more count what they had waiting; those of an app go with it", async () => {
    const [before] = await droppedFigures(plane.db);
    const user = Bun.randomUUIDv7();
    await plane.db`insert into users (id, username, password_hash) values (${user}, ${`d-${user}`}, 'none')`;
    await plane.db`update triggers set registered_by = ${user} where id = ${trigger}`;
    await plane.call("owner", "POST", `${PATH}/${trigger}:run`);
    await plane.call("owner", "DELETE", `/admins/${user}`);
    expect((await read()).dropped).toBe(1);
    expect(await droppedFigures(plane.db)).toEqual([["blog", (before?.[1] ?? 0) + 1]]);
    await plane.call("owner", "POST", "/apps", { body: { slug: "short", name: "Short" } });
    const saved = await plane.call("owner", "PUT", "/apps/short/scripts/s", { raw: "1" });
    const body = { script_id: saved.json.script.id, collection_glob: "*" };
    const made = await plane.call("owner", "POST", "/apps/short/triggers/kv", { body });
    await plane.call("owner", "POST", `/apps/short/triggers/${made.json.id}:run`);
    expect((await plane.call("owner", "DELETE", "/apps/short?force=true")).status).toBe(204);
    expect((await droppedFigures(plane.db)).map(([slug]) => slug)).toEqual(["blog"]);
  });

  test("show how the last run ended that they caused, of any version", async () => {
    const run = async (status: string, at: string, of = trigger): Promise<string> => {
      const id = Bun.randomUUIDv7();
      await plane.db`insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind,
          trigger_id, status, duration_ms, created_at)
        values (${plane.blog}, ${id}, ${script}, 1, ${id}, ${id}, 'kv', ${of}, ${status}, 1, ${at})`;
      return id;
    };
    const failed = await run("error", "2026-01-02T00:00:00Z");
    await run("success", "2026-01-01T00:00:00Z");
    await run("timeout", "2026-01-03T00:00:00Z", Bun.randomUUIDv7());
    const last = {
      last_fired_at: "2026-01-02T00:00:00.000Z",
      last_execution_id: failed,
      last_status: "error",
    };
    expect(await read()).toMatchObject(last);
    expect((await patch({ retry_base_ms: 3 })).json).toMatchObject(last);
    const { json } = await add("cron", { schedule: "0 0 0 * * *" });
    await plane.db`update triggers set last_fired_at = '2026-02-01T00:00:00Z' where id = ${json.id}`;
    expect(await read(json.id)).toMatchObject({
      last_fired_at: "2026-02-01T00:00:00.000Z",
      last_status: null,
    });
  });

  test("that are paused hold back what waits, until then or until they are resumed", async () => {
    await plane.call("owner", "POST", `${PATH}/${trigger}:run`);
    const due = async (): Promise<string> => (await waiting())[0]?.["due_at"].toISOString();
    await patch({ paused_until: "2100-01-01T00:00:00Z" });
    expect(await due()).toBe("2100-01-01T00:00:00.000Z");
    await patch({ retry_base_ms: 2 });
    expect((await read()).paused_until).toBe("2100-01-01T00:00:00.000Z");
    await patch({ paused_until: null });
    expect((await due()) < "2100").toBe(true);
  });

  test("are recorded when they change", async () => {
    await patch({ enabled: false });
    await patch({ enabled: true });
    await plane.call("owner", "POST", `${PATH}/${trigger}:run`);
    await plane.call("owner", "DELETE", `${PATH}/${trigger}`);
    const rows = await plane.db`
      select action, target_name, changed from audit_log where target_id = ${trigger} order by created_at, id`;
    expect(rows.map(({ action, target_name, changed }) => [action, target_name, changed])).toEqual([
      ["trigger.create", "kv for handler", []],
      ["trigger.update", "kv for handler", ["enabled"]],
      ["trigger.update", "kv for handler", ["enabled"]],
      ["trigger.run", "kv for handler", []],
      ["trigger.delete", "kv for handler", ["1 waiting event dropped"]],
    ]);
  });
});

describe("whoever registered a trigger", () => {
  let user = "";
  const make = async (): Promise<string> => {
    user = Bun.randomUUIDv7();
    await plane.db`insert into users (id, username, password_hash) values (${user}, ${`u-${user}`}, 'none')`;
    await plane.db`insert into app_members (app_id, user_id, role) values (${plane.blog}, ${user}, 'app_admin')`;
    await plane.db`update triggers set registered_by = ${user} where id = ${trigger}`;
    return user;
  };
  const expectDisabled = async (why: string, by: string | null): Promise<void> => {
    const { enabled, disabled_reason, registered_by_principal } = await read();
    expect([enabled, disabled_reason, registered_by_principal]).toEqual([
      false,
      `The user u-${user}, who had registered it, ${why}.`,
      by,
    ]);
  };
  const member = () => `/apps/blog/members/${user}`;

  test("and is deleted leaves it disabled, with the reason; whoever enables it takes it over", async () => {
    await make();
    await plane.call("owner", "DELETE", `/admins/${user}`);
    await expectDisabled("was deleted", null);
    await patch({ retry_base_ms: 7 });
    await expectDisabled("was deleted", null);
    const { json } = await patch({ enabled: true });
    expect([json.enabled, json.disabled_reason, json.registered_by_principal]).toEqual([
      true,
      null,
      plane.users["appAdmin"],
    ]);
  });

  test("and is deactivated while it is disabled has nothing run for them when it is enabled", async () => {
    await make();
    await patch({ enabled: false });
    await plane.call("owner", "PATCH", `/admins/${user}`, { body: { is_active: false } });
    await expectDisabled("was deactivated", user);
    expect((await patch({ enabled: true })).json.registered_by_principal).toBe(plane.users["appAdmin"]);
  });

  test("and is deactivated leaves it disabled", async () => {
    await make();
    await plane.call("owner", "PATCH", `/admins/${user}`, { body: { is_active: false } });
    await expectDisabled("was deactivated", user);
  });

  test("and is no admin of the app any more leaves it disabled", async () => {
    for (const end of [
      () => plane.call("owner", "PATCH", member(), { body: { role: "editor" } }),
      () => plane.call("owner", "DELETE", member()),
    ]) {
      await make();
      await plane.db`update triggers set enabled = true, disabled_reason = null`;
      await end();
      await expectDisabled("is no admin of the app any more", user);
    }
  });

  test("and is demoted from admin of the instance leaves it disabled, but in apps that they still administer", async () => {
    for (const isMember of [true, false]) {
      await make();
      if (!isMember) await plane.db`delete from app_members where user_id = ${user}`;
      await plane.db`update triggers set enabled = true, disabled_reason = null`;
      await plane.db`update users set instance_role = 'admin' where id = ${user}`;
      await plane.call("owner", "PATCH", `/admins/${user}`, { body: { instance_role: "member" } });
      expect([isMember, (await read()).enabled]).toEqual([isMember, isMember]);
    }
  });
});
