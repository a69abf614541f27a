import type { Subprocess } from "bun";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The compiled binary, copied into a folder of its own: nothing of the checkout is in sight of it. */
const BINARY = join(import.meta.dir, "../../../dist/picloud");

/** An empty folder that an unprivileged Postgres can pass through. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "picloud-e2e-"));
  chmodSync(folder, 0o711);
  return folder;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** One server process. */
export interface PiCloud {
  readonly url: string;
  readonly pid: number;
  /** What the start printed; null when it printed no login. */
  readonly login: Login | null;
  /** Everything it wrote so far. */
  readonly output: () => string;
  readonly exited: Promise<number>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** SIGTERM, and the exit code. */
  readonly stop: () => Promise<number>;
}

export interface ServeOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class Installation {
  readonly folder: string;
  readonly binary: string;
  readonly dataDir: string;
  #running = new Set<Pick<PiCloud, "kill" | "exited">>();

  constructor(dataDir?: string) {
    this.folder = emptyFolder();
    this.binary = join(this.folder, "picloud");
    this.dataDir = dataDir ?? join(this.folder, "data");
    copyFileSync(BINARY, this.binary);
    chmodSync(this.binary, 0o755);
  }

  /** Runs a command of the binary to its end. */
  async run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const process = this.#spawn(args, env);
    const [stdout, stderr, code] = await Promise.all([
      new Response(process.stdout).text(),
      new Response(process.stderr).text(),
      process.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Starts `picloud serve` on a free port and waits until it answers. */
  async serve(options: ServeOptions = {}): Promise<PiCloud> {
    const { server, url } = this.start(options);
    return { ...server, url: await url, login: loginIn(server.output()) };
  }

  /** Starts `picloud serve` and does not wait. `url` rejects when it ends instead. */
  start(options: ServeOptions = {}): {
    readonly server: Omit<PiCloud, "url" | "login">;
    readonly url: Promise<string>;
  } {
    const process = this.#spawn(
      ["serve", "--listen", "127.0.0.1:0", "--data-dir", this.dataDir, ...(options.args ?? [])],
      options.env ?? {},
    );
    let output = "";
    const url = Promise.withResolvers<string>();
    const follow = async (stream: ReadableStream<Uint8Array>) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) {
        output += decoder.decode(chunk, { stream: true });
        // The login stands after the URL, in the same write; the dashboard's line ends what is always printed.
        const found = /^ {2}PiCloud {6}(http:\S+)\n {2}Dashboard .*\n/m.exec(output)?.[1];
        if (found !== undefined) url.resolve(found);
      }
    };
    void follow(process.stdout);
    void follow(process.stderr);
    void process.exited.then((code) => url.reject(new Error(`picloud exited with ${code}:\n${output}`)));
    // Whoever does not wait for it need not hear of it either.
    url.promise.catch(() => {});
    const server = {
      pid: process.pid,
      output: () => output,
      exited: process.exited,
      kill: (signal: NodeJS.Signals) => process.kill(signal),
      stop: () => {
        process.kill("SIGTERM");
        return process.exited;
      },
    };
    this.#running.add(server);
    return { server, url: url.promise };
  }

  /** Ends what still runs, and removes the folder. */
  async remove(): Promise<void> {
    for (const server of this.#running) {
      server.kill("SIGKILL");
      await server.exited;
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }

  #spawn(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Subprocess<"ignore", "pipe", "pipe"> {
    return Bun.spawn([this.binary, ...args], {
      cwd: this.folder,
      // Only what a bare shell has.
      env: { PATH: "/usr/bin:/bin", HOME: this.folder, PICLOUD_LOG_FORMAT: "json", ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  }
}

function loginIn(output: string): Login | null {
  const match = /First login {2}(\S+) \/ (\S+)/.exec(output);
  return match?.[1] === undefined || match[2] === undefined
    ? null
    : { username: match[1], password: match[2] };
}

/** HTTP calls as a shell script would make them, with the first login's Basic credential. */
export class Client {
  readonly url: string;
  readonly #authorization: string;

  constructor(url: string, login: Login) {
    this.url = url;
    this.#authorization = `Basic ${btoa(`${login.username}:${login.password}`)}`;
  }

  /** PUT of raw source to the script of that name in the default app. */
  deploy(name: string, source: string | Uint8Array, query = ""): Promise<Response> {
    return this.fetch(`/api/v1/admin/apps/default/scripts/${name}${query}`, { method: "PUT", body: source });
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", this.#authorization);
    return fetch(this.url + path, { ...init, headers });
  }
}

/** Processes whose working directory or executable lies under a folder (Linux). */
export function processesUnder(folder: string): number[] {
  const out = Bun.spawnSync([
    "sh",
    "-c",
    `for p in /proc/[0-9]*; do
    case "$(readlink $p/cwd) $(readlink $p/exe)" in *${folder}*) echo "\${p#/proc/}";; esac; done 2>/dev/null`,
  ]);
  return out.stdout.toString().split("\n").filter(Boolean).map(Number);
}
