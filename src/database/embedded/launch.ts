import { join } from "node:path";
import { ownAccount } from "./server-account.ts";
import type { Account } from "./account.ts";
import { TRAMPOLINE, type Launch } from "./trampoline.ts";

export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** Who runs it. */
  readonly account: Account;
  readonly cwd: string;
}

/** What the server's programs see of the environment: nothing of ours, which may hold secrets. */
const ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

/**
 * Starts a program of the server through the trampoline, which ends it when this process dies (Linux). Call it on the
 * main thread: the kernel watches the thread that started it, not the process.
 */
export function launch(program: Program, onExit: (reason: string) => void) {
  const description: Launch = {
    parent: process.pid,
    user: ownAccount().uid === program.account.uid ? null : program.account,
    program: program.path,
    args: program.args,
    cwd: program.cwd,
    env: ENVIRONMENT,
  };
  return Bun.spawn([...trampolineCommand(), JSON.stringify(description)], {
    // Bun reads settings from where it starts; the cluster's folder, which another user may write to, is no place for
    // a process that is still root.
    cwd: "/",
    env: { BUN_GC_TIMER_DISABLE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    onExit: (_child, code, signal) => onExit(signal === null ? `exit code ${code}` : `signal ${signal}`),
  });
}

/** In the binary, modules live in a virtual folder, and the binary itself is the program. */
function trampolineCommand(): string[] {
  if (import.meta.dir.startsWith("/$bunfs/")) return [process.execPath, TRAMPOLINE];
  return [process.execPath, join(import.meta.dir, "trampoline-script.ts")];
}
