import { dlopen, FFIType, ptr } from "bun:ffi";

/** CLOCK_THREAD_CPUTIME_ID of Linux. */
const THREAD_CLOCK = 3;

/**
 * Milliseconds that this thread has had a processor, to the microsecond (Bun's own figure counts in ticks): what else
 * the machine does changes it little. The time of day on anything but Linux.
 */
export const threadTime: () => number = process.platform === "linux" ? linuxClock() : () => performance.now();

function linuxClock(): () => number {
  const { symbols } = dlopen("libc.so.6", {
    clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  });
  const time = new BigInt64Array(2);
  const address = ptr(time);
  return () => {
    symbols.clock_gettime(THREAD_CLOCK, address);
    return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
  };
}
