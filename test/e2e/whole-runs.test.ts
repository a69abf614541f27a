import { afterEach, expect, test } from "bun:test";
import { waitFor } from "../support/wait.ts";
import { Client, Installation, type Login, type PiCloud } from "./support/picloud.ts";

const LONG = 120_000;
let installation: Installation;
afterEach(() => installation.remove());

/** Writes first, and then takes more time than it is given, but for the third attempt. */
const SLOW = `
  let c = kv::collection("effects");
  c.incr("n");
  docs::collection("effects").create(#{ by: ctx.attempt });
  pubsub::publish_durable("done", ctx.attempt);
  let begun = timestamp();
  while ctx.attempt < 3 && begun.elapsed < 20.0 { }
  c.set("attempt", ctx.attempt);
`;

test(
  "kill -9 between the writes of a transactional run and its end: nothing of it is there, and in the end all of it once",
  async () => {
    installation = new Installation();
    let server: PiCloud = await installation.serve();
    if (server.login === null) throw new Error(server.output());
    const login: Login = server.login;
    let client = new Client(server.url, login);
    const answered = async (path: string): Promise<unknown> => (await fetch(server.url + path)).json();
    const trigger = async (kind: string, body: object): Promise<void> => {
      const answer = await client.fetch(`/api/v1/admin/apps/default/triggers/${kind}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ transactional: true, retry_max_attempts: 9, retry_base_ms: 1, ...body }),
      });
      expect([answer.status, await answer.text()]).toEqual([201, expect.stringContaining("transactional")]);
    };
    const sandbox = { max_operations: 1_000_000_000 };
    const deployed = await client.fetch("/api/v1/admin/apps/default/scripts/slow", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ source: SLOW, sandbox }),
    });
    expect(deployed.status).toBe(201);
    await client.deploy("heard", 'kv::collection("heard").incr("n")');
    await client.deploy("cause", 'kv::collection("causes").set("a", 1); 1', "?route=/cause");
    await client.deploy(
      "state",
      'let c = kv::collection("effects"); [c.get("n"), docs::collection("effects").count(), c.get("attempt"), kv::collection("heard").get("n")]',
      "?route=/state",
    );
    await trigger("kv", { script_id: "slow", collection_glob: "causes" });
    await trigger("pubsub", { script_id: "heard", topic_pattern: "done" });

    expect(await answered("/cause")).toBe(1);
    for (let kill = 0; kill < 2; kill++) {
      await Bun.sleep(400);
      expect(await answered("/state")).toEqual([null, 0, null, null]);
      server.kill("SIGKILL");
      await server.exited;
      server = await installation.serve();
      client = new Client(server.url, login);
    }
    let state: unknown = null;
    await waitFor("the event has its effects", async () => {
      state = await answered("/state");
      return Array.isArray(state) && state[3] !== null;
    });
    expect(state).toEqual([1, 1, 3, 1]);
    await Bun.sleep(500);
    expect(await answered("/state")).toEqual([1, 1, 3, 1]);
  },
  LONG,
);
