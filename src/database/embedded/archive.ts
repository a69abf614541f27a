import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { linuxLibc } from "../../shared/libc.ts";
import archive from "../../../.cache/postgres.tar.zst" with { type: "file" };
import stampText from "../../../.cache/postgres.tar.zst.stamp" with { type: "text" };

const stamp = JSON.parse(stampText) as { readonly version: string; readonly sha256: string };

/** The PostgreSQL release inside this binary: `18.4`. */
export const POSTGRES_VERSION: string = stamp.version;

/** Its major version, which is what a cluster is bound to: `18`. */
export const POSTGRES_MAJOR: string = stamp.version.split(".")[0] ?? stamp.version;

/**
 * The name of the folder that the server is unpacked into. The content is part of it, since a data directory may move
 * to a machine of another kind.
 */
export const SERVER_FOLDER = `${stamp.version}-${stamp.sha256.slice(0, 8)}`;

/** Unpacks the server (58 MB) into a new folder, owned by the caller and readable by everyone. */
export async function unpackServer(folder: string): Promise<void> {
  // Unpacked under the umask, which may keep the files from the user that Postgres runs as.
  const umask = process.umask(0o022);
  try {
    await mkdir(folder);
    await new Bun.Archive(await Bun.zstdDecompress(await Bun.file(archive).bytes())).extract(folder);
  } finally {
    process.umask(umask);
    releaseEmbeddedFiles();
  }
}

/** madvise(2): these pages will not be needed soon. Nothing is lost, dirty ones included. Linux 5.4. */
const MADV_PAGEOUT = 21;

/**
 * Gives back the memory (17 MB) that reading the archive out of the running binary took: the binary is mapped, so each
 * page that was read once stays resident, and this one is not read again.
 */
function releaseEmbeddedFiles(): void {
  if (process.platform !== "linux" || !archive.startsWith("/$bunfs/")) return;
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const [, start, end, file] = /^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ \d+ +(.+)$/.exec(line) ?? [];
    if (file !== process.execPath || start === undefined || end === undefined) continue;
    const from = BigInt(`0x${start}`);
    linuxLibc().madvise(from, BigInt(`0x${end}`) - from, MADV_PAGEOUT);
  }
}
