import { constants, openSync } from "node:fs";
import { join } from "node:path";

/** A Unix socket address holds 108 bytes, the last of them NUL. */
const MAX_SOCKET_PATH = 107;
const SOCKET = ".s.PGSQL.5432";

/** One open directory for each long path of this thread; held as long as the thread lives. */
const directories = new Map<string, number>();

/**
 * The path to connect to for a server whose socket is in `directory`. A path that does not fit a socket address is
 * reached through an open descriptor of its directory (Linux), which also works from a Worker.
 */
export function socketPath(directory: string): string {
  const path = join(directory, SOCKET);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH || process.platform !== "linux") return path;
  let descriptor = directories.get(directory);
  if (descriptor === undefined) {
    descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    directories.set(directory, descriptor);
  }
  return `/proc/self/fd/${descriptor}/${SOCKET}`;
}
