import { afterEach, expect, test } from "bun:test";
import { Client, Installation, processesUnder } from "./support/picloud.ts";

const LONG = 60_000;
let installation: Installation;
afterEach(() => installation.remove());

/** Keeps a worker busy for about a second, then answers. */
const SLOW = `
  let t = timestamp();
  let n = 0;
  while t.elapsed < 1.0 { n += 1; }
  "finished"
`;

async function started() {
  installation = new Installation();
  const server = await installation.serve();
  if (server.login === null) throw new Error(server.output());
  return { server, client: new Client(server.url, server.login) };
}

/** With a budget that lasts for some seconds, at the route of its name. */
function deployLong(client: Client, name: string, source: string): Promise<Response> {
  return client.fetch(`/api/v1/admin/apps/default/scripts/${name}?route=/${name}`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ source, sandbox: { max_operations: 1_000_000_000 } }),
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(
    `${signal} lets a running execution finish, writes its log row, and exits 0`,
    async () => {
      const { server, client } = await started();
      const saved = await deployLong(client, "slow", SLOW);
      const { script } = (await saved.json()) as { script: { id: string } };
      const running = fetch(`${server.url}/slow`);
      await Bun.sleep(300);
      server.kill(signal);
      const answer = await running;
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe("finished");
      expect(await server.exited).toBe(0);
      expect(processesUnder(installation.dataDir)).toEqual([]);

      const again = await installation.serve();
      const rows = (await (
        await new Client(again.url, server.login ?? { username: "", password: "" }).fetch(
          `/api/v1/admin/scripts/${script.id}/logs`,
        )
      ).json()) as { status: string }[];
      expect(rows.map((row) => row.status)).toEqual(["success"]);
    },
    LONG,
  );
}

test(
  "a second signal ends it at once, and the start after that recovers",
  async () => {
    const { server, client } = await started();
    await deployLong(client, "stuck", "let n = 0; loop { n += 1; }");
    void fetch(`${server.url}/stuck`).catch(() => undefined);
    await Bun.sleep(300);
    server.kill("SIGTERM");
    await Bun.sleep(200);
    server.kill("SIGTERM");
    expect(await server.exited).not.toBe(0);
    const again = await installation.serve();
    expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
  },
  LONG,
);

test(
  "SIGTERM while it is still starting leaves nothing running",
  async () => {
    installation = new Installation();
    const child = Bun.spawn(
      [installation.binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", installation.dataDir],
      {
        cwd: installation.folder,
        env: { PATH: "/usr/bin:/bin", HOME: installation.folder },
        stdout: "ignore",
        stderr: "ignore",
      },
    );
    await Bun.sleep(500);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(processesUnder(installation.dataDir)).toEqual([]);
  },
  LONG,
);
