import { join } from "node:path";
import { ROOT } from "../../src/build/compile.ts";

/** Milliseconds of processor time of one program on the official release. */
export interface OfficialTimes {
  readonly result: string;
  readonly compile: number;
  readonly runs: readonly number[];
}

/**
 * Builds the program of `official` and answers how to run scripts on it; or says why that cannot be.
 * The build is kept in .cache, so only the first one takes minutes.
 */
export async function officialRelease(): Promise<((file: string, rounds: number) => OfficialTimes) | string> {
  const cargo = Bun.which("cargo");
  if (cargo === null) return "cargo is not installed (https://rustup.rs)";
  const folder = join(import.meta.dir, "official");
  const target = join(ROOT, ".cache/bench-official");
  console.log("building the official release …");
  const build = Bun.spawn([cargo, "build", "--release", "--locked", "--quiet", "--target-dir", target], {
    cwd: folder,
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await build.exited) !== 0) return "cargo could not build test/bench/official";
  const program = join(target, "release/picloud-bench-official");
  return (file, rounds) => {
    const { stdout, stderr, exitCode } = Bun.spawnSync([program, String(rounds), file]);
    if (exitCode !== 0) throw new Error(`${file} on the official release: ${stderr.toString()}`);
    const [result = "", compile = "", ...runs] = stdout.toString().trim().split("\t");
    return { result, compile: Number(compile), runs: runs.map(Number) };
  };
}
