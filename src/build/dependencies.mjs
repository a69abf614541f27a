import { execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, delimiter, join } from "node:path";

/** Bun's real executable has around 100 MB; what stands in for it until it is linked, some hundred bytes. */
const SMALLEST_BUN = 1024 * 1024;

/**
 * Installs exactly what package-lock.json says: with npm, or with Bun on a machine that has no npm.
 * Install scripts are never run (newer npm blocks them anyway); what the two packages that have one need is done by
 * `linkBun` and by postgres-archive.ts.
 * @throws Error with the installer's output
 */
export async function installDependencies(root, environment) {
  const npm = npmCommand();
  const [program, ...args] =
    npm === null
      ? [bunCommand(), "install", "--frozen-lockfile", "--ignore-scripts"]
      : // --loglevel=error hides EBADENGINE warnings: the packages meant run on Bun, not on this Node.js.
        // --include: also with NODE_ENV=production in the environment.
        [
          ...npm,
          "ci",
          "--ignore-scripts",
          "--no-audit",
          "--no-fund",
          "--loglevel=error",
          "--include=dev",
          "--include=optional",
        ];
  const child = spawn(program, args, { cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const code = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", resolve);
  });
  if (code !== 0) {
    throw new Error(
      `${output}\n\`${[basename(program), ...args].join(" ")}\` failed (${code}) in ${root}. ` +
        "It needs the network once; after that everything works offline.",
    );
  }
}

/**
 * Whether somebody has already installed what package-lock.json says, by `npm ci` or `npm install`. npm leaves a
 * record of what it put into node_modules; packages for other platforms are missing there.
 */
export function installedByHand(root) {
  try {
    const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
    const present = JSON.parse(readFileSync(join(root, "node_modules/.package-lock.json"), "utf8")).packages;
    for (const [path, entry] of Object.entries(wanted)) {
      if (!path.startsWith("node_modules/")) continue;
      const found = present[path];
      if (found === undefined ? !entry.optional && !entry.peer : found.version !== entry.version)
        return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Puts Bun's executable for this machine where package `bun` expects it: the work of that package's install script. */
export async function linkBun(root) {
  const folder = join(root, "node_modules/bun/bin");
  if (statSync(join(folder, "bun.exe")).size > SMALLEST_BUN) return true;
  const packages = join(root, "node_modules/@oven");
  const candidates = existsSync(packages)
    ? readdirSync(packages).map((name) => join(packages, name, "bin/bun"))
    : [];
  const executable = candidates.find(runs);
  if (executable === undefined) {
    throw new Error(
      `No Bun for ${process.platform} ${process.arch} came with the packages (found: ${candidates.join(", ") || "none"}).`,
    );
  }
  for (const name of ["bun.exe", "bunx.exe"]) {
    // Never written in place: the file may be a hard link into the installer's cache, or running.
    const fresh = join(folder, `${name}.new`);
    rmSync(fresh, { force: true });
    try {
      linkSync(executable, fresh);
    } catch {
      copyFileSync(executable, fresh);
    }
    renameSync(fresh, join(folder, name));
  }
  return true;
}

/** glibc and musl builds may both be there; only one of them starts. */
function runs(executable) {
  try {
    execFileSync(executable, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The npm that runs us, or the one on PATH; null without one. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running?.endsWith("npm-cli.js") && process.versions.bun === undefined)
    return [process.execPath, running];
  return onPath("npm") && onPath("node") ? ["npm"] : null;
}

function bunCommand() {
  return process.versions.bun === undefined ? "bun" : process.execPath;
}

function onPath(name) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}
