import { readdirSync, readFileSync } from "node:fs";

/** What the kernel has counted for some processes since they started (Linux). */
export interface Usage {
  /** By thread. */
  readonly threads: ReadonlyMap<number, { readonly cpuNs: number; readonly contextSwitches: number }>;
  /** By process, in ticks: of all its threads, those that ended included, and of its children that ended. */
  readonly processes: ReadonlyMap<number, { readonly own: number; readonly ended: number }>;
}

/** Between two looks. */
export interface Used {
  readonly cpuMs: number;
  /** Of the threads that are there at the end. */
  readonly contextSwitches: number;
}

/** Clock ticks of CPU are hundredths of a second on Linux. */
const TICK_MS = 10;

/** Processes that have ended are left out. */
export function usageOf(pids: readonly number[]): Usage {
  const threads = new Map<number, { cpuNs: number; contextSwitches: number }>();
  const processes = new Map<number, { own: number; ended: number }>();
  for (const pid of pids) {
    const stat = statOf(pid);
    if (stat === null) continue;
    processes.set(pid, { own: stat(14) + stat(15), ended: stat(16) + stat(17) });
    for (const thread of listOf(`/proc/${pid}/task`)) {
      const status = textOf(`/proc/${pid}/task/${thread}/status`) ?? "";
      let contextSwitches = 0;
      for (const [, count] of status.matchAll(/ctxt_switches:\s+(\d+)/g)) contextSwitches += Number(count);
      const cpuNs = Number(textOf(`/proc/${pid}/task/${thread}/schedstat`)?.split(" ")[0] ?? 0);
      threads.set(Number(thread), { cpuNs, contextSwitches });
    }
  }
  return { threads, processes };
}

/** What happened between two looks at the same processes and those that they started meanwhile. */
export function usedBetween(before: Usage, after: Usage): Used {
  let cpuNs = 0;
  let contextSwitches = 0;
  for (const [id, now] of after.threads) {
    const then = before.threads.get(id);
    cpuNs += now.cpuNs - (then?.cpuNs ?? 0);
    contextSwitches += now.contextSwitches - (then?.contextSwitches ?? 0);
  }
  let own = 0;
  let ended = 0;
  for (const [pid, now] of after.processes) {
    const then = before.processes.get(pid);
    own += now.own - (then?.own ?? 0);
    ended += now.ended - (then?.ended ?? 0);
  }
  // What ended meanwhile is counted whole among its parent's, also what it had used before.
  for (const [pid, then] of before.processes) if (!after.processes.has(pid)) ended -= then.own;
  // Threads that ended are in the ticks of their process only, which are as exact as a tick for each kind of time.
  const living = own * TICK_MS > cpuNs / 1e6 + 2 * TICK_MS ? own * TICK_MS : cpuNs / 1e6;
  return { cpuMs: living + Math.max(0, ended) * TICK_MS, contextSwitches };
}

/** Memory of some processes in bytes: resident, and what no other process shares. */
export function memoryOf(pids: readonly number[]): { readonly resident: number; readonly private: number } {
  let resident = 0;
  let own = 0;
  for (const pid of pids) {
    const rollup = textOf(`/proc/${pid}/smaps_rollup`) ?? "";
    const bytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0) * 1024;
    resident += bytes("Rss");
    own += bytes("Private_Clean") + bytes("Private_Dirty");
  }
  return { resident, private: own };
}

/** Everything that descends from a process. */
export function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of listOf("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = statOf(Number(entry))?.(4);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found: number[] = [];
  const queue = [...(children.get(root) ?? [])];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    found.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** The words of a process' command line; what PostgreSQL writes there says what the process does. */
export const commandLineOf = (pid: number): string =>
  (textOf(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim();

/** Fields of /proc/PID/stat by their number in proc(5), from 4 on; null: no such process. */
function statOf(pid: number): ((field: number) => number) | null {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name before them may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (field) => Number(fields[field - 3] ?? 0);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function listOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
