import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketPath } from "../database/socket-path.ts";
import type { ConnectionTarget } from "../database/target.ts";
import type { Emulator } from "./arm64-emulator.ts";
import { compile } from "./compile.ts";

/** What the arm64 binary answered. */
export interface Smoke {
  readonly version: string;
  readonly healthz: number;
  /** Of saving a script. */
  readonly saved: number;
  /** What running it said. */
  readonly answer: string;
  /** After SIGTERM. */
  readonly exitCode: number;
}

const PASSWORD = "smoke test password";

/**
 * Cross-builds the arm64 binary and takes it, emulated, from start over a saved script to a clean stop.
 *
 * An emulated process cannot start another arm64 program: the kernel gets the exec, not qemu. So it uses a database
 * of this machine instead of starting the embedded one, and gets the variable that it would otherwise replace itself
 * to set.
 * @param target an empty database
 * @throws Error with the server's output when it does not come up within `patience` milliseconds
 */
export async function smokeArm64(
  emulator: Emulator,
  target: ConnectionTarget,
  patience = 60_000,
): Promise<Smoke> {
  const { path } = await compile("linux-arm64");
  const folder = await mkdtemp(join(tmpdir(), "picloud-arm64-"));
  const { url: databaseUrl, close } = await tcpUrl(target);
  const start = (...args: string[]) =>
    Bun.spawn([...emulator.command, path, ...args], {
      cwd: folder,
      env: {
        PATH: "/usr/bin:/bin",
        HOME: folder,
        BUN_GC_TIMER_DISABLE: "1",
        DATABASE_URL: databaseUrl,
        PICLOUD_ADMIN_USERNAME: "admin",
        PICLOUD_ADMIN_PASSWORD: PASSWORD,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  const server = start("serve", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data"));
  try {
    const url = await listening(server, patience);
    const authorization = `Basic ${btoa(`admin:${PASSWORD}`)}`;
    const healthz = await fetch(`${url}/healthz`);
    const saved = await fetch(`${url}/api/v1/admin/apps/default/scripts/smoke?route=/smoke/:name`, {
      method: "PUT",
      headers: { Authorization: authorization },
      body: "let sum = 0; for n in 1..=10 { sum += n; } `${ctx.request.params.name}: ${sum}`",
    });
    const answer = await fetch(`${url}/smoke/arm64`);
    const text = await answer.text();
    server.kill("SIGTERM");
    const exitCode = await server.exited;
    return {
      version: await start("version").stdout.text(),
      healthz: healthz.status,
      saved: saved.status,
      answer: text,
      exitCode,
    };
  } finally {
    server.kill("SIGKILL");
    await server.exited;
    close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function listening(
  server: Bun.Subprocess<"ignore", "pipe", "pipe">,
  patience: number,
): Promise<string> {
  let output = "";
  const found = Promise.withResolvers<string>();
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream) {
      output += Buffer.from(chunk).toString(); // ASCII, where it matters.
      const url = /^ {2}PiCloud +(http:\S+)$/m.exec(output)?.[1];
      if (url !== undefined) found.resolve(url);
    }
  };
  const fail = (why: string): void => found.reject(new Error(`The arm64 binary ${why}:\n${output}`));
  void Promise.all([follow(server.stdout), follow(server.stderr)]).then(() => fail("ended"));
  const timer = setTimeout(() => fail(`was not up after ${patience} ms`), patience);
  try {
    return await found.promise;
  } finally {
    clearTimeout(timer);
  }
}

/** The database as a DATABASE_URL; a Unix socket is made reachable over loopback for as long as this runs. */
async function tcpUrl(
  target: ConnectionTarget,
): Promise<{ readonly url: string; readonly close: () => void }> {
  if (target.kind === "url") return { url: target.url, close: () => undefined };
  const proxy: Server = createServer((client) => {
    const server = connect(socketPath(target.directory));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
    }
  });
  const port = await new Promise<number>((resolve, reject) => {
    proxy.on("error", reject);
    proxy.listen(0, "127.0.0.1", () => {
      const address = proxy.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  return {
    url: `postgres://${target.user}@127.0.0.1:${port}/${target.database}`,
    close: () => void proxy.close(),
  };
}
