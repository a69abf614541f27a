import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What is made, not written. */
const MADE = /(?:^|\/)(?:node_modules|\.svelte-kit|\.cache)$|^dashboard\/build$/;

/**
 * SHA-256 over the names and contents of files and, recursively, folders (what is made inside them left out).
 * By content, not by time: a fresh clone and a restored cache then agree.
 * @param root directory that `paths` are relative to
 * @param salt anything else that the result depends on
 * @returns hexadecimal text
 * @throws when a path is missing
 */
export function hashFiles(root, paths, salt) {
  const hash = createHash("sha256").update(salt);
  const visit = (path) => {
    if (MADE.test(path)) return;
    const absolute = join(root, path);
    if (statSync(absolute).isDirectory()) {
      for (const name of readdirSync(absolute).sort()) visit(`${path}/${name}`);
    } else {
      hash.update(`\0${path}\0`).update(readFileSync(absolute));
    }
  };
  for (const path of paths) visit(path);
  return hash.digest("hex");
}
