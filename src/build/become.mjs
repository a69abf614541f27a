import { spawn } from "node:child_process";
import { constants } from "node:os";

/** Signals of one kind within this time are one wish: milliseconds. */
const ONE_WISH = 1000;

/**
 * Is `program` from here on: it gets our standard streams and our signals, and its exit status becomes ours.
 *
 * It runs in a session of its own, so that Ctrl-C reaches it through us alone. A terminal signals every process of the
 * group and npm passes the signal on besides; a server takes a second SIGINT as "now, not cleanly". For the same
 * reason this process does not replace itself (execve), which newer runtimes could.
 */
export async function become(program, args, environment) {
  const child = spawn(program, args, { stdio: "inherit", detached: true, env: environment });
  const last = new Map();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - (last.get(signal) ?? -Infinity) < ONE_WISH) return;
      last.set(signal, now);
      child.kill(signal);
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(new Error(`Cannot run ${program}: ${cause.message}`)));
    child.on("exit", (status, signal) => resolve(status ?? 128 + (constants.signals[signal] ?? 0)));
  });
  process.exit(code);
}
