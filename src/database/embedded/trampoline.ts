import { ptr } from "bun:ffi";
import { cString, errno, libc, linuxLibc } from "../../shared/libc.ts";

/** What the trampoline becomes. Handed over as JSON in one argument. */
export interface Launch {
  /** Process id of the launcher; when it is gone already, nothing is launched. */
  readonly parent: number;
  /** Account to change to; null: stay. */
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number } | null;
  /** Absolute path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  /** Entered after the change of user. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The hidden first argument of `picloud` that leads to `trampoline`. */
export const TRAMPOLINE = "__postgres";

const PR_SET_PDEATHSIG = 1;
const SIGINT = 2n;
const EACCES = 13;

/**
 * Turns this process into Postgres: leaves the terminal's process group (Ctrl-C is PiCloud's to handle), drops root,
 * asks the kernel for a SIGINT (Postgres' fast shutdown) when the launcher dies, and replaces itself by the program.
 * The process id stays, so the launcher's child is Postgres itself and nothing stands in between.
 * Returns only on failure, having said why on stderr and set the exit code (126, a shell's "cannot execute").
 * @param args one argument: a Launch as JSON
 */
export function trampoline(args: readonly string[]): void {
  const why = become(JSON.parse(args[0] ?? "null") as Launch | null);
  process.stderr.write(`FATAL:  picloud: ${why}\n`);
  process.exitCode = 126;
}

/** @returns why it failed */
function become(launch: Launch | null): string {
  if (launch === null) return "no launch description was given";
  const { execve, getppid, initgroups, setgid, setsid, setuid } = libc();
  setsid();
  if (launch.user !== null) {
    const { name, uid, gid } = launch.user;
    const account = cString(name);
    if (initgroups(ptr(account), gid) !== 0 || setgid(gid) !== 0 || setuid(uid) !== 0) {
      return `cannot change to user ${name} (uid ${uid}), errno ${errno()}`;
    }
  }
  if (process.platform === "linux") {
    // After the change of user, which clears it. The parent may have died before: then no signal would ever come.
    linuxLibc().prctl(PR_SET_PDEATHSIG, SIGINT, 0n, 0n, 0n);
  }
  try {
    process.chdir(launch.cwd);
  } catch {
    return `cannot enter ${launch.cwd}`;
  }
  if (getppid() !== launch.parent) return "the launcher is gone";

  const strings: Uint8Array[] = [];
  const program = cString(launch.program);
  const args = pointers([launch.program, ...launch.args], strings);
  const env = pointers(
    Object.entries(launch.env).map(([name, value]) => `${name}=${value}`),
    strings,
  );
  execve(ptr(program), ptr(args), ptr(env));
  const hint = errno() === EACCES ? "; is its file system mounted noexec?" : "";
  return `cannot run ${launch.program}, errno ${errno()} (${strings.length} strings)${hint}`;
}

/** A NULL-terminated array of C strings. The strings are put into `keep`, which the caller holds during the call. */
function pointers(values: readonly string[], keep: Uint8Array[]): BigUint64Array {
  const texts = values.map(cString);
  keep.push(...texts);
  return BigUint64Array.from([...texts.map((text) => BigInt(ptr(text))), 0n]);
}
