import { chownSync, existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { writeFileWhole } from "../../shared/whole-file.ts";
import { POSTGRES_MAJOR, POSTGRES_VERSION, SERVER_FOLDER, unpackServer } from "./archive.ts";
import { launch } from "./launch.ts";
import type { Place } from "./place.ts";
import { ownAccount } from "./server-account.ts";
import { CUSTOM_CONF, PG_HBA_CONF, pgIdentConf, postgresqlConf, ROLE } from "./settings.ts";
import { syncFileSystem } from "./sync-file-system.ts";

/** The folder of the unpacked server. */
export const serverFolder = (place: Place): string => join(place.folder, SERVER_FOLDER);

/**
 * Unpacks the server unless it is there. A cut-off leaves nothing under the final name.
 * @returns whether it had to
 */
export async function ensureServer(place: Place, onProgress: (text: string) => void): Promise<boolean> {
  const folder = serverFolder(place);
  if (existsSync(folder)) return false;
  onProgress(`Unpacking PostgreSQL ${POSTGRES_VERSION}`);
  await unpackServer(`${folder}.part`);
  syncFileSystem(place.folder);
  await rename(`${folder}.part`, folder);
  return true;
}

/** Removes the servers of other releases; to be called when the current one runs. */
export async function removeOtherServers(place: Place): Promise<void> {
  for (const name of await readdir(place.folder)) {
    if (name === SERVER_FOLDER || !/^\d+\.\d+-[0-9a-f]{8}(\.part)?$/.test(name)) continue;
    await rm(join(place.folder, name), { recursive: true, force: true });
  }
}

/**
 * Makes the cluster unless it is there, and writes its settings.
 * @throws AppError `postgres_version_mismatch` for a cluster of another major version
 */
export async function ensureCluster(place: Place, onProgress: (text: string) => void): Promise<void> {
  if (existsSync(place.cluster)) checkVersion(place.cluster);
  else {
    onProgress("Creating the database cluster");
    await initialise(place);
  }
  writeSettings(place);
}

async function initialise(place: Place): Promise<void> {
  const part = `${place.cluster}.part`;
  await mkdir(part, { mode: 0o700 });
  if (ownAccount().uid !== place.account.uid) chownSync(part, place.account.uid, place.account.gid);
  const options = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
  const exit = Promise.withResolvers<string>();
  const initdb = launch(
    {
      path: join(serverFolder(place), "bin/initdb"),
      args: ["-D", part, "-U", ROLE, "--auth=peer", "--no-sync", "--no-instructions", ...options],
      account: place.account,
      cwd: place.folder,
    },
    exit.resolve,
  );
  const [, errors, reason] = await Promise.all([initdb.stdout.text(), initdb.stderr.text(), exit.promise]);
  if (reason !== "exit code 0") {
    throw new AppError(
      500,
      "postgres_failed",
      `PostgreSQL could not create its cluster in ${place.cluster} (${reason}): ${errors.trim()}`,
    );
  }
  syncFileSystem(part);
  await rename(part, place.cluster);
}

function checkVersion(cluster: string): void {
  const version = readFileSync(join(cluster, "PG_VERSION"), "utf8").trim();
  if (version === POSTGRES_MAJOR) return;
  throw new AppError(
    500,
    "postgres_version_mismatch",
    `The database in ${cluster} was made by PostgreSQL ${version}; this PiCloud brings PostgreSQL ${POSTGRES_VERSION}, which cannot read it. ` +
      `Start the PiCloud release that made it, dump the database with pg_dump, and restore the dump into a new data directory; ` +
      `or run a PostgreSQL ${version} server on that folder and set DATABASE_URL.`,
    { details: { cluster: version, server: POSTGRES_VERSION } },
  );
}

function writeSettings(place: Place): void {
  const own = ownAccount();
  const owner = own.uid === place.account.uid ? {} : { owner: place.account };
  const write = (name: string, text: string) =>
    writeFileWhole(join(place.cluster, name), text, { mode: 0o600, ...owner });
  write("postgresql.conf", postgresqlConf(existsSync(join(place.cluster, CUSTOM_CONF))));
  write("pg_hba.conf", PG_HBA_CONF);
  write("pg_ident.conf", pgIdentConf([...new Set([own.name, "root"])]));
}
