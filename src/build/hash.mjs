import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Folders that are made, not written. */
const MADE = new Set(["node_modules", "build", ".svelte-kit", ".cache", "dist"]);

/**
 * SHA-256 over the names and contents of files and, recursively, folders (what is built inside them left out).
 * By content, not by time: a fresh clone and a restored cache then agree.
 * @param root directory that `paths` are relative to
 * @param salt anything else that the result depends on
 * @returns hexadecimal text
 * @throws when a path is missing
 */
export function hashFiles(root, paths, salt) {
  const hash = createHash("sha256").update(salt);
  const visit = (path) => {
    const absolute = join(root, path);
    if (statSync(absolute).isDirectory()) {
      for (const name of readdirSync(absolute).sort()) if (!MADE.has(name)) visit(`${path}/${name}`);
    } else {
      hash.update(`\0${path}\0`).update(readFileSync(absolute));
    }
  };
  for (const path of paths) visit(path);
  return hash.digest("hex");
}
