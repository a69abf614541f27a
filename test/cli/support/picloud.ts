import { afterAll } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");

export interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the program keeps things while it runs for a test. */
const placesIn = (folder: string) => ({
  XDG_STATE_HOME: join(folder, "state"),
  XDG_CONFIG_HOME: join(folder, "config"),
});

/** Starts the real program in a folder, from source. */
export const start = (
  folder: string,
  args: readonly string[],
  stdin = "",
  env: Readonly<Record<string, string | undefined>> = {},
) =>
  Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: folder,
    stdin: Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...placesIn(folder), ...env },
  });

/** Runs the real program in a folder, from source, until it ends. */
export async function picloud(
  folder: string,
  args: readonly string[],
  stdin = "",
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Ended> {
  const child = start(folder, args, stdin, env);
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, stdout, stderr };
}

/** A folder of its own with these files, gone after the test file. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "picloud-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export interface Dialogue {
  type(text: string): void;
  /** Waits for a text behind what was waited for last. */
  until(text: string): Promise<void>;
  /** Everything that the terminal showed so far. */
  shown(): string;
  readonly exited: Promise<number>;
  kill(): void;
}

/** Runs the real program on a terminal of its own. */
export function onTerminal(folder: string, args: readonly string[]): Dialogue {
  let shown = "";
  let seen = 0;
  const decoder = new TextDecoder();
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: folder,
    env: { ...process.env, ...placesIn(folder), TERM: "xterm" },
    terminal: {
      cols: 80,
      rows: 24,
      data: (_, bytes) => {
        shown += decoder.decode(bytes, { stream: true });
      },
    },
  });
  return {
    type: (text) => {
      child.terminal?.write(text);
    },
    until: async (text) => {
      const deadline = performance.now() + 10_000;
      for (;;) {
        const at = shown.indexOf(text, seen);
        if (at >= 0) {
          seen = at + text.length;
          return;
        }
        if (performance.now() > deadline)
          throw new Error(`waited for ${JSON.stringify(text)}, got ${JSON.stringify(shown.slice(seen))}`);
        await Bun.sleep(10);
      }
    },
    shown: () => shown,
    exited: child.exited,
    kill: () => {
      child.kill();
      child.terminal?.close();
    },
  };
}
