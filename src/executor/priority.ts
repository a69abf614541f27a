import { dlopen } from "bun:ffi";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Scheduling of single threads. A script that computes for long must not keep the main thread and short runs from the
 * processor, and on a small machine twenty of them otherwise would: the system gives every busy thread the same share.
 * On Linux each thread can have a policy of its own. Elsewhere nothing happens, and all threads are equal.
 */

type SetScheduler = (thread: number, policy: number, parameters: Int32Array) => number;

/** Undefined: not looked for yet; null: there is none here. */
let setScheduler: SetScheduler | null | undefined;

const SCHED_OTHER = 0;
/**
 * Runs when nothing else wants the processor, and makes way at once when something does. A nice value alone was not
 * enough: beside twenty loops of nice 15 a thread that woke up waited for the next tick of the clock (4 ms), or two.
 */
const SCHED_IDLE = 5;
/** `struct sched_param`: the static priority, which both policies want to be 0. */
const PARAMETERS = new Int32Array(1);

/** The system's id of the calling thread; 0 where it cannot be told. */
export function threadId(): number {
  if (process.platform !== "linux") return 0;
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}

/** Milliseconds of processor time that a thread of this process has had, some behind; null where it cannot be told. */
export function computedBy(thread: number): number | null {
  if (thread === 0) return null;
  try {
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "latin1").split(" ")[0]) / 1e6;
  } catch {
    return null;
  }
}

/** Whether the thread now has the priority of a long run. */
export const lowerPriority = (thread: number): boolean => schedule(thread, SCHED_IDLE);

/** Whether the thread has a normal priority again. Only a privileged process may do that. */
export const restorePriority = (thread: number): boolean => schedule(thread, SCHED_OTHER);

function schedule(thread: number, policy: number): boolean {
  if (thread === 0) return false;
  if (setScheduler === undefined) setScheduler = load();
  return setScheduler !== null && setScheduler(thread, policy, PARAMETERS) === 0;
}

function load(): SetScheduler | null {
  try {
    const { symbols } = dlopen("libc.so.6", {
      sched_setscheduler: { args: ["i32", "i32", "ptr"], returns: "i32" },
    });
    return symbols.sched_setscheduler;
  } catch {
    return null;
  }
}
