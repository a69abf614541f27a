import { readdirSync, readFileSync } from "node:fs";

/** What the kernel counted for some processes since they started (Linux), all threads together. */
export interface Usage {
  /** Clock ticks of CPU (100 a second on Linux). */
  readonly ticks: number;
  readonly contextSwitches: number;
}

export function usageOf(pids: readonly number[]): Usage {
  let ticks = 0;
  let contextSwitches = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      ticks += Number(fields[11]) + Number(fields[12]);
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
      for (const [, count] of status.matchAll(/ctxt_switches:\s+(\d+)/g)) contextSwitches += Number(count);
    }
  }
  return { ticks, contextSwitches };
}

/** Memory of some processes in bytes: resident, and what no other process shares. */
export function memoryOf(pids: readonly number[]): { resident: number; private: number } {
  let resident = 0;
  let own = 0;
  for (const pid of pids) {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const kilobytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0);
    resident += kilobytes("Rss") * 1024;
    own += (kilobytes("Private_Clean") + kilobytes("Private_Dirty")) * 1024;
  }
  return { resident, private: own };
}

/** A process and everything that descends from it. */
export function familyOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended while we looked.
    }
  }
  const family: number[] = [];
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    family.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return family;
}
