import { readdirSync, readFileSync } from "node:fs";
import type { Exposition } from "./exposition.ts";

/** What Prometheus clients tell of their process, by the usual names; what only Linux knows is left out elsewhere. */
export function writeProcess(out: Exposition): void {
  const { user, system } = process.cpuUsage();
  out.counter("process_cpu_seconds_total", "User and system CPU time spent.", (user + system) / 1e6);
  out.gauge("process_start_time_seconds", "Start time since the Unix epoch.", STARTED);
  out.gauge("process_resident_memory_bytes", "Resident memory size.", process.memoryUsage.rss());
  const virtual = /^VmSize:\s+(\d+) kB/m.exec(textOf("/proc/self/status") ?? "")?.[1];
  if (virtual !== undefined)
    out.gauge("process_virtual_memory_bytes", "Virtual memory size.", Number(virtual) * 1024);
  const open = openFiles();
  if (open !== null) out.gauge("process_open_fds", "Open file descriptors.", open);
  const most = /^Max open files\s+(\d+)/m.exec(textOf("/proc/self/limits") ?? "")?.[1];
  if (most !== undefined)
    out.gauge("process_max_fds", "Most file descriptors that may be open.", Number(most));
}

const STARTED = performance.timeOrigin / 1000;
function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function openFiles(): number | null {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return null;
  }
}
