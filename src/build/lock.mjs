import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` while no other process does so with the same lock file; waits for one that does. A lock whose process
 * is gone is taken over.
 */
export async function withLock(path, work) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    for (let told = false; !take(own, path);) {
      const pid = holder(path);
      if (!isRunning(pid)) {
        rmSync(path, { force: true });
        continue;
      }
      if (!told) process.stderr.write(`  waiting for process ${pid}, which is setting up …\n`);
      told = true;
      await sleep(200);
    }
  } finally {
    rmSync(own, { force: true });
  }
  const release = () => rmSync(path, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

function take(own, path) {
  try {
    linkSync(own, path); // Atomic, and the file has its content from the first moment.
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

function holder(path) {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0; // Released in this moment.
  }
}

function isRunning(pid) {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
