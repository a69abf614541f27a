import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { emptyDatabase, type TestDatabase } from "../support/postgres.ts";
import { Client, Installation, processesUnder, type PiCloud } from "./support/picloud.ts";
import { tcpProxy, type TcpProxy } from "./support/tcp-proxy.ts";

const installation = new Installation();
let database: TestDatabase;
let proxy: TcpProxy;
let server: PiCloud;
let client: Client;
beforeAll(async () => {
  database = await emptyDatabase();
  proxy = await tcpProxy(database.target);
  server = await installation.serve({ args: ["--database-url", proxy.databaseUrl] });
  if (server.login === null) throw new Error(server.output());
  client = new Client(server.url, server.login);
}, 60_000);
afterAll(async () => {
  await installation.remove();
  await proxy.close();
  await database.drop();
});

test("with a database URL no Postgres of our own runs", () => {
  expect(existsSync(join(installation.dataDir, "postgres"))).toBe(false);
  expect(processesUnder(installation.dataDir).filter((pid) => pid !== server.pid)).toEqual([]);
});

test("while the database is away: 503 with Retry-After, live scripts go on, and all is well again by itself", async () => {
  expect((await client.deploy("lively", '"alive"', "?route=/lively")).status).toBe(201);
  expect(await (await fetch(`${server.url}/lively`)).text()).toBe("alive");

  await proxy.cut();
  const away = await client.fetch("/api/v1/admin/apps");
  expect(away.status).toBe(503);
  expect(away.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(away.headers.get("content-type")).toBe("application/problem+json");
  expect(await away.json()).toMatchObject({ code: "database_unavailable" });
  expect((await client.deploy("lively", '"newer"')).status).toBe(503);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${server.url}/lively`)).text()).toBe("alive");

  await proxy.restore();
  const deadline = performance.now() + 15_000;
  let status = 0;
  while (status !== 200 && performance.now() < deadline) {
    status = (await client.deploy("lively", '"back"')).status;
    if (status !== 200) await Bun.sleep(200);
  }
  expect(status).toBe(200);
  expect(await (await fetch(`${server.url}/lively`)).text()).toBe("back");
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
}, 60_000);

test("a change made by another process is seen through NOTIFY, also after the connection was lost", async () => {
  await database.db`update routes set path = '/moved' where path = '/lively'`;
  await database.db`update apps set catalog_version = catalog_version + 1 where slug = 'default'`;
  const deadline = performance.now() + 20_000;
  let status = 0;
  while (status !== 200 && performance.now() < deadline) {
    status = (await fetch(`${server.url}/moved`)).status;
    if (status !== 200) await Bun.sleep(100);
  }
  expect(status).toBe(200);
}, 30_000);

test("a database that is not up yet is waited for", async () => {
  const second = new Installation();
  try {
    await proxy.cut();
    const starting = second.serve({ args: ["--database-url", proxy.databaseUrl] });
    await Bun.sleep(1500);
    await proxy.restore();
    expect((await fetch(`${(await starting).url}/readyz`)).status).toBe(200);
  } finally {
    await second.remove();
  }
}, 60_000);
