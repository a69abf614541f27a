import { randomBytes } from "node:crypto";
import { chmodSync, lchownSync } from "node:fs";
import {
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { writeFileWhole } from "../../shared/whole-file.ts";
import type { Account } from "./account.ts";
import { processesIn } from "./processes.ts";
import { canReach, serverAccount } from "./server-account.ts";
import { syncFileSystem } from "./sync-file-system.ts";

/** Where an embedded server lives, and who runs it. */
export interface Place {
  /** The folder of all that is Postgres'. */
  readonly folder: string;
  /** The cluster: Postgres' own data directory, and its socket. */
  readonly cluster: string;
  readonly account: Account;
}

/**
 * For the case that PiCloud is root and its data directory is in a place that only root may enter (a checkout under
 * /root): Postgres, which is not root, then lives here, and `<data-dir>/postgres` is a link.
 */
const OUTSIDE = "/var/lib/picloud-postgres";
/** In a folder under OUTSIDE: whose it is. */
const OWNER_FILE = "data-directory.json";

/**
 * Postgres keeps its paths in 1,024 bytes, and the longest file inside needs some of them. Elsewhere than on Linux the
 * path must fit a socket address (104 bytes on macOS).
 */
const MAX_PATH = process.platform === "linux" ? 880 : 75;

/** Which data directory an outside folder belongs to. Device and inode tell a moved one from a copied one. */
interface Owner {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Whether the link to the folder was made: an unlinked one is to be taken up, a linked one follows its link. */
  readonly linked: boolean;
}

/**
 * Finds or makes the place of a data directory's server. The caller holds the data directory's lock.
 * @param dataDir absolute, without links
 * @throws AppError `path_too_long`, `postgres_missing` (a link to nowhere), `postgres_copied` (a link copied from a
 *   data directory whose server is running)
 */
export async function preparePlace(dataDir: string): Promise<Place> {
  if (Buffer.byteLength(dataDir) > MAX_PATH) {
    throw new AppError(
      500,
      "path_too_long",
      `The path of the data directory has ${Buffer.byteLength(dataDir)} bytes; the embedded PostgreSQL takes at most ${MAX_PATH}. Choose a shorter one (--data-dir).`,
    );
  }
  const inside = join(dataDir, "postgres");
  const found = await lstat(inside).catch(() => null);
  const folder = found?.isSymbolicLink()
    ? await followLink(dataDir, inside)
    : await ownFolder(dataDir, inside, found !== null);
  const cluster = join(folder, "data");
  const account = serverAccount(cluster);
  await removeUnfinished(dataDir);
  await removeUnfinished(folder);
  return { folder, cluster, account };
}

/** The folder inside the data directory, unless the server could not reach it there. */
async function ownFolder(dataDir: string, inside: string, exists: boolean): Promise<string> {
  const account = serverAccount(join(inside, "data"));
  if (canReach(account, dirname(dataDir))) {
    await openUp(dataDir, account);
    await mkdir(inside, { recursive: true });
    chmodSync(inside, 0o755);
    return inside;
  }
  if (exists) return moveOutside(dataDir, inside);
  const outside = (await findOutside(dataDir)) ?? (await newOutside(dataDir));
  await symlink(outside, inside);
  await writeOwner(outside, dataDir, true);
  return outside;
}

/**
 * For a data directory that was moved to where the server cannot go. The folder says whose it is before it leaves, so
 * that a start that is cut off in between finds it again.
 */
async function moveOutside(dataDir: string, inside: string): Promise<string> {
  const outside = outsideName();
  await writeOwner(inside, dataDir, false);
  await makeOutside();
  try {
    await rename(inside, outside);
  } catch {
    // Another file system.
    await copyTree(inside, outside);
    await rename(inside, `${inside}.part`);
  }
  await symlink(outside, inside);
  await writeOwner(outside, dataDir, true);
  await removeUnfinished(dataDir);
  return outside;
}

async function followLink(dataDir: string, link: string): Promise<string> {
  const folder = await readlink(link);
  if ((await stat(folder).catch(() => null)) === null) {
    throw new AppError(
      500,
      "postgres_missing",
      `The database of this data directory is not here: ${link} points to ${folder}, which does not exist. Bring that folder along from the machine the data directory comes from.`,
    );
  }
  const owner = await readOwner(folder);
  const self = await stat(dataDir);
  if (owner?.device === self.dev && owner.inode === self.ino && owner.linked) return folder;
  if (owner !== null && (await isOriginal(owner, folder))) return copyOf(folder, owner, dataDir, link);
  await writeOwner(folder, dataDir, true);
  return folder;
}

/** Whether the recorded data directory is still there, and uses the folder. */
async function isOriginal(owner: Owner, folder: string): Promise<boolean> {
  const info = await stat(owner.path).catch(() => null);
  if (info?.dev !== owner.device || info.ino !== owner.inode) return false;
  return (await readlink(join(owner.path, "postgres")).catch(() => null)) === folder;
}

/** A copied data directory gets its own copy of the server, as it would have with the server inside. */
async function copyOf(folder: string, owner: Owner, dataDir: string, link: string): Promise<string> {
  if (processesIn(join(folder, "data")).length > 0) {
    throw new AppError(
      500,
      "postgres_copied",
      `${dataDir} is a copy of ${owner.path}, whose database is running. Stop the PiCloud that uses ${owner.path} and start again: the database is then copied too.`,
    );
  }
  const own = outsideName();
  await copyTree(folder, own);
  await writeOwner(own, dataDir, true);
  await rm(link);
  await symlink(own, link);
  return own;
}

/** A folder that was made for this data directory, but not linked: the start was cut off in between. */
async function findOutside(dataDir: string): Promise<string | undefined> {
  const self = await stat(dataDir);
  for (const name of await readdir(OUTSIDE).catch(() => [])) {
    const folder = join(OUTSIDE, name);
    const owner = await readOwner(folder);
    // Path and inode alone do not tell: a data directory that was deleted and made anew may have got both again.
    if (owner?.linked === false && owner.device === self.dev && owner.inode === self.ino) return folder;
  }
  return undefined;
}

async function newOutside(dataDir: string): Promise<string> {
  await makeOutside();
  const folder = outsideName();
  await mkdir(folder);
  chmodSync(folder, 0o755);
  await writeOwner(folder, dataDir, false);
  return folder;
}

const outsideName = (): string => join(OUTSIDE, randomBytes(6).toString("hex"));

async function makeOutside(): Promise<void> {
  await mkdir(OUTSIDE, { recursive: true });
  chmodSync(OUTSIDE, 0o711);
}

async function readOwner(folder: string): Promise<Owner | null> {
  try {
    return JSON.parse(await readFile(join(folder, OWNER_FILE), "utf8")) as Owner;
  } catch {
    return null;
  }
}

async function writeOwner(folder: string, dataDir: string, linked: boolean): Promise<void> {
  const info = await stat(dataDir);
  const owner: Owner = { path: dataDir, device: info.dev, inode: info.ino, linked };
  writeFileWhole(join(folder, OWNER_FILE), JSON.stringify(owner), { mode: 0o600, durable: true });
}

/** Lets the server's account pass through the data directory (not list it); what is private in there is 0600. */
async function openUp(dataDir: string, account: Account): Promise<void> {
  const info = await stat(dataDir);
  if (info.uid !== account.uid && (info.mode & 0o001) === 0)
    await chmod(dataDir, (info.mode & 0o777) | 0o011);
}

/** With owners, modes and links; into a name that is only taken by a complete copy. */
async function copyTree(from: string, to: string): Promise<void> {
  const part = `${to}.part`;
  await rm(part, { recursive: true, force: true });
  await cp(from, part, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  for (const path of ["", ...(await readdir(from, { recursive: true }))]) {
    const info = await lstat(join(from, path));
    const copy = join(part, path);
    lchownSync(copy, info.uid, info.gid);
    if (!info.isSymbolicLink()) chmodSync(copy, info.mode & 0o7777);
  }
  syncFileSystem(part);
  await rename(part, to);
}

/** What an earlier start was making when it was cut off. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(".part")) await rm(join(folder, name), { recursive: true, force: true });
  }
}
