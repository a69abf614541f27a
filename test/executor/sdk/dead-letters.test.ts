import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDispatcher, type Dispatcher } from "../../../src/orchestrator/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { ROOT, startDataPlane, type DataPlane } from "../../orchestrator/support/data-plane.ts";
import { waitFor } from "../../support/wait.ts";

setDefaultTimeout(60_000);

let plane: DataPlane;
let dispatcher: Dispatcher;
let broken = "";

beforeAll(async () => {
  plane = await startDataPlane({ onEvents: () => dispatcher.wake() });
  dispatcher = createDispatcher({
    db: plane.database.db,
    catalog: plane.catalog,
    runOnce: plane.orchestrator.runOnce,
    owner: newId(),
    maxConcurrent: 4,
    maxDepth: 8,
  });
  await dispatcher.start();
  broken = await plane.deploy("/broken", 'kv::collection("n").incr("runs"); throw "for ever";');
  await user("root", { id: ROOT.userId, instanceRole: "owner" });
  for (const [path, call] of [
    ["/replay", "dead_letters::replay(ctx.request.query.id)"],
    ["/resolve", "dead_letters::resolve(ctx.request.query.id, ctx.request.query.reason)"],
  ] as const)
    await plane.deploy(path, `let said = "done"; try { ${call}; } catch (e) { said = e; } said`);
});
afterAll(async () => {
  await dispatcher.stop(1000);
  await plane.stop();
});
beforeEach(async () => {
  const { db } = plane.database;
  for (const table of ["triggers", "outbox", "dead_letters", "kv_entries", "audit_log"])
    await db`delete from ${db(table)}`;
  await db`update users set is_active = true, instance_role = 'owner' where id = ${ROOT.userId}`;
});

async function user(
  name: string,
  options: { readonly id?: string; readonly instanceRole?: string; readonly role?: string } = {},
): Promise<string> {
  const { db } = plane.database;
  const id = options.id ?? newId();
  await db`
    insert into users (id, username, password_hash, instance_role)
    values (${id}, ${name}, 'none', ${options.instanceRole ?? "member"})`;
  if (options.role !== undefined)
    await db`insert into app_members (app_id, user_id, role) values (${plane.appId}, ${id}, ${options.role})`;
  return id;
}

async function letter(appId = plane.appId): Promise<string> {
  const id = newId();
  await plane.database.db`
    insert into dead_letters (app_id, id, original_event_id, source, op, script_id, payload, trigger_depth,
      root_execution_id, attempt_count, last_error)
    values (${appId}, ${id}, ${newId()}, 'kv', 'insert', ${broken}, '{"source": "kv", "op": "insert"}', 1, ${newId()}, 3, 'x')`;
  return id;
}
const resolution = async (id: string): Promise<string | null> => {
  const [row] = await plane.database.db<{ resolution: string | null }[]>`
    select resolution from dead_letters where id = ${id}`;
  return row?.resolution ?? null;
};
const SIGNED_IN = { headers: { authorization: "Bearer root-token" } };
const ask = async (path: string, init: RequestInit = SIGNED_IN): Promise<string> =>
  (await plane.call(path, init)).text();
const letters = async () => plane.database.db<
  { id: string; resolution: string | null; trigger_depth: number }[]
>`
  select id, resolution, trigger_depth from dead_letters order by created_at, id`;
const idle = () =>
  waitFor("nothing waits", async () => (await plane.database.db`select from outbox`).length === 0);

describe("whoever administers the app", () => {
  test("replays a letter, which is delivered at once", async () => {
    const id = await letter();
    expect(await ask(`/replay?id=${id}`)).toBe("done");
    await waitFor("it has run", async () => (await letters()).length === 2 || dispatcher.stats().failed > 0);
    expect(await resolution(id)).toBe("replayed");
    const audit = await plane.database.db`select actor_name, action, target_id, changed from audit_log`;
    expect(audit).toMatchObject([{ actor_name: "root", action: "dead_letter.replay", target_id: id }]);
  });

  test("resolves one, for one of four reasons, and once", async () => {
    for (const reason of ["replayed", "ignored", "handled_by_script", "handler_failed"]) {
      const id = await letter();
      expect(await ask(`/resolve?id=${id}&reason=${reason}`)).toBe("done");
      expect(await resolution(id)).toBe(reason);
      // That a handler failed settles nothing.
      const again =
        reason === "handler_failed" ? "done" : "dead_letters::resolve: the dead letter is resolved already: ";
      expect(await ask(`/resolve?id=${id}&reason=ignored`)).toStartWith(again);
    }
    const id = await letter();
    expect(await ask(`/resolve?id=${id}&reason=done`)).toBe(
      'dead_letters::resolve: reason must be one of "replayed", "ignored", "handled_by_script", "handler_failed"',
    );
    expect(await resolution(id)).toBe(null);
  });

  test("is told of what is no letter of the app", async () => {
    const foreign = await letter(await plane.rows.app(`foreign-${newId().slice(-8)}`));
    const unknown = newId();
    for (const id of [foreign, unknown])
      expect(await ask(`/replay?id=${id}`)).toBe(`dead_letters::replay: the app has no dead letter ${id}`);
    expect(await resolution(foreign)).toBe(null);
    expect(await ask("/replay?id=7")).toStartWith("dead_letters::replay: id must be that of a dead letter");
    expect(await ask(`/replay?id=${unknown.slice(1)}`)).toStartWith("dead_letters::replay: id must be");
  });

  test("of two who replay one letter at once, one does", async () => {
    const id = await letter();
    const both = await Promise.all([ask(`/replay?id=${id}`), ask(`/replay?id=${id}`)]);
    expect(both.toSorted()).toEqual([
      "dead_letters::replay: the dead letter is resolved already: replayed",
      "done",
    ]);
  });

  test("in a transaction that is rolled back has done nothing", async () => {
    await plane.deploy(
      "/undone",
      "try { tx::run(|| { dead_letters::replay(ctx.request.query.id); throw 1; }); } catch { } 1",
    );
    const id = await letter();
    await ask(`/undone?id=${id}`);
    expect([await resolution(id), (await plane.database.db`select from outbox`).length]).toEqual([null, 0]);
  });
});

describe("whoever does not", () => {
  const REFUSED = "dead_letters::replay: this needs the role app_admin in the app";
  test("is refused: nobody, a member, one who is not active", async () => {
    const id = await letter();
    const { db } = plane.database;
    expect(await ask(`/replay?id=${id}`, {})).toBe(`${REFUSED}, and nobody is signed in`);
    // The letter may exist or not.
    expect(await ask(`/replay?id=${newId()}`, {})).toBe(`${REFUSED}, and nobody is signed in`);
    await db`update users set instance_role = 'member' where id = ${ROOT.userId}`;
    expect(await ask(`/replay?id=${id}`)).toBe(`${REFUSED}, and of an API key the scope app:admin`);
    await db`insert into app_members (app_id, user_id, role) values (${plane.appId}, ${ROOT.userId}, 'editor')`;
    expect(await ask(`/replay?id=${id}`)).toStartWith(REFUSED);
    await db`update app_members set role = 'app_admin' where user_id = ${ROOT.userId}`;
    await db`update users set is_active = false where id = ${ROOT.userId}`;
    expect(await ask(`/replay?id=${id}`)).toStartWith(REFUSED);
    expect(await resolution(id)).toBe(null);
    await db`update users set is_active = true where id = ${ROOT.userId}`;
    expect(await ask(`/replay?id=${id}`)).toBe("done");
    await db`delete from app_members`;
  });

  test("is one whose API key may not, also by an asynchronous route", async () => {
    const { db } = plane.database;
    const keyed = async (
      scopes: readonly string[],
      app: string | null,
      expires: string | null,
    ): Promise<string> => {
      const id = newId();
      await db`
        insert into api_keys (id, user_id, name, prefix, token_hmac, scopes, app_id, expires_at)
        values (${id}, ${ROOT.userId}, ${id}, 'AAAAAAAA', ${Buffer.from(id)}, ${[...scopes]}::text[], ${app}, ${expires})`;
      return id;
    };
    const other = await plane.rows.app(`other-${newId().slice(-8)}`);
    const source = 'dead_letters::resolve(ctx.event.id, "ignored")';
    const deals = plane.catalog.script(await plane.deploy("/deals", source));
    if (deals === undefined) throw new Error("no script");
    const asynchronous = await plane.deploy(
      "/later",
      'dead_letters::resolve(ctx.request.query.id, "ignored")',
    );
    const run = async (keyId: string, id: string) =>
      (
        await plane.orchestrator.runOnce({
          executionId: newId(),
          script: deals,
          version: deals.liveVersion ?? 1,
          triggerKind: "kv",
          principal: { ...ROOT, key: { id: keyId, scopes: [], appId: null } },
          requestId: newId(),
          request: null,
          event: JSON.stringify({ id }),
          rerun: null,
        })
      ).outcome.error?.message ?? "done";
    for (const [scopes, app, expires, expected] of [
      [["app:admin"], null, null, "done"],
      [["app:admin"], plane.appId, "2999-01-01T00:00:00Z", "done"],
      [["script:write", "script:read"], null, null, "refused"],
      [["app:admin"], other, null, "refused"],
      [["app:admin"], null, "2020-01-01T00:00:00Z", "refused"],
    ] as const) {
      const id = await letter();
      const key = await keyed(scopes, app, expires);
      const ended = await run(key, id);
      expect([scopes, ended.includes("of an API key the scope app:admin") ? "refused" : ended]).toEqual([
        scopes,
        expected,
      ]);
      expect(await resolution(id)).toBe(expected === "done" ? "ignored" : null);
      // By an asynchronous route, whose request waits in the outbox.
      const later = await letter();
      const path = `/later?id=${later}`;
      const request = {
        request_id: newId(),
        key_id: key,
        method: "POST",
        host: "",
        path,
        query: `id=${later}`,
        params: {},
      };
      const payload = {
        ...request,
        rest: "",
        remote_ip: "",
        headers: [],
        body: { kind: "none", base64: "" },
      };
      await db`
        insert into outbox (app_id, id, source_kind, op, script_id, payload, trigger_depth, root_execution_id,
          origin_principal, retry_max_attempts, retry_backoff, retry_base_ms)
        values (${plane.appId}, ${newId()}, 'http', 'request', ${asynchronous}, ${db.json(payload)}, 0, ${newId()},
          ${ROOT.userId}, 1, 'constant', 1)`;
      dispatcher.wake();
      await idle();
      expect(await resolution(later)).toBe(expected === "done" ? "ignored" : null);
    }
  });
});

describe("a handler of dead letters", () => {
  const trigger = async (kind: string, script: string, registeredBy: string | null, attempts = 1) => {
    const id = newId();
    await plane.database.db`
      insert into triggers (app_id, id, script_id, kind, pattern, retry_max_attempts, retry_backoff, retry_base_ms,
        registered_by)
      values (${plane.appId}, ${id}, ${script}, ${kind}, 'in', ${attempts}, 'constant', 1, ${registeredBy})`;
    await plane.rows.announce(plane.appId);
    await plane.catalog.refresh(plane.appId);
    return id;
  };
  const cause = async () => {
    const { db } = plane.database;
    await db`insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, 'in', 'a', '1')`;
    dispatcher.wake();
    await waitFor("there is a letter", async () => (await letters()).length > 0);
    await idle();
  };

  test("acts as whoever registered it, with the rights of now", async () => {
    const { db } = plane.database;
    const handler = await plane.deploy(
      "/handler",
      'dead_letters::resolve(ctx.event.dead_letter.dead_letter_id, "ignored")',
    );
    const admin = await user(`admin-${newId()}`, { role: "app_admin" });
    await trigger("kv", broken, null);
    await trigger("dead_letter", handler, admin);
    await cause();
    expect((await letters()).map((one) => one.resolution)).toEqual(["ignored"]);
    // Without the triggers in the database that would disable it.
    await db`update app_members set role = 'editor' where user_id = ${admin}`;
    await db`update triggers set enabled = true`;
    await db`delete from dead_letters`;
    await db`delete from kv_entries`;
    await cause();
    expect(new Set((await letters()).map((one) => one.resolution))).toEqual(new Set(["handler_failed"]));
  });

  test("that always replays comes to an end, at the limit of depth", async () => {
    const handler = await plane.deploy(
      "/again",
      "dead_letters::replay(ctx.event.dead_letter.dead_letter_id)",
    );
    const admin = await user(`admin-${newId()}`, { role: "app_admin" });
    await trigger("kv", broken, null);
    await trigger("dead_letter", handler, admin);
    await cause();
    const depths = (await letters()).map(({ trigger_depth }) => trigger_depth);
    expect(depths).toEqual([1, 3, 5, 7]);
    expect((await letters()).map((one) => one.resolution)).toEqual(
      Array.from({ length: 4 }, () => "replayed"),
    );
  });
});
