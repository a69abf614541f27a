import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * Ends being this process and is `program` from here on: same process id where the runtime can replace itself
 * (Bun, Node.js from 22.15), else as its only child that gets our signals and whose exit status is ours.
 */
export async function become(program, args) {
  if (typeof process.execve === "function") {
    process.removeAllListeners("warning"); // "process.execve is experimental" is no news for the user.
    try {
      process.execve(program, [program, ...args], process.env);
    } catch {
      // Not on this system: the child below does the same for one more process.
    }
  }

  // In a session of its own, so that Ctrl-C reaches it through us alone: a terminal signals the whole process group
  // and npm passes the signal on besides, and a server takes a second SIGINT as "now, not cleanly".
  const child = spawn(program, args, { stdio: "inherit", detached: true });
  let last = { signal: "", at: -Infinity };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      const now = performance.now();
      if (signal === last.signal && now - last.at < 1000) return;
      last = { signal, at: now };
      child.kill(signal);
    });
  }
  await new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(new Error(`Cannot run ${program}: ${cause.message}`)));
    child.on("exit", (code, signal) => {
      process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
      resolve();
    });
  });
  process.exit();
}
