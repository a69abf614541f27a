import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { startControlPlane, type ControlPlane, type Json } from "../manager/support/control-plane.ts";

setDefaultTimeout(60_000);

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ checkScript: "compiler" });
});
afterAll(() => plane?.stop());
beforeEach(async () => {
  await plane.db`delete from scripts where app_id = ${plane.blog}`;
});

const KINDS = "?kind=module";
/** @returns the messages of the warnings */
async function save(name: string, source: string, query = ""): Promise<string[]> {
  const answer = await plane.call("owner", "PUT", `/apps/blog/scripts/${name}${query}`, { raw: source });
  expect([answer.text, answer.status < 300]).toEqual([answer.text, true]);
  return messages(answer.json);
}
const messages = ({ warnings = [] }: Json): string[] =>
  warnings.map(({ message }: { readonly message: string }) => message);
async function trigger(kind: string, script: string, body: object): Promise<Json> {
  const answer = await plane.call("owner", "POST", `/apps/blog/triggers/${kind}`, {
    body: { script_id: script, ...body },
  });
  expect([answer.text, answer.status]).toEqual([answer.text, 201]);
  return answer.json;
}
const patch = async ({ id }: Json, body: object): Promise<string[]> =>
  messages((await plane.call("owner", "PATCH", `/apps/blog/triggers/${id}`, { body })).json);

const loop = (...steps: readonly string[]): string[] => [
  `A loop of triggers, unless a run decides otherwise: ${steps.join(" → trigger → ")}.`,
];

test("a script that writes what calls it is told of when the trigger is made, and when it is saved", async () => {
  const source = 'let c = kv::collection("orders"); if ctx.event.kv.value > 1 { c.incr("n"); }';
  expect(await save("a", source)).toEqual([]);
  const said = loop('script "a" writes kv "orders"', 'script "a"');
  expect(messages(await trigger("kv", "a", { collection_glob: "orders" }))).toEqual(said);
  expect(await save("a", source)).toEqual(said);
  expect(await save("a", `${source} 1`)).toEqual(said);
  expect(await save("a", 'kv::collection("orders").get("n")')).toEqual([]);
  expect(await save("a", source, "?activate=false")).toEqual([]);
});

test("a loop through several scripts names them all, whoever closes it", async () => {
  await save("a", 'kv::collection("x").set("k", 1)');
  await save("b", 'pubsub::publish_durable("t.done", 1)');
  await save("c", 'docs::collection("d").create(#{})');
  const a = await trigger("docs", "a", { collection_glob: "*" });
  await trigger("kv", "b", { collection_glob: "x" });
  const said = loop(
    'script "a" writes kv "x"',
    'script "b" publishes "t.done"',
    'script "c" writes docs "d"',
    'script "a"',
  );
  expect(messages(await trigger("pubsub", "c", { topic_pattern: "t.*" }))).toEqual(
    loop(
      'script "c" writes docs "d"',
      'script "a" writes kv "x"',
      'script "b" publishes "t.done"',
      'script "c"',
    ),
  );
  expect(await save("a", 'kv::collection("x").set("k", 2)')).toEqual(said);
  expect(await patch(a, { retry_base_ms: 5 })).toEqual(said);
  expect(await patch(a, { enabled: false })).toEqual([]);
  expect(await save("c", 'docs::collection("d").create(#{ n: 1 })')).toEqual([]);
  expect(await patch(a, { enabled: true })).toEqual(said);
  expect(await patch(a, { collection_glob: "other" })).toEqual([]);
});

test("patterns mean what they mean for events", async () => {
  await save("a", 'kv::collection("logs:web").set("k", 1)');
  for (const [glob, closes] of [
    ["logs:*", true],
    ["*", true],
    ["logs:web", true],
    ["logs", false],
    ["logs:web:*", false],
    ["log:*", false],
  ] as const) {
    const made = await trigger("kv", "a", { collection_glob: glob });
    expect([glob, messages(made).length]).toEqual([glob, closes ? 1 : 0]);
    await plane.call("owner", "DELETE", `/apps/blog/triggers/${made.id}`);
  }
  // The same name elsewhere.
  expect(messages(await trigger("docs", "a", { collection_glob: "*" }))).toEqual([]);
});

test("operations that the trigger does not ask for close no loop", async () => {
  await save("a", 'let c = docs::collection("d"); c.patch("id", #{});');
  const made = await trigger("docs", "a", { collection_glob: "d", ops: ["create", "delete"] });
  expect(messages(made)).toEqual([]);
  expect(await patch(made, { ops: ["update"] })).toHaveLength(1);
  expect(await patch(made, { ops: [] })).toHaveLength(1);
});

test("what a module writes counts for those that call it, and only what they call", async () => {
  const store = 'fn save(x) { put(x) } fn put(x) { kv::collection("x").set("k", x) } fn load() { 1 }';
  await save("deep", store, KINDS);
  await save(
    "store",
    'import "deep" as deep; fn save(x) { deep::save(x) } fn load() { deep::load() }',
    KINDS,
  );
  await save("reads", 'import "store" as s; s::load()');
  await save("writes", 'import "store" as s; s::save(1)');
  expect(messages(await trigger("kv", "reads", { collection_glob: "x" }))).toEqual([]);
  const said = loop('script "writes" (by its module "deep") writes kv "x"', 'script "writes"');
  expect(messages(await trigger("kv", "writes", { collection_glob: "x" }))).toEqual(said);
  expect(await save("deep", `${store} fn more() { 1 }`, KINDS)).toEqual(said);
  expect(
    await save("store", 'import "deep" as deep; fn save(x) { 1 } fn load() { deep::load() }', KINDS),
  ).toEqual([]);
});

test("dead letters, schedules and other apps close no loop", async () => {
  await save("a", 'kv::collection("x").set("k", 1); throw "no";');
  for (const [kind, body] of [
    ["dead_letter", {}],
    ["cron", { schedule: "* * * * * *" }],
  ] as const)
    expect(messages(await trigger(kind, "a", body))).toEqual([]);
  await plane.call("owner", "PUT", "/apps/default/scripts/other", { raw: 'kv::collection("x").set("k", 1)' });
  const { json } = await plane.call("owner", "POST", "/apps/default/triggers/kv", {
    body: { script_id: "other", collection_glob: "y" },
  });
  expect(messages(json)).toEqual([]);
  expect(await save("a", 'kv::collection("x").set("k", 2)')).toEqual([]);
});

test("of a version that was saved by an earlier release nothing is known", async () => {
  await save("a", 'kv::collection("x").set("k", 1)');
  await plane.db.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update script_versions set links = links - 'effects'`;
  });
  expect(messages(await trigger("kv", "a", { collection_glob: "x" }))).toEqual([]);
  expect(await save("a", 'kv::collection("x").set("k", 2)')).toHaveLength(1);
});

test("a loop that lies behind the script, and not around it, is not its fault", async () => {
  await save("self", 'kv::collection("x").set("k", 1)');
  await trigger("kv", "self", { collection_glob: "x" });
  await save("before", 'kv::collection("x").set("k", 1)');
  expect(messages(await trigger("pubsub", "before", { topic_pattern: "t" }))).toEqual([]);
});
