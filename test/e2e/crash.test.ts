import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Client, Installation, processesUnder, type Login, type PiCloud } from "./support/picloud.ts";

const LONG = 120_000;
let installation: Installation;
afterEach(() => installation.remove());

async function started(): Promise<{ server: PiCloud; login: Login; client: Client }> {
  installation = new Installation();
  const server = await installation.serve();
  if (server.login === null) throw new Error(server.output());
  return { server, login: server.login, client: new Client(server.url, server.login) };
}

/** Process id of the postmaster of this installation. */
const postmaster = (): number =>
  Number(readFileSync(`${installation.dataDir}/postgres/data/postmaster.pid`, "utf8").split("\n")[0]);

async function until(what: () => boolean | Promise<boolean>, within: number, message: string): Promise<void> {
  const end = performance.now() + within;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${message}`);
    await Bun.sleep(50);
  }
}

test(
  "kill -9 during 200 concurrent requests and saves loses nothing that was acknowledged",
  async () => {
    const { server, login, client } = await started();
    await client.deploy("busy", '"busy"', "?route=/busy");
    const acknowledged = new Map<string, { version: number; source: string }>();
    const writer = async (writerId: number): Promise<void> => {
      for (let round = 0; ; round++) {
        const name = `script-${writerId}`;
        const source = `"writer ${writerId}, round ${round}"`;
        const answer = await client.deploy(name, source, `?route=/w/${writerId}`);
        if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
        const { version } = (await answer.json()) as { version: number };
        acknowledged.set(name, { version, source });
      }
    };
    const reader = async (): Promise<void> => {
      for (;;) await (await fetch(`${server.url}/busy`)).text();
    };
    const load = [
      ...Array.from({ length: 100 }, (_, id) => writer(id)),
      ...Array.from({ length: 100 }, () => reader()),
    ].map((work) => work.catch((error: unknown) => String(error)));
    await until(() => acknowledged.size === 100, 30_000, "every writer saved once");
    await Bun.sleep(500);
    server.kill("SIGKILL");
    await server.exited;
    // What broke off must have broken because of the crash, not because a save was refused before it.
    for (const reason of await Promise.all(load)) expect(reason).not.toMatch(/^Error: \d{3}:/);

    const again = await installation.serve();
    const after = new Client(again.url, login);
    expect(acknowledged.size).toBe(100);
    for (const [name, saved] of acknowledged) {
      const path = `/api/v1/admin/apps/default/scripts/${name}`;
      const script = (await (await after.fetch(path)).json()) as { id: string; version: number };
      // A save may have committed whose answer never arrived; an acknowledged one may not be missing.
      expect(script.version).toBeGreaterThanOrEqual(saved.version);
      const kept = (await (
        await after.fetch(`/api/v1/admin/scripts/${script.id}/versions/${saved.version}`)
      ).json()) as { source: string };
      expect(kept.source).toBe(saved.source);
      const live = await (await fetch(`${again.url}/w/${name.slice("script-".length)}`)).text();
      const source = await (await after.fetch(`${path}/source`)).text();
      expect(`"${live}"`).toBe(source);
    }
  },
  LONG,
);

test(
  "kill -9 of PiCloud leaves no Postgres behind, and the next start recovers",
  async () => {
    const { server } = await started();
    const pid = postmaster();
    server.kill("SIGKILL");
    await server.exited;
    await until(
      () => !processesUnder(installation.dataDir).includes(pid),
      15_000,
      "the postmaster went away",
    );
    const again = await installation.serve();
    expect((await fetch(`${again.url}/hello`)).status).toBe(200);
  },
  LONG,
);

test(
  "kill -9 of the postmaster: answered 503 with Retry-After at worst, and back by itself",
  async () => {
    const { server, client } = await started();
    process.kill(postmaster(), "SIGKILL");
    await until(
      async () => {
        const answer = await client.fetch("/api/v1/admin/apps");
        if (answer.status === 503) expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
        else expect(answer.status).toBe(200);
        return answer.status === 200;
      },
      20_000,
      "the control plane answers again",
    );
    expect((await client.deploy("after", '"after"', "?route=/after")).status).toBe(201);
    expect(await (await fetch(`${server.url}/after`)).text()).toBe("after");
  },
  LONG,
);

test(
  "kill -9 of the postmaster under load, twice: every request is answered, and all is well soon after",
  async () => {
    const { server, client } = await started();
    let over = false;
    const statuses = new Map<number, number>();
    const user = async (id: number): Promise<void> => {
      for (let round = 0; !over; round++) {
        const answer =
          round % 3 === 0
            ? await client.deploy(`user-${id}`, `"${round}"`)
            : await client.fetch("/api/v1/admin/scripts?app=default");
        await answer.text();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (!answer.ok) await Bun.sleep(50);
      }
    };
    const users = Array.from({ length: 30 }, (_, id) => user(id));
    for (let round = 0; round < 2; round++) {
      await Bun.sleep(1500);
      process.kill(postmaster(), "SIGKILL");
    }
    await until(async () => (await fetch(`${server.url}/readyz`)).status === 200, 20_000, "ready again");
    await Bun.sleep(2500);
    statuses.clear();
    await Bun.sleep(1000);
    over = true;
    await Promise.all(users);
    // Nothing of the failure is left a moment later.
    expect([...statuses.keys()].filter((status) => status >= 300)).toEqual([]);
    expect(statuses.get(200) ?? 0).toBeGreaterThan(0);
  },
  LONG,
);

test(
  "kill -9 of both at once: the next start recovers and one postmaster runs",
  async () => {
    const { server, client } = await started();
    await client.deploy("kept", '"kept"', "?route=/kept");
    process.kill(postmaster(), "SIGKILL");
    server.kill("SIGKILL");
    await server.exited;
    const again = await installation.serve();
    expect(await (await fetch(`${again.url}/kept`)).text()).toBe("kept");
    const servers = processesUnder(installation.dataDir).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("bin/postgres\0"),
    );
    expect(servers).toHaveLength(1);
  },
  LONG,
);
