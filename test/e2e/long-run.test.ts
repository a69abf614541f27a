import { afterAll, expect, test } from "bun:test";
import { Client, Installation } from "./support/picloud.ts";

const installation = new Installation();
afterAll(() => installation.remove());

test("a run that is silent for longer than connections may be idle is answered all the same", async () => {
  const server = await installation.serve({
    env: { PICLOUD_SANDBOX_MAX_OPERATIONS: "1000000000000" },
  });
  if (server.login === null) throw new Error(server.output());
  const saved = await new Client(server.url, server.login).fetch(
    "/api/v1/admin/apps/default/scripts/long?route=/long",
    {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        source: 'let t = timestamp(); while t.elapsed < 43.0 { } "done"',
        timeout_seconds: 60,
        sandbox: { max_operations: 1_000_000_000_000 },
      }),
    },
  );
  expect(saved.status).toBe(201);
  const answer = await fetch(`${server.url}/long`);
  expect([answer.status, await answer.text()]).toEqual([200, "done"]);
}, 90_000);
