import { cp, mkdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hashFiles } from "./hash.mjs";
import { HOST, type Platform } from "./platform.ts";
import { makePostgresArchive } from "./postgres-archive.ts";

export const ROOT = resolve(import.meta.dir, "../..");
const CACHE = join(ROOT, ".cache");

/** The program, then the files that Workers start from; each must have a name of its own (see `naming`). */
const ENTRY_POINTS = ["src/main.ts", "src/executor/worker.ts"];

/** What the sources import for the machine they run on. */
const HOST_ARCHIVE = /\.cache\/postgres\.tar\.zst(\.stamp)?$/;

export interface Binary {
  /** Absolute. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** False: it was there already, made from the same sources. */
  readonly built: boolean;
}

/** Where `npm run build` puts the binary of a platform: `dist/picloud` for this machine's. */
export const binaryPath = (platform: Platform): string =>
  join(ROOT, "dist", platform === HOST ? "picloud" : `picloud-${platform}`);

/**
 * Compiles PiCloud into one minified executable that holds everything it needs: runtime, workers, migrations, the
 * dashboard (which must be built) and the platform's PostgreSQL.
 * @param options.level zstd level of the PostgreSQL archive; without one, whatever is quick
 * @param options.force build even when the sources have not changed since the last time
 * @throws Error that says what is missing, or AggregateError of the bundler
 */
export async function compile(
  platform: Platform,
  options: { readonly level?: number; readonly force?: boolean; readonly out?: string } = {},
): Promise<Binary> {
  const out = options.out ?? binaryPath(platform);
  const stamp = join(CACHE, `binary-${platform}.stamp`);
  const archive = join(CACHE, platform === HOST ? "postgres.tar.zst" : `embed-${platform}.tar.zst`);
  await makePostgresArchive(platform, archive, options.level);
  const key = hashFiles(
    ROOT,
    ["src", "dashboard", "package.json", "package-lock.json"],
    `${out} ${Bun.version}`,
  );
  if (options.force !== true && (await textOf(stamp)) === key && (await Bun.file(out).exists())) {
    return { path: out, size: (await stat(out)).size, built: false };
  }

  const stage = join(CACHE, `stage-${platform}-${process.pid}`);
  try {
    await mkdir(stage, { recursive: true });
    // The name of the folder is the name inside the binary, where src/manager/dashboard/assets.ts looks for it.
    await cp(join(ROOT, "dashboard/build"), join(stage, "dashboard"), { recursive: true });
    const made = join(stage, "picloud");
    await bundle(platform, archive, join(stage, "dashboard"), made);
    await mkdir(join(out, ".."), { recursive: true });
    await rm(stamp, { force: true });
    await rename(made, out); // Never written in place: the old one may be running.
    await Bun.write(stamp, key);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
  return { path: out, size: (await stat(out)).size, built: true };
}

async function bundle(
  platform: Platform,
  archive: string,
  dashboard: string,
  outfile: string,
): Promise<void> {
  const embedded = new Set<string>();
  const result = await Bun.build({
    entrypoints: ENTRY_POINTS.map((path) => join(ROOT, path)),
    root: ROOT,
    // Flat, so that `new URL("./worker.ts", import.meta.url)` means the same file in the binary.
    naming: { entry: "[name].[ext]" },
    target: "bun",
    format: "esm",
    minify: true,
    // What the program and its workers share is there once: 1.4 MB, most of it source maps.
    splitting: true,
    // `picloud version` takes 18 ms instead of 50, for 0.9 MB; with every function compiled ahead it would be 16 ms,
    // for 4.4 MB.
    bytecode: true,
    bytecodeDepth: 0,
    // Stack traces in the log name the real files and lines.
    sourcemap: "linked",
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [
      {
        name: "PostgreSQL of the target platform",
        setup: (build) => {
          build.onResolve({ filter: HOST_ARCHIVE }, ({ path }) => {
            const target = archive + (HOST_ARCHIVE.exec(path)?.[1] ?? "");
            embedded.add(target);
            return { path: target };
          });
          // A path that a plugin resolves loses the import's `type: "text"`.
          build.onLoad({ filter: /\.zst\.stamp$/ }, async ({ path }) => ({
            contents: await Bun.file(path).text(),
            loader: "text",
          }));
        },
      },
    ],
    compile: {
      target: `bun-${platform}`,
      outfile,
      assets: [dashboard],
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `The bundle for ${platform} failed.`);
  for (const path of [archive, `${archive}.stamp`]) {
    if (!embedded.has(path))
      throw new Error(`No source file imports ${path}: the binary would have no PostgreSQL.`);
  }
}

async function textOf(path: string): Promise<string | null> {
  const file = Bun.file(path);
  return (await file.exists()) ? file.text() : null;
}
