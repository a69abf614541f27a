import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

export interface WholeFileOptions {
  /** Permission bits, whatever the umask. */
  readonly mode: number;
  /** Who shall own the file; for root only. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Whether it must be on the disk when the call returns. */
  readonly durable?: boolean;
}

/**
 * Writes a file so that others see all of it or none. The temporary file (`….part`) is made anew and never follows a
 * link, since root may write here into a folder of another user.
 */
export function writeFileWhole(path: string, text: string, options: WholeFileOptions): void {
  const part = `${path}.${randomBytes(4).toString("hex")}.part`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = openSync(part, flags, 0o600);
  try {
    writeFileSync(file, text);
    fchmodSync(file, options.mode);
    if (options.owner !== undefined) fchownSync(file, options.owner.uid, options.owner.gid);
    if (options.durable === true) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
  if (options.durable === true) syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
