import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDispatcher, type Dispatcher } from "../../src/orchestrator/index.ts";
import { bury, replayLetters, sendEvent } from "../../src/services/events/index.ts";
import { newId } from "../../src/shared/ids.ts";
import { waitFor } from "../support/wait.ts";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

setDefaultTimeout(60_000);

let plane: DataPlane;
let dispatcher: Dispatcher;
let scripts = 0;

beforeAll(async () => {
  plane = await startDataPlane({ onEvents: () => dispatcher.wake() });
  dispatcher = createDispatcher({
    db: plane.database.db,
    catalog: plane.catalog,
    runOnce: plane.orchestrator.runOnce,
    owner: newId(),
    maxConcurrent: 8,
    maxDepth: 8,
    random: () => 0.5,
  });
  await dispatcher.start();
});

afterAll(async () => {
  await dispatcher.stop(1000);
  await plane.stop();
});

beforeEach(async () => {
  const { db } = plane.database;
  await db`delete from triggers`;
  await db`delete from outbox`;
  await db`delete from dead_letters`;
  await db`delete from kv_entries`;
});

async function trigger(
  kind: string,
  source: string,
  { pattern = "*", attempts = 1, baseMs = 1, until = null as Date | null } = {},
): Promise<string> {
  const script = await plane.deploy(`/h${++scripts}`, source);
  const id = newId();
  await plane.database.db`
    insert into triggers (app_id, id, script_id, kind, pattern, retry_max_attempts, retry_backoff, retry_base_ms, paused_until)
    values (${plane.appId}, ${id}, ${script}, ${kind}, ${pattern}, ${attempts}, 'constant', ${baseMs}, ${until})`;
  await plane.rows.announce(plane.appId);
  await plane.catalog.refresh(plane.appId);
  return id;
}

const write = async (collection: string, key: string): Promise<void> => {
  await plane.database.db`
    insert into kv_entries (app_id, collection, key, value) values (${plane.appId}, ${collection}, ${key}, '1')`;
  dispatcher.wake();
};
const waiting = () =>
  plane.database.db<
    { attempt_count: number; claimed_by: string | null }[]
  >`select attempt_count, claimed_by from outbox`;
const idle = () => waitFor("nothing waits", async () => (await waiting()).length === 0);
const value = async (key: string): Promise<unknown> => {
  const [row] = await plane.database.db<{ value: unknown }[]>`
    select value from kv_entries where collection = 'seen' and key = ${key}`;
  return row?.value;
};
const resolutions = async (): Promise<unknown[]> =>
  (await plane.database.db`select resolution from dead_letters`).map((row) => row["resolution"]);

describe("a handler of dead letters", () => {
  test("is told the times as everything else tells them", async () => {
    await trigger("kv", 'throw "never"', { pattern: "in" });
    await trigger("dead_letter", 'kv::collection("seen").set("letter", ctx.event.dead_letter);');
    await write("in", "a");
    await waitFor("it has run", async () => (await value("letter")) !== undefined);
    const letter = (await value("letter")) as Record<string, string>;
    for (const name of ["first_attempt_at", "last_attempt_at"])
      expect(letter[name]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test("of an asynchronous route sees the request as an event", async () => {
    const script = await plane.rows.script(plane.appId, "never", 'throw "never"');
    await plane.rows.route(plane.appId, script, { path: "/never", dispatch_mode: "async" });
    await trigger("dead_letter", 'kv::collection("seen").set("original", ctx.event.dead_letter.original);');
    await plane.call("/never?a=1", { method: "POST", body: "x" });
    await plane.database.db`update outbox set retry_max_attempts = 1`;
    await waitFor("it has run", async () => {
      await plane.database
        .db`update outbox set retry_max_attempts = 1, due_at = now() where claimed_by is null`;
      dispatcher.wake();
      return (await value("original")) !== undefined;
    });
    expect(await value("original")).toMatchObject({
      source: "http",
      op: "request",
      http: { method: "POST", path: "/never", query: "a=1" },
    });
  });

  for (const last of ["fails", "succeeds"]) {
    test(`that fails tells, also beside one that does not (the last one ${last})`, async () => {
      await trigger("kv", 'throw "never"', { pattern: "in" });
      const wait = "let t = timestamp(); while t.elapsed < 0.3 {}";
      await trigger("dead_letter", last === "fails" ? "1" : wait);
      await trigger("dead_letter", `${last === "fails" ? wait : ""} throw "not handled"`);
      await write("in", "a");
      await waitFor("there is a letter", async () => (await resolutions()).length === 1);
      await idle();
      expect(await resolutions()).toEqual(["handler_failed"]);
    });
  }
});

test("a handler that was called by hand and fails leaves no dead letter", async () => {
  const id = await trigger("dead_letter", 'kv::collection("seen").incr("tries"); throw "no"', {
    attempts: 3,
  });
  const { db } = plane.database;
  const [row] = await db<Parameters<typeof sendEvent>[1][]>`select * from triggers where id = ${id}`;
  if (row === undefined) throw new Error("there is no trigger");
  await sendEvent(db, row, { source: "dead_letter", op: "run" });
  dispatcher.wake();
  await waitFor("it has run", async () => (await value("tries")) === 1);
  await idle();
  expect([await value("tries"), await resolutions()]).toEqual([1, []]);
});

test("a replay runs as whoever the first delivery ran as, and waits for the others of its key", async () => {
  const { db } = plane.database;
  const [id, user] = [newId(), newId()];
  await db`
    insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
      origin_principal, retry_max_attempts, retry_backoff, retry_base_ms, ordering_key, due_at)
    values (${plane.appId}, ${id}, 'of a later version', 'done', ${id}, ${id}, '{}', 0, ${id}, ${user}, 1, 'constant', 1, 'k', 'infinity')`;
  await bury(db, { app_id: plane.appId, id, attempt_count: 0 }, "for ever");
  await replayLetters(db, plane.appId, {}, { maxAttempts: 1, backoff: "constant", baseMs: 1 }, 1);
  const [again] = await db`select origin_principal, ordering_key from outbox`;
  expect(again).toEqual({ origin_principal: user, ordering_key: "k" });
});

test("what a triggered run returns is no failure, whatever it is; only its summary is kept", async () => {
  const answers = [
    "|x| x",
    'kv::collection("a")',
    '#{ statusCode: "x" }',
    "#{ statusCode: 503 }",
    "#{ statusCode: 200, headers: #{ a: 1 } }",
  ];
  for (const [n, answer] of answers.entries()) {
    await trigger("kv", `kv::collection("seen").incr("r${n}"); ${answer}`, { pattern: "in", attempts: 3 });
  }
  await write("in", "a");
  await waitFor("all have run", async () => (await value(`r${answers.length - 1}`)) !== undefined);
  await idle();
  for (const n of answers.keys()) expect([n, await value(`r${n}`)]).toEqual([n, 1]);
  expect(await resolutions()).toEqual([]);
  const { db } = plane.database;
  await plane.executions.flush();
  const [run] = await db<{ status: string; response_summary: string }[]>`
    select e.status, e.response_summary from executions e join script_versions v using (app_id, script_id, version)
    where v.source like '%|x| x'`;
  expect(run).toMatchObject({
    status: "success",
    response_summary: expect.stringContaining("cannot be written as JSON"),
  });
});

test("what fails while its trigger is paused is tried again after the pause only", async () => {
  const id = await trigger(
    "kv",
    'kv::collection("seen").incr("tries"); let t = timestamp(); while t.elapsed < 0.5 {} throw "again"',
    { pattern: "in", attempts: 2 },
  );
  await write("in", "a");
  await waitFor("it runs", async () => (await value("tries")) === 1);
  await plane.database.db`update triggers set paused_until = now() + interval '1 hour' where id = ${id}`;
  await waitFor("it has failed", async () => (await waiting())[0]?.claimed_by === null);
  await Bun.sleep(200);
  expect(await value("tries")).toBe(1);
  expect([...(await waiting())]).toEqual([{ attempt_count: 1, claimed_by: null }]);
});

test("a prefix of collections means every name that begins with it", async () => {
  await trigger("kv", 'kv::collection("seen").incr(ctx.event.kv.collection);', { pattern: "logs:*" });
  for (const name of ["logs:", "logs:a", "logs:a:b", "logs", "log", "logsx", "Logs:a"])
    await write(name, "k");
  await waitFor("they are seen", async () => (await value("logs:a:b")) === 1);
  await idle();
  const seen = await plane.database
    .db`select key from kv_entries where collection = 'seen' order by key collate "C"`;
  expect(seen.map((row) => row["key"])).toEqual(["logs:", "logs:a", "logs:a:b"]);
});

test("an event never runs a script of another app", async () => {
  const { db } = plane.database;
  const appId = await plane.rows.app("neighbour");
  const script = await plane.rows.script(appId, "private", 'kv::collection("seen").set("foreign", 1)');
  await plane.catalog.refresh(appId);
  const id = newId();
  await db`
    insert into outbox (app_id, id, source_kind, op, script_id, payload, trigger_depth, root_execution_id,
      retry_max_attempts, retry_backoff, retry_base_ms)
    values (${plane.appId}, ${id}, 'kv', 'insert', ${script}, '{}', 1, ${id}, 3, 'constant', 1)`;
  dispatcher.wake();
  await idle();
  expect([await value("foreign"), await resolutions()]).toEqual([undefined, [null]]);
});

test("a module cannot have a trigger, whoever writes it", async () => {
  const module = await plane.rows.script(plane.appId, "library", "fn f() { 1 }", { kind: "module" });
  const insert = plane.database.db`
    insert into triggers (app_id, id, script_id, kind, retry_max_attempts, retry_backoff, retry_base_ms)
    values (${plane.appId}, ${newId()}, ${module}, 'kv', 1, 'constant', 1)`;
  expect(await insert.catch(String)).toContain("a module cannot be called by a trigger");
});

test("a request for later whose body is not the JSON that it says it is is refused at once", async () => {
  const script = await plane.rows.script(plane.appId, "later", "1");
  await plane.rows.route(plane.appId, script, { path: "/later", dispatch_mode: "async" });
  await plane.catalog.refresh(plane.appId);
  const post = (body: string, type = "application/json") =>
    plane.call("/later", { method: "POST", body, headers: { "content-type": type } });
  for (const body of ["{bad", "[1,]", " ", '"a', "nul"]) {
    const answer = await post(body);
    expect([body, answer.status]).toEqual([body, 400]);
    expect(((await answer.json()) as { code: string }).code).toBe("malformed_body");
  }
  expect((await post("{bad", "text/plain")).status).toBe(202);
  expect((await post(' {"a": [1e400, 9007199254740993]}')).status).toBe(202);
  await idle();
  expect(await resolutions()).toEqual([]);
});
