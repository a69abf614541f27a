import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { linuxLibc } from "../../shared/libc.ts";

/**
 * Process ids of the Postgres processes that work in a cluster's folder. Postgres stands in its data directory, so
 * the working directory tells, whatever pid files say.
 */
export function processesIn(cluster: string): number[] {
  const folder = realPath(cluster);
  if (folder === undefined) return [];
  if (process.platform !== "linux") return postmastersOf(folder);
  const owner = statSync(folder);
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(isPostgres);
  return asUser(owner, () => pids.filter((pid) => workingDirectory(pid) === folder));
}

/** Where there is no /proc: the postmaster, which has the folder in its command line, and takes the others with it. */
function postmastersOf(folder: string): number[] {
  const list = Bun.spawnSync(["ps", "-axo", "pid=,command="]).stdout.toString().split("\n");
  return list
    .filter((line) => line.endsWith(`/bin/postgres -D ${folder}`))
    .map((line) => Number.parseInt(line, 10));
}

/** A shell that stands in the folder is none of ours. */
function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8") === "postgres\n";
  } catch {
    return false;
  }
}

function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Gone meanwhile, or another user's, whom the cluster does not belong to.
    return undefined;
  }
}

/**
 * Lets this thread read files as another user. Root in a container may not look into other users' processes
 * (CAP_SYS_PTRACE is missing); the user itself may.
 */
function asUser<T>(user: { readonly uid: number; readonly gid: number }, work: () => T): T {
  if (process.getuid?.() !== 0) return work();
  const { setfsgid, setfsuid } = linuxLibc();
  setfsgid(user.gid);
  setfsuid(user.uid);
  try {
    return work();
  } finally {
    setfsuid(0);
    setfsgid(process.getgid?.() ?? 0);
  }
}

const PID_FILE = "postmaster.pid";
/** Both hold the postmaster's process id, and both are believed. */
const LOCK_FILES = [PID_FILE, ".s.PGSQL.5432.lock"];

/** How long a shut down may take before it is insisted on, in milliseconds: fast, immediate, kill. */
const PATIENCE = [
  ["SIGINT", 30_000],
  ["SIGQUIT", 5_000],
  ["SIGKILL", 5_000],
] as const;

/**
 * Ends what an earlier PiCloud may have left of the cluster's server: a postmaster that is shutting down or still
 * running, or backends without one, which hold its shared memory. Then removes the lock files, which Postgres would
 * otherwise believe if another process has got its number.
 */
export async function clearLeftovers(cluster: string, onProgress: (text: string) => void): Promise<void> {
  const pidFile = join(cluster, PID_FILE);
  if (processesIn(cluster).length > 0) onProgress("Waiting for the previous PostgreSQL to end");
  for (const [signal, patience] of PATIENCE) {
    const left = processesIn(cluster);
    const postmaster = postmasterPid(pidFile);
    // Backends of a dead postmaster end by themselves; while it lives it sends them home.
    const first = postmaster !== undefined && left.includes(postmaster) ? [postmaster] : left;
    for (const pid of signal === "SIGKILL" ? left : first) sendSignal(pid, signal);
    if (await gone(cluster, patience)) break;
  }
  if (process.platform === "linux")
    for (const name of LOCK_FILES) rmSync(join(cluster, name), { force: true });
}

function postmasterPid(pidFile: string): number | undefined {
  try {
    return Number(readFileSync(pidFile, "utf8").split("\n", 1)[0]);
  } catch {
    return undefined;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile.
  }
}

async function gone(cluster: string, patience: number): Promise<boolean> {
  const end = performance.now() + patience;
  while (processesIn(cluster).length > 0) {
    if (performance.now() > end) return false;
    await Bun.sleep(20);
  }
  return true;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
