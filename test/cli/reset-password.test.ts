import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { processesIn } from "../../src/database/embedded/processes.ts";
import { createIdentity, hashPassword } from "../../src/services/identity/index.ts";
import { TestClock } from "../manager/support/control-plane.ts";
import { tcpProxy, type TcpProxy } from "../e2e/support/tcp-proxy.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { removeDataDirectory, temporaryDirectory } from "../support/test-server.ts";
import { folderWith, picloud } from "./support/picloud.ts";
import { serve, type Served } from "./support/serve.ts";

const folder = folderWith({});
const reset = (args: readonly string[], stdin = "") =>
  picloud(folder, ["admin", "reset-password", ...args], stdin);

const basic = (name: string, password: string) => `Basic ${btoa(`${name}:${password}`)}`;
const me = async (server: Served, authorization: string): Promise<number> =>
  (await fetch(`${server.url}/api/v1/admin/auth/me`, { headers: { authorization } })).status;

describe("on a data directory", () => {
  let dataDir = "";
  let server: Served;
  beforeAll(async () => {
    dataDir = await temporaryDirectory();
    server = await serve(folder, ["--data-dir", dataDir]);
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await removeDataDirectory(dataDir);
  }, 60_000);

  test("whose server runs: prints a new password, and the old one is worth nothing any more, at once", async () => {
    const old = server.login?.password ?? "";
    // Remembered by the server from here on, and a session too.
    expect(await me(server, basic("admin", old))).toBe(200);
    const login = await fetch(`${server.url}/api/v1/admin/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "admin", password: old }),
    });
    const { token } = (await login.json()) as { token: string };
    expect(await me(server, `Bearer ${token}`)).toBe(200);
    expect(existsSync(join(dataDir, "first-login.txt"))).toBe(true);

    const { exit, stdout, stderr } = await reset(["ADMIN", "--data-dir", dataDir]);
    expect([exit, stderr]).toEqual([0, expect.stringContaining("admin has a new password")]);
    expect(stdout).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}\n$/);
    expect(await me(server, basic("admin", old))).toBe(401);
    expect(await me(server, `Bearer ${token}`)).toBe(401);
    expect(await me(server, basic("admin", stdout.trim()))).toBe(200);
    expect(existsSync(join(dataDir, "first-login.txt"))).toBe(false);

    const audit = await fetch(`${server.url}/api/v1/admin/audit`, {
      headers: { authorization: basic("admin", stdout.trim()) },
    });
    expect(((await audit.json()) as { items: object[] }).items[0]).toMatchObject({
      action: "user.update",
      changed: ["password"],
    });
  }, 60_000);

  test("whose server does not run: takes a password from stdin, and leaves nothing running", async () => {
    expect(await server.stop()).toBe(0);
    const { exit, stdout, stderr } = await reset(
      ["admin", "--data-dir", dataDir, "--password-stdin"],
      "a password of mine\nnot this\n",
    );
    expect([exit, stdout, stderr]).toEqual([0, "", expect.stringContaining("new password")]);
    expect(processesIn(join(dataDir, "postgres", "data"))).toEqual([]);
    server = await serve(folder, ["--data-dir", dataDir]);
    expect(await me(server, basic("admin", "a password of mine"))).toBe(200);
  }, 60_000);

  test("refuses an unknown user, naming the owners, and a password that is too short", async () => {
    const unknown = await reset(["nobody", "--data-dir", dataDir]);
    expect([unknown.exit, unknown.stdout]).toEqual([4, ""]);
    expect(unknown.stderr).toContain('There is no user "nobody". Owners: admin.');
    const short = await reset(["admin", "--data-dir", dataDir, "--password-stdin"], "short");
    expect([short.exit, short.stdout]).toEqual([5, ""]);
    expect(short.stderr).toContain("8 to 1024 characters");
    expect(await me(server, basic("admin", "a password of mine"))).toBe(200);
  }, 60_000);

  test("with nothing of PiCloud in it: says so, and makes nothing", async () => {
    const { exit, stderr } = await reset(["admin", "--data-dir", join(folder, "elsewhere")]);
    expect([exit, stderr]).toEqual([4, expect.stringContaining("no database of PiCloud")]);
    expect(readdirSync(folder)).not.toContain("elsewhere");
  });
});

describe("on a database of its own", () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  beforeAll(async () => {
    database = await testDatabase();
    proxy = await tcpProxy(database.target);
    for (const [name, active] of [
      ["ada", true],
      ["gone", false],
    ] as const) {
      await database.db`insert into users (id, username, password_hash, instance_role, is_active)
        values (${Bun.randomUUIDv7()}, ${name}, ${await hashPassword("an old password")}, 'owner', ${active})`;
    }
  }, 60_000);
  afterAll(async () => {
    await proxy?.close();
    await database?.drop();
  }, 60_000);
  const resetThere = (name: string) => reset([name, "--database-url", proxy.databaseUrl]);

  test("a server that is connected to it takes the new password, and no other", async () => {
    const identity = createIdentity({
      db: database.db,
      clock: new TestClock(),
      secretKey: new Uint8Array(32),
      sessionTtlHours: 1,
      trustedProxies: [],
    });
    const enter = async (password: string) => {
      const headers = new Headers({ authorization: basic("ada", password) });
      return (await identity.principalOf(headers, "here", { basic: true }))?.username;
    };
    expect(await enter("an old password")).toBe("ada");
    const { exit, stdout } = await resetThere("ada");
    expect(exit).toBe(0);
    expect(await enter("an old password")).toBeUndefined();
    expect(await enter(stdout.trim())).toBe("ada");
    const [entry] =
      await database.db`select actor_id, actor_name, action, target_name, changed from audit_log`;
    expect(entry).toEqual({
      actor_id: null,
      actor_name: "(this machine)",
      action: "user.update",
      target_name: "ada",
      changed: ["password"],
    });
  }, 60_000);

  test("tells when the user is deactivated, and leaves them so", async () => {
    const { exit, stderr } = await resetThere("gone");
    expect([exit, stderr]).toEqual([0, expect.stringContaining("gone is deactivated")]);
    const [row] = await database.db`select is_active from users where username = 'gone'`;
    expect(row?.["is_active"]).toBe(false);
  }, 60_000);

  test("says when the database is not there", async () => {
    await proxy.cut();
    const { exit, stderr } = await resetThere("ada");
    expect([exit, stderr]).toEqual([1, expect.stringContaining("not reachable")]);
    await proxy.restore();
  }, 60_000);
});
