import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { lockFileOf } from "../../data-directory.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { commandLineOf, descendantsOf } from "./processes.ts";

/** Nothing could be measured. */
const notMeasured = (message: string): CommandError => new CommandError(message, EXIT.usage);

/**
 * The process of the server that has a data directory.
 * @throws CommandError with exit code 2 when none has, this user may not look at it, or the system has no /proc
 */
export function serverOn(dataDir: string): number {
  if (!existsSync("/proc/self/schedstat")) {
    throw notMeasured(
      "idle-proof reads what the kernel counts under /proc, which this system does not have (Linux has).",
    );
  }
  const none = () =>
    notMeasured(
      `No PiCloud runs on the data directory ${dataDir}. Start one, or name its directory (--data-dir).`,
    );
  let file: string;
  let pid: number;
  try {
    file = realpathSync(lockFileOf(dataDir));
    pid = Number(readFileSync(file, "utf8").trim());
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES")
      throw notMeasured(
        `This user may not look into ${dataDir}. Run idle-proof as the user that PiCloud runs as, or as root.`,
      );
    throw none();
  }
  if (!Number.isInteger(pid) || pid <= 0 || !existsSync(`/proc/${pid}`)) throw none();
  const files = openFilesOf(pid);
  if (files === null) {
    throw notMeasured(
      `This user may not look at process ${pid}. Run idle-proof as the user that PiCloud runs as, or as root.`,
    );
  }
  // The number may have been given to another process since.
  if (!files.includes(file)) throw none();
  return pid;
}

/** The processes of the server's own PostgreSQL; empty: its database is elsewhere. */
export const postgresOf = (server: number): number[] =>
  descendantsOf(server).filter((pid) => /^postgres:|\/postgres( |$)/.test(commandLineOf(pid)));

/** Of those, the ones that serve a connection. Ours is to another database than PiCloud's. */
export const connectionsAmong = (postgres: readonly number[]): number[] =>
  postgres.filter((pid) => / \[local\]( |$)/.test(commandLineOf(pid)));

/** HTTP connections that clients have open. */
export function httpConnections(server: number): number {
  const inodes = new Set(
    (openFilesOf(server) ?? []).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []),
  );
  const sockets = ["tcp", "tcp6"]
    .flatMap((name) => linesOf(join("/proc", String(server), "net", name)).slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => inodes.has(fields[9] ?? ""))
    .map((fields) => ({ port: fields[1]?.split(":")[1], state: fields[3] }));
  const listening = new Set(sockets.filter(({ state }) => state === LISTEN).map(({ port }) => port));
  return sockets.filter(({ port, state }) => state === ESTABLISHED && listening.has(port)).length;
}

/** States of sockets in proc_pid_net(5). */
const ESTABLISHED = "01";
const LISTEN = "0A";

/** What the descriptors of a process stand for; null: it may not be looked at. */
function openFilesOf(pid: number): string[] | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${name}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return null;
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trim().split("\n");
  } catch {
    return [];
  }
}

const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600 };
const SHORTEST = 5;
const LONGEST = 3600;

/** Seconds that a text like `20s`, `1m` or `60` means. @throws CommandError with exit code 2 */
export function secondsIn(text: string): number {
  const match = /^(\d{1,6})([smh]?)$/.exec(text.trim());
  const seconds = Number(match?.[1] ?? Number.NaN) * (UNITS[match?.[2] ?? ""] ?? Number.NaN);
  if (seconds >= SHORTEST && seconds <= LONGEST) return seconds;
  throw usageError(`"${text}" is not how long to measure: from ${SHORTEST}s to 1h, such as 20s, 1m or 60.`);
}
