import { afterAll, beforeAll, expect, test } from "bun:test";
import { parseExposition } from "../services/metrics/parse.ts";
import { waitFor } from "../support/wait.ts";
import { Client, Installation, type Login, type PiCloud } from "./support/picloud.ts";

const installation = new Installation();
let server: PiCloud;
let login: Login;
let client: Client;
beforeAll(async () => {
  server = await installation.serve();
  if (server.login === null) throw new Error(server.output());
  ({ login } = server);
  client = new Client(server.url, login);
}, 60_000);
afterAll(() => installation.remove());

const ADMIN = "/api/v1/admin/apps/default";
async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const answer = await client.fetch(path, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
const seen = async (): Promise<string[]> => {
  const answer = await send("GET", `${ADMIN}/kv/seen`);
  const { items } = (await answer.json()) as { readonly items: readonly { readonly key: string }[] };
  return items.map(({ key }) => key).toSorted();
};

test("a pause outlives a kill -9; what was accepted meanwhile runs when it ends, by hand or by its time", async () => {
  await client.deploy("handler", 'kv::collection("seen").set(ctx.event.kv.key, 1)');
  await client.deploy(
    "later",
    'kv::collection("seen").set(ctx.request.query.key, 1)',
    "?route=/later&dispatch=async",
  );
  await client.deploy("now", "1", "?route=/now");
  await send("POST", `${ADMIN}/triggers/kv`, { script_id: "handler", collection_glob: "in" });

  expect(await (await send("POST", `${ADMIN}:pause`)).json()).toMatchObject({
    paused: true,
    paused_until: null,
  });
  await send("PUT", `${ADMIN}/kv/in/event`, 1);
  expect((await fetch(`${server.url}/later?key=request`, { method: "POST" })).status).toBe(202);
  expect((await fetch(`${server.url}/now`)).status).toBe(503);

  server.kill("SIGKILL");
  await server.exited;
  server = await installation.serve();
  client = new Client(server.url, login);
  expect((await fetch(`${server.url}/now`)).status).toBe(503);
  await Bun.sleep(300);
  expect(await seen()).toEqual([]);
  await send("POST", `${ADMIN}:resume`);
  expect((await fetch(`${server.url}/now`)).status).toBe(200);
  await waitFor("both have run", async () => (await seen()).join() === "event,request");

  await send("POST", `${ADMIN}:pause`, { until: new Date(Date.now() + 1500).toISOString() });
  await send("PUT", `${ADMIN}/kv/in/second`, 1);
  expect((await fetch(`${server.url}/now`)).headers.get("retry-after")).toMatch(/^[12]$/);
  await Bun.sleep(300);
  expect(await seen()).toEqual(["event", "request"]);
  await waitFor("it resumes by itself", async () => (await seen()).includes("second"));
  expect((await fetch(`${server.url}/now`)).status).toBe(200);
}, 60_000);

test("metrics count statements of the server and of scripts, and what was dropped", async () => {
  const value = async (name: string): Promise<number | undefined> => {
    const answer = await fetch(`${server.url}/metrics`);
    return parseExposition(await answer.text()).get(name)?.samples[0]?.value;
  };
  await client.deploy("many", 'let c = kv::collection("m"); for i in 0..200 { c.get("k"); }', "?route=/many");
  const before = (await value("picloud_db_statements_total")) ?? 0;
  expect((await fetch(`${server.url}/many`)).status).toBe(200);
  expect(((await value("picloud_db_statements_total")) ?? 0) - before).toBeGreaterThanOrEqual(200);
  expect(await value("picloud_cron_lag_seconds")).toBe(0);

  await send("POST", `${ADMIN}:pause`);
  const made = await send("POST", `${ADMIN}/triggers/kv`, { script_id: "handler", collection_glob: "other" });
  const { id } = (await made.json()) as { readonly id: string };
  for (const key of ["a", "b"]) await send("PUT", `${ADMIN}/kv/other/${key}`, 1);
  const disabled = await send("PATCH", `${ADMIN}/triggers/${id}`, { enabled: false });
  expect(await disabled.json()).toMatchObject({ dropped: 2 });
  expect(await value("picloud_events_dropped_total")).toBe(2);
}, 60_000);
