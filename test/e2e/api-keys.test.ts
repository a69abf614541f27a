import { afterAll, beforeAll, expect, test } from "bun:test";
import { Client, Installation, type PiCloud } from "./support/picloud.ts";

const installation = new Installation();
let server: PiCloud;
let owner: Client;
beforeAll(async () => {
  server = await installation.serve();
  if (server.login === null) throw new Error(server.output());
  owner = new Client(server.url, server.login);
}, 60_000);
afterAll(() => installation.remove(), 60_000);

const post = (path: string, body: object) =>
  owner.fetch(`/api/v1/admin${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

test("a key deploys to its app and runs what is there, until it is revoked; the script never sees it", async () => {
  expect((await post("/apps", { slug: "shop", name: "Shop" })).status).toBe(201);
  const made = await post("/api-keys", {
    name: "ci",
    scopes: ["script:read", "script:write", "route:write"],
    app_id: "shop",
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  expect(made.status).toBe(201);
  const { id, raw_token: text } = (await made.json()) as { id: string; raw_token: string };
  const authorized = { headers: { Authorization: `Bearer ${text}` } };
  const deploy = (app: string) =>
    fetch(`${server.url}/api/v1/admin/apps/${app}/scripts/who?route=/who`, {
      ...authorized,
      method: "PUT",
      body: "[ctx.principal.username, ctx.request.headers]",
    });
  const deployed = await deploy("shop");
  expect(deployed.status).toBe(201);
  expect((await deploy("default")).status).toBe(404);

  const { script } = (await deployed.json()) as { script: { id: string } };
  const execute = () => fetch(`${server.url}/api/v1/execute/${script.id}`, { ...authorized, method: "POST" });
  const answer = await (await execute()).text();
  expect(answer).toStartWith('["admin",');
  expect(answer).not.toContain(text);

  expect((await owner.fetch(`/api/v1/admin/api-keys/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await deploy("shop")).status).toBe(401);
  expect((await execute()).status).toBe(404);
  expect(server.output()).not.toContain(text);
}, 60_000);

test("a forgotten password is replaced beside the running server", async () => {
  const { code, stdout } = await installation.run([
    "admin",
    "reset-password",
    "admin",
    "--data-dir",
    installation.dataDir,
  ]);
  expect(code).toBe(0);
  expect((await owner.fetch("/api/v1/admin/auth/me")).status).toBe(401);
  const renewed = new Client(server.url, { username: "admin", password: stdout.trim() });
  expect((await renewed.fetch("/api/v1/admin/auth/me")).status).toBe(200);
}, 60_000);
