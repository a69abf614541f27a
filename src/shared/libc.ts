import { dlopen, FFIType, read, type Pointer } from "bun:ffi";

/**
 * The few system calls that Bun does not offer. Opened when first used: a `dlopen` costs about a millisecond, and
 * commands that need none of them should not pay for it.
 */
const FUNCTIONS = {
  execve: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  getppid: { args: [], returns: FFIType.i32 },
  getpwnam: { args: [FFIType.ptr], returns: FFIType.ptr },
  getpwuid: { args: [FFIType.u32], returns: FFIType.ptr },
  initgroups: { args: [FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  setgid: { args: [FFIType.u32], returns: FFIType.i32 },
  setsid: { args: [], returns: FFIType.i32 },
  setuid: { args: [FFIType.u32], returns: FFIType.i32 },
} as const;

const LINUX_FUNCTIONS = {
  ...FUNCTIONS,
  __errno_location: { args: [], returns: FFIType.ptr },
  madvise: { args: [FFIType.u64, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  prctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
  setfsgid: { args: [FFIType.u32], returns: FFIType.i32 },
  setfsuid: { args: [FFIType.u32], returns: FFIType.i32 },
  syncfs: { args: [FFIType.i32], returns: FFIType.i32 },
} as const;

const MAC_FUNCTIONS = { ...FUNCTIONS, __error: { args: [], returns: FFIType.ptr } } as const;

/** Debian and its kin, then Alpine (musl). */
const LINUX_NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

type Linux = ReturnType<typeof openLinux>;
type Common = Pick<Linux, keyof typeof FUNCTIONS>;

let linux: Linux | undefined;
let mac: ReturnType<typeof openMac> | undefined;

/** The functions that every supported system has. */
export function libc(): Common {
  if (process.platform === "linux") return linuxLibc();
  mac ??= openMac();
  return mac;
}

/** Those and Linux' own. */
export function linuxLibc(): Linux {
  linux ??= openLinux();
  return linux;
}

/** `errno` of the last call of this thread. Read it at once: anything in between may change it. */
export function errno(): number {
  const location =
    process.platform === "linux" ? linuxLibc().__errno_location() : (mac ??= openMac()).__error();
  return location === null ? 0 : read.i32(location as Pointer, 0);
}

/** Text as C wants it: UTF-8 with a NUL at the end. The caller keeps the buffer alive during the call. */
export const cString = (text: string): Uint8Array => Buffer.from(`${text}\0`, "utf8");

function openLinux() {
  let failure: unknown;
  for (const name of LINUX_NAMES) {
    try {
      return dlopen(name, LINUX_FUNCTIONS).symbols;
    } catch (error) {
      failure = error;
    }
  }
  throw new Error("No C library could be opened.", { cause: failure });
}

function openMac() {
  return dlopen("libSystem.B.dylib", MAC_FUNCTIONS).symbols;
}
