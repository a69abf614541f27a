import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { logger } from "../../shared/log.ts";
import { connect } from "../client.ts";
import { withDatabase, type ConnectionTarget } from "../target.ts";
import { ensureCluster, ensureServer, removeOtherServers } from "./cluster.ts";
import { preparePlace, type Place } from "./place.ts";
import { startPostmaster, stopPostmaster, type Postmaster } from "./postmaster.ts";
import { clearLeftovers } from "./processes.ts";
import { DATABASE, ROLE } from "./settings.ts";

export interface EmbeddedOptions {
  /** PiCloud's data directory; it must exist, and the caller must hold its lock. */
  readonly dataDir: string;
  /** Told what is being done, in words for a terminal: "Unpacking PostgreSQL 18.4", … */
  readonly onProgress?: (text: string) => void;
}

/** A running embedded server. It is restarted by itself when it dies; `target` stays valid over that. */
export interface EmbeddedPostgres {
  readonly target: ConnectionTarget;
  /** The postmaster's process id; null while it is being restarted. */
  readonly pid: number | null;
  /** Called when the server ended without being asked to, before it is restarted. */
  onExit(callback: (reason: string) => void): void;
  /** Shuts the server down cleanly; open connections are cut. */
  stop(): Promise<void>;
}

/** Waits before the restarts of a server that keeps dying, in milliseconds; the last one repeats. */
const BACK_OFF = [50, 500, 2_000, 5_000, 15_000, 30_000];
/** A server that ran this long was well: its next death is a first one again. */
const WELL_AFTER = 60_000;
/** Longest wait before the first restart of one that had come up: only those that do not come up are hopeless. */
const LONGEST_FIRST = 1_000;

/**
 * Starts PostgreSQL in the data directory; unpacks it and creates the cluster when they are not there yet, and clears
 * away what a killed PiCloud may have left. Call it on the main thread.
 * @throws AppError `postgres_version_mismatch`, `postgres_failed`, `postgres_account`, `path_too_long`,
 *   `postgres_missing`, `postgres_copied`
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const onProgress = options.onProgress ?? (() => {});
  const place = await preparePlace(await realpath(options.dataDir));
  await clearLeftovers(place.cluster, onProgress);
  const unpacked = await ensureServer(place, onProgress);
  await ensureCluster(place, onProgress);
  onProgress("Starting PostgreSQL");
  const first = await startPostmaster(place);
  const target = targetIn(place.cluster);
  try {
    await ensureDatabase(target);
  } catch (error) {
    await stopPostmaster(first);
    throw error;
  }
  await removeOtherServers(place);
  // Gives the archive's 77 MB back: the process may be idle next, with its collector's timers off.
  if (unpacked) Bun.gc(true);
  return supervise(place, target, first);
}

/**
 * Where the server of a data directory is reached that another process runs.
 * @throws AppError `postgres_missing`
 */
export async function runningTarget(dataDir: string): Promise<ConnectionTarget> {
  const cluster = join(dataDir, "postgres", "data");
  try {
    return targetIn(await realpath(cluster));
  } catch (cause) {
    throw new AppError(500, "postgres_missing", `There is no PostgreSQL in ${cluster}.`, { cause });
  }
}

const targetIn = (directory: string): ConnectionTarget => ({
  kind: "socket",
  directory,
  user: ROLE,
  database: DATABASE,
});

/** initdb makes no database of our name. */
async function ensureDatabase(target: ConnectionTarget): Promise<void> {
  const admin = connect(withDatabase(target, "postgres"), { max: 1, applicationName: "picloud-start" });
  try {
    const [found] = await admin`SELECT 1 FROM pg_database WHERE datname = ${DATABASE}`;
    if (found === undefined) await admin.unsafe(`CREATE DATABASE ${DATABASE} STRATEGY file_copy`);
  } finally {
    await admin.end({ timeout: 1 });
  }
}

function supervise(place: Place, target: ConnectionTarget, first: Postmaster): EmbeddedPostgres {
  const log = logger("postgres");
  const callbacks: ((reason: string) => void)[] = [];
  let current: Postmaster | null = first;
  let stopping: Promise<void> | null = null;
  const isStopping = () => stopping !== null;
  const stopped = Promise.withResolvers<void>();

  const watch = async () => {
    let deaths = 0;
    while (current !== null) {
      const since = performance.now();
      const { pid, exited } = current;
      const reason = await exited;
      current = null;
      if (isStopping()) return;
      log.error("PostgreSQL (process {pid}) ended: {reason}", { pid, reason });
      for (const callback of callbacks) callback(reason);
      if (performance.now() - since > WELL_AFTER) deaths = 0;
      let wait = Math.min(backOff(deaths++), LONGEST_FIRST);
      for (let failed = 1; current === null && !isStopping(); failed++) {
        await Promise.race([Bun.sleep(wait), stopped.promise]);
        wait = backOff(failed);
        if (!isStopping()) current = await restart(place);
        // Asked to stop while it was starting.
        if (isStopping() && current !== null) return stopPostmaster(current);
      }
    }
  };
  const watching = watch();

  return {
    target,
    get pid() {
      return current?.pid ?? null;
    },
    onExit: (callback) => void callbacks.push(callback),
    stop: () =>
      (stopping ??= (async () => {
        stopped.resolve();
        if (current !== null) await stopPostmaster(current);
        await watching;
      })()),
  };
}

const backOff = (before: number): number => BACK_OFF[Math.min(before, BACK_OFF.length - 1)] ?? 0;

async function restart(place: Place): Promise<Postmaster | null> {
  const log = logger("postgres");
  try {
    await clearLeftovers(place.cluster, () => {});
    const postmaster = await startPostmaster(place);
    log.info("PostgreSQL runs again (process {pid})", { pid: postmaster.pid });
    return postmaster;
  } catch (error) {
    log.error("PostgreSQL could not be restarted: {error}", { error });
    return null;
  }
}
