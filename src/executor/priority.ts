import { dlopen } from "bun:ffi";
import { readlinkSync } from "node:fs";

/**
 * Scheduling priority of single threads. A script that computes for long must not keep the main thread and short runs
 * from the processor, and on a small machine twenty of them otherwise would: the system gives every busy thread the
 * same share. On Linux each thread has a nice value of its own. Elsewhere nothing happens, and all threads are equal.
 */

type SetPriority = (which: number, who: number, nice: number) => number;

/** Undefined: not looked for yet; null: there is none here. */
let setpriority: SetPriority | null | undefined;

/** What a long run gets: one tenth of a normal thread's share, when there is not enough for both. */
const LONG_RUN_NICE = 10;
const PRIO_PROCESS = 0;

/** The system's id of the calling thread; 0 where it cannot be told. */
export function threadId(): number {
  if (process.platform !== "linux") return 0;
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}

/** Whether the thread now has the priority of a long run. */
export const lowerPriority = (thread: number): boolean => renice(thread, LONG_RUN_NICE);

/** Whether the thread has a normal priority again. Only a privileged process may do that. */
export const restorePriority = (thread: number): boolean => renice(thread, 0);

function renice(thread: number, nice: number): boolean {
  if (thread === 0) return false;
  if (setpriority === undefined) setpriority = load();
  return setpriority !== null && setpriority(PRIO_PROCESS, thread, nice) === 0;
}

function load(): SetPriority | null {
  try {
    const { symbols } = dlopen("libc.so.6", { setpriority: { args: ["i32", "u32", "i32"], returns: "i32" } });
    return symbols.setpriority;
  } catch {
    return null;
  }
}
