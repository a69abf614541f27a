import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { AppError } from "./shared/errors.ts";
import { errno, libc } from "./shared/libc.ts";
import { isUuid, newId } from "./shared/ids.ts";
import { writeFileWhole } from "./shared/whole-file.ts";

/** The directory that holds all state of one server, and the lock on it. */
export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  /** 32 bytes: given by configuration, or made on first start and kept in `secret.key`. */
  readonly secretKey: Uint8Array;
  /** A UUID that names this server among those that share a database; the same after each start. */
  readonly instanceId: string;
  /** Gives the lock back. */
  close(): void;
}

const LOCK_FILE = "picloud.lock";
const KEY_FILE = "secret.key";
const INSTANCE_FILE = "instance-id";
const KEY_BYTES = 32;

/**
 * Creates the directory when it is missing and locks it for this process. The lock dies with the process, however it
 * ends.
 * @param secretKey the configured key; null: read or made in `secret.key`
 * @throws AppError `data_directory_in_use` naming the process that has it, `data_directory_unusable` when it cannot be
 *   made or written, `invalid_secret_key` for a malformed file
 */
export async function openDataDirectory(path: string, secretKey: Uint8Array | null): Promise<DataDirectory> {
  const absolute = resolve(path);
  const lock = takeLock(absolute);
  let isOpen = true;
  try {
    return {
      path: absolute,
      secretKey: secretKey ?? keyOf(absolute),
      instanceId: instanceIdOf(absolute),
      close: () => {
        // Twice would close whatever has got the descriptor's number since.
        if (isOpen) closeSync(lock);
        isOpen = false;
      },
    };
  } catch (error) {
    closeSync(lock);
    throw error;
  }
}

/** Whoever has a data directory has this file locked, and its process id stands there. */
export const lockFileOf = (path: string): string => join(resolve(path), LOCK_FILE);

const LOCK_EX = 2;
const LOCK_NB = 4;
/** EWOULDBLOCK: somebody else has the lock. Linux and macOS. */
const WOULD_BLOCK: ReadonlySet<number> = new Set([11, 35]);

/** @returns the descriptor that holds the lock. Bun opens it close-on-exec, so children do not inherit it. */
function takeLock(directory: string): number {
  const file = usable(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return openSync(join(directory, LOCK_FILE), constants.O_RDWR | constants.O_CREAT, 0o600);
  });
  if (libc().flock(file, LOCK_EX | LOCK_NB) === 0) {
    ftruncateSync(file);
    writeSync(file, `${process.pid}\n`, 0);
    return file;
  }
  const code = errno();
  closeSync(file);
  if (!WOULD_BLOCK.has(code)) {
    throw new AppError(
      500,
      "data_directory_unusable",
      `The data directory ${directory} cannot be locked (errno ${code}). Is it on a network file system without locks?`,
    );
  }
  const pid = readFileSync(join(directory, LOCK_FILE), "utf8").trim();
  throw new AppError(
    500,
    "data_directory_in_use",
    `The data directory ${directory} is in use by another PiCloud, process ${pid || "unknown"}. Stop it, or choose another directory (--data-dir).`,
    { details: { pid: Number(pid) || null } },
  );
}

/**
 * The key of a data directory that somebody else may be using.
 * @throws AppError `no_secret_key`, `invalid_secret_key`
 */
export function existingSecretKey(path: string): Uint8Array {
  const directory = resolve(path);
  if (existsSync(join(directory, KEY_FILE))) return readKey(directory);
  throw new AppError(
    404,
    "no_secret_key",
    `There is no ${KEY_FILE} in ${directory}. Set PICLOUD_SECRET_KEY as the server has it, or name the server's data directory (--data-dir).`,
  );
}

function keyOf(directory: string): Uint8Array {
  const path = join(directory, KEY_FILE);
  if (!existsSync(path)) {
    const key = randomBytes(KEY_BYTES);
    // What it seals is lost with it, so it must be on the disk before anything is sealed.
    usable(directory, () =>
      writeFileWhole(path, `${key.toString("base64")}\n`, { mode: 0o600, durable: true }),
    );
    return key;
  }
  return readKey(directory);
}

function instanceIdOf(directory: string): string {
  const path = join(directory, INSTANCE_FILE);
  return usable(directory, () => {
    const known = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
    // One that was not written whole says nothing: what its process had claimed is free when the lease ends.
    if (isUuid(known)) return known;
    const made = newId();
    writeFileWhole(path, `${made}\n`, { mode: 0o644, durable: true });
    return made;
  });
}

function readKey(directory: string): Uint8Array {
  const path = join(directory, KEY_FILE);
  const text = usable(directory, () => readFileSync(path, "utf8")).trim();
  const key = Buffer.from(text, "base64");
  if (key.length === KEY_BYTES && key.toString("base64") === text) return key;
  throw new AppError(
    500,
    "invalid_secret_key",
    `${path} does not hold the base64 text of 32 bytes. Put the file back from a backup, or set PICLOUD_SECRET_KEY; a new key would make every stored secret unreadable.`,
  );
}

function usable<T>(directory: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      500,
      "data_directory_unusable",
      `The data directory ${directory} cannot be used: ${reason}. Choose another one (--data-dir), or give this user the right to write there.`,
      { cause },
    );
  }
}
