import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Client, emptyFolder, Installation, processesUnder, type PiCloud } from "./support/picloud.ts";

const LONG = 60_000;

describe("the binary as a command", () => {
  const installation = new Installation();
  afterAll(() => installation.remove());

  test("--help lists the commands on stdout and exits 0", async () => {
    const { code, stdout } = await installation.run(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("serve");
    expect(stdout).toContain("version");
  });

  test("without a command it shows the help", async () => {
    expect((await installation.run([])).stdout).toContain("Usage: picloud");
  });

  test("version prints one name and value a line", async () => {
    const { code, stdout } = await installation.run(["version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^product\t\d+\.\d+\.\d+$/m);
    expect(stdout).toMatch(/^schema\t\d+$/m);
  });

  test("an unknown command is a usage error on stderr, exit code 2", async () => {
    const { code, stdout, stderr } = await installation.run(["server"]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("unknown command 'server'");
  });

  test("an unknown flag is a usage error, exit code 2", async () => {
    expect((await installation.run(["serve", "--port", "80"])).code).toBe(2);
  });

  test("a setting that cannot be read is refused by name, exit code 2, and nothing is created", async () => {
    const { code, stderr } = await installation.run(["serve", "--data-dir", installation.dataDir], {
      PICLOUD_SECRET_KEY: "abc",
    });
    expect(code).toBe(2);
    expect(stderr).toContain("PICLOUD_SECRET_KEY");
    expect(existsSync(installation.dataDir)).toBe(false);
  });

  test("an address that is none is refused", async () => {
    const { code, stderr } = await installation.run(["serve", "--listen", "localhost"]);
    expect(code).toBe(2);
    expect(stderr).toContain("HOST:PORT");
  });
});

describe("the first and the second start", () => {
  const installation = new Installation();
  let server: PiCloud;
  beforeAll(async () => {
    server = await installation.serve();
  }, LONG);
  afterAll(() => installation.remove());

  test("prints a login that works, and keeps it in first-login.txt for the owner's eyes only", async () => {
    if (server.login === null) throw new Error(`no login in:\n${server.output()}`);
    expect(server.login.username).toBe("admin");
    const file = join(installation.dataDir, "first-login.txt");
    expect(readFileSync(file, "utf8")).toBe(`admin\n${server.login.password}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const me = await new Client(server.url, server.login).fetch("/api/v1/admin/auth/me");
    expect(me.status).toBe(200);
    expect(await me.json()).toMatchObject({ username: "admin", instance_role: "owner" });
  });

  test("keeps the secret key to itself", () => {
    expect(statSync(join(installation.dataDir, "secret.key")).mode & 0o777).toBe(0o600);
  });

  test("never logs the password", () => {
    const logged = server
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"));
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join("\n")).not.toContain(server.login?.password ?? "?");
  });

  test("logs JSON lines when it is told to", () => {
    for (const line of server
      .output()
      .split("\n")
      .filter((text) => text.startsWith("{"))) {
      expect(() => JSON.parse(line)).not.toThrow();
    }
  });

  test("answers /healthz, /readyz and /version", async () => {
    const health = await fetch(`${server.url}/healthz`);
    expect(await health.text()).toBe("ok");
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${server.url}/version`)).json()).toMatchObject({
      product: expect.any(String),
      sdk: "1.9",
      api: 1,
      schema: expect.any(Number),
      wire: 1,
      public_base_url: "",
    });
  });

  test("the default app says hello", async () => {
    const answer = await fetch(`${server.url}/hello`);
    expect(answer.status).toBe(200);
  });

  test("Postgres listens on no TCP port", () => {
    const listening = Bun.spawnSync(["sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"]).stdout.toString();
    const own = new Set(inodesOf(processesUnder(installation.dataDir)));
    const ports = listening
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && own.has(fields[9] ?? ""));
    expect(ports).toEqual([]);
  });

  test("a second server on the same data directory is refused and names the first's process id", async () => {
    const { code, stderr } = await installation.run([
      "serve",
      "--listen",
      "127.0.0.1:0",
      "--data-dir",
      installation.dataDir,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(String(server.pid));
  });

  test("a busy port is refused by its number, and leaves no server behind", async () => {
    const port = new URL(server.url).port;
    const other = emptyFolder();
    const { code, stderr } = await installation.run([
      "serve",
      "--listen",
      `127.0.0.1:${port}`,
      "--data-dir",
      join(other, "data"),
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(port);
    expect(processesUnder(other)).toEqual([]);
  });

  test(
    "SIGTERM ends it with 0 and takes Postgres down; the next start keeps everything and prints no login",
    async () => {
      if (server.login === null) throw new Error("no login");
      const login = server.login;
      await new Client(server.url, login).deploy("kept", '"kept"', "?route=/kept");
      expect(await server.stop()).toBe(0);
      expect(processesUnder(installation.dataDir)).toEqual([]);
      server = await installation.serve();
      expect(server.login).toBeNull();
      expect(await (await fetch(`${server.url}/kept`)).text()).toBe("kept");
    },
    LONG,
  );

  test("changing the password removes first-login.txt", async () => {
    const password = readFileSync(join(installation.dataDir, "first-login.txt"), "utf8").split("\n")[1] ?? "";
    const client = new Client(server.url, { username: "admin", password });
    const me = (await (await client.fetch("/api/v1/admin/auth/me")).json()) as { id: string };
    const changed = await client.fetch(`/api/v1/admin/admins/${me.id}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ password: "another good password" }),
    });
    expect(changed.status).toBe(200);
    expect(existsSync(join(installation.dataDir, "first-login.txt"))).toBe(false);
    expect((await client.fetch("/api/v1/admin/auth/me")).status).toBe(401);
  });
});

describe("a configured owner", () => {
  const installation = new Installation();
  afterAll(() => installation.remove());

  test(
    "is created from the environment, and no login is printed or written",
    async () => {
      const server = await installation.serve({
        env: { PICLOUD_ADMIN_USERNAME: "ada", PICLOUD_ADMIN_PASSWORD: "correct horse battery" },
      });
      expect(server.login).toBeNull();
      expect(existsSync(join(installation.dataDir, "first-login.txt"))).toBe(false);
      const client = new Client(server.url, { username: "ada", password: "correct horse battery" });
      expect((await client.fetch("/api/v1/admin/auth/me")).status).toBe(200);
    },
    LONG,
  );
});

/** Inodes of the sockets that processes hold. */
function inodesOf(pids: readonly number[]): string[] {
  return pids.flatMap((pid) => {
    const links = Bun.spawnSync(["sh", "-c", `readlink /proc/${pid}/fd/* 2>/dev/null`]).stdout.toString();
    return [...links.matchAll(/socket:\[(\d+)\]/g)].map((match) => match[1] ?? "");
  });
}
