import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./compile.ts";

/** How a program for arm64 Linux is run on this machine: `[...command, program, ...arguments]`. */
export interface Emulator {
  readonly command: readonly string[];
}

/** The libraries that Bun's executable is linked to, as Debian packages. */
const PACKAGES = ["libc6", "libgcc-s1", "libstdc++6"];
const CACHE = join(ROOT, ".cache/arm64-sysroot");
const LOADER = "lib/ld-linux-aarch64.so.1";

/**
 * Finds qemu's user-mode emulation and a folder with arm64 libraries: `PICLOUD_ARM64_SYSROOT`, the one kept in .cache,
 * what Debian's cross compilers install, or else one that is made in .cache with apt (3 MB of packages; nothing is
 * installed and nothing outside the checkout is touched).
 * @returns a sentence that says what is missing, when arm64 programs cannot be run
 */
export async function arm64Emulator(): Promise<Emulator | string> {
  if (process.platform !== "linux") return "qemu's user-mode emulation is for Linux";
  if (process.arch === "arm64") return "this machine is arm64: the other end-to-end tests run that binary";
  const qemu = Bun.which("qemu-aarch64-static") ?? Bun.which("qemu-aarch64");
  if (qemu === null) return "there is no qemu-aarch64-static (Debian: apt-get install qemu-user-static)";
  const given = process.env["PICLOUD_ARM64_SYSROOT"];
  if (given !== undefined && !existsSync(join(given, LOADER))) {
    return `PICLOUD_ARM64_SYSROOT=${given} has no ${LOADER}`;
  }
  const found = [given, CACHE, "/usr/aarch64-linux-gnu"].find(
    (path) => path !== undefined && existsSync(join(path, LOADER)),
  );
  if (found !== undefined) return { command: [qemu, "-L", found] };
  const fault = await makeSysroot();
  return fault ?? { command: [qemu, "-L", CACHE] };
}

/** @returns what went wrong, or null */
async function makeSysroot(): Promise<string | null> {
  if (Bun.which("apt-get") === null || Bun.which("dpkg-deb") === null) {
    return "there are no arm64 libraries: set PICLOUD_ARM64_SYSROOT to a folder with an arm64 libc6 and libstdc++6";
  }
  const work = `${CACHE}.${process.pid}`;
  // apt with an empty state of its own, as if this were an arm64 machine; the system's is neither read nor written.
  const options = {
    "APT::Architecture": "arm64",
    "APT::Architectures": "arm64",
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
    "Debug::NoLocking": "1",
    "Dir::Cache": join(work, "cache"),
    "Dir::State::lists": join(work, "lists"),
    "Dir::State::status": join(work, "status"),
  };
  const apt = ["apt-get", ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
  try {
    for (const folder of ["cache/archives/partial", "lists/partial", "debs", "root"]) {
      await mkdir(join(work, folder), { recursive: true });
    }
    await Bun.write(join(work, "status"), "");
    const debs = join(work, "debs");
    for (const command of [
      [...apt, "update"],
      [...apt, "download", ...PACKAGES],
    ]) {
      const fault = await run(command, debs);
      if (fault !== null) return `apt could not fetch arm64 libraries: ${fault}`;
    }
    for (const deb of await readdir(debs)) {
      const fault = await run(["dpkg-deb", "-x", deb, join(work, "root")], debs);
      if (fault !== null) return `${deb} could not be unpacked: ${fault}`;
    }
    await rm(CACHE, { recursive: true, force: true });
    await rename(join(work, "root"), CACHE);
    return existsSync(join(CACHE, LOADER)) ? null : `the packages ${PACKAGES.join(", ")} hold no ${LOADER}`;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns the last line of what it said, when it failed */
async function run(command: string[], cwd: string): Promise<string | null> {
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [, error, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return code === 0 ? null : (error.trim().split("\n").at(-1) ?? `exit code ${code}`);
}
