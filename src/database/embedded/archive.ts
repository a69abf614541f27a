import { mkdir } from "node:fs/promises";
import { releaseEmbeddedFiles } from "../../shared/own-image.ts";
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
    // Reading it took 17 MB, since the binary is mapped.
    releaseEmbeddedFiles();
  }
}
