import { resolve } from "node:path";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");

/** A server in a process of its own, from source. */
export interface Served {
  readonly url: string;
  /** The login that the first start printed; null later. */
  readonly login: { readonly username: string; readonly password: string } | null;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<number>;
}

/** @param args further ones, such as `--data-dir` */
export async function serve(folder: string, args: readonly string[]): Promise<Served> {
  const child = Bun.spawn([process.execPath, MAIN, "serve", "--listen", "127.0.0.1:0", ...args], {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    env: { ...process.env, PICLOUD_LOG_LEVEL: "error" },
  });
  const decoder = new TextDecoder();
  let shown = "";
  for await (const chunk of child.stdout) {
    shown += decoder.decode(chunk, { stream: true });
    const url = /PiCloud {6}(http:\S+)\n {2}Dashboard .*\n/.exec(shown)?.[1];
    if (url === undefined) continue;
    const [, username, password] = /First login {2}(\S+) \/ (\S+)/.exec(shown) ?? [];
    return {
      url,
      login: username === undefined || password === undefined ? null : { username, password },
      stop: () => {
        child.kill("SIGTERM");
        return child.exited;
      },
    };
  }
  throw new Error(`the server ended with ${await child.exited}: ${shown}`);
}
