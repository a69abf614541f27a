import { join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { serverFolder } from "./cluster.ts";
import { launch } from "./launch.ts";
import type { Place } from "./place.ts";
import { serverLog } from "./server-log.ts";

/** A running server process. */
export interface Postmaster {
  readonly pid: number;
  /** Resolves with the reason when the process has ended. */
  readonly exited: Promise<string>;
}

/** How many of the server's last lines an error tells. */
const LAST_LINES = 8;

/** How long a fast shutdown may take, and then an immediate one, in milliseconds. */
const FAST_PATIENCE = 10_000;
const IMMEDIATE_PATIENCE = 5_000;

/**
 * Starts the server and waits until it accepts connections; recovery after a crash may take its time.
 * @throws AppError `postgres_failed` with what the server said last, when it ends instead
 */
export async function startPostmaster(place: Place): Promise<Postmaster> {
  const exit = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<void>();
  const last: string[] = [];
  const log = serverLog();
  const child = launch(
    {
      path: join(serverFolder(place), "bin/postgres"),
      args: ["-D", place.cluster],
      account: place.account,
      cwd: place.folder,
    },
    exit.resolve,
  );
  void readLines(child.stdout, () => {});
  const output = readLines(child.stderr, (line) => {
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
    log(line);
    if (line.endsWith("database system is ready to accept connections")) ready.resolve();
  });
  const early = await Promise.race([ready.promise, exit.promise]);
  if (early !== undefined) {
    await Promise.race([output, Bun.sleep(500)]);
    throw new AppError(
      500,
      "postgres_failed",
      `PostgreSQL did not start in ${place.cluster} (${early}): ${last.join(" | ")}`,
    );
  }
  return { pid: child.pid, exited: exit.promise };
}

/** Shuts the server down: fast (connections are cut, everything is written), then with more and more insistence. */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  const steps = [
    ["SIGINT", FAST_PATIENCE],
    ["SIGQUIT", IMMEDIATE_PATIENCE],
    ["SIGKILL", IMMEDIATE_PATIENCE],
  ] as const;
  for (const [signal, patience] of steps) {
    try {
      process.kill(postmaster.pid, signal);
    } catch {
      // It has ended by itself.
    }
    const timer = Promise.withResolvers<"late">();
    const timeout = setTimeout(() => timer.resolve("late"), patience);
    const outcome = await Promise.race([postmaster.exited, timer.promise]);
    clearTimeout(timeout);
    if (outcome !== "late") return;
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(line);
  }
  if (rest !== "") onLine(rest);
}
