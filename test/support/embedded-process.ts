import { join } from "node:path";
import type { ConnectionTarget } from "../../src/database/target.ts";

/** A process of its own that holds a data directory and runs its embedded server, to be killed. */
export interface EmbeddedProcess {
  readonly pid: number;
  readonly postmasterPid: number;
  readonly target: ConnectionTarget;
  /** What it said it was doing. */
  readonly progress: readonly string[];
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number>;
}

type Message =
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "ready"; readonly postmasterPid: number; readonly target: ConnectionTarget }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** What embedded-program.ts prints, one JSON object a line. */
export const say = (message: Message): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

/**
 * @param account runs it as another user; root only
 * @throws Error with the code and message of the AppError that the start ended with
 */
export async function startEmbeddedProcess(
  dataDir: string,
  account?: { readonly uid: number; readonly gid: number },
): Promise<EmbeddedProcess> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "embedded-program.ts"), dataDir], {
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] ?? "" },
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  const progress: string[] = [];
  for await (const message of messages(child.stdout)) {
    if (message.kind === "progress") progress.push(message.text);
    if (message.kind === "failed") throw new Error(`${message.code}: ${message.message}`);
    if (message.kind === "ready") {
      const { postmasterPid, target } = message;
      const kill = (signal: NodeJS.Signals) => child.kill(signal);
      return { pid: child.pid, postmasterPid, target, progress, kill, exited: child.exited };
    }
  }
  throw new Error(`The process ended without a word (${await child.exited}).`);
}

async function* messages(stream: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Message;
  }
}
