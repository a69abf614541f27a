import { CString, ptr, read, type Pointer } from "bun:ffi";
import { cString, libc } from "../../shared/libc.ts";

/** An account of the operating system. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** By user id. Asks the C library, as accounts may come from elsewhere than /etc/passwd. */
export const accountById = (uid: number): Account | undefined =>
  parse(libc().getpwuid(uid) as Pointer | null);

export function accountByName(name: string): Account | undefined {
  const text = cString(name);
  return parse(libc().getpwnam(ptr(text)) as Pointer | null);
}

/** `struct passwd` begins on all supported systems with: char *name, char *password, uid_t (32 bits), gid_t (32 bits). */
function parse(record: Pointer | null): Account | undefined {
  if (record === null) return undefined;
  const name = new CString(read.ptr(record, 0) as Pointer).toString();
  return { name, uid: read.u32(record, 16), gid: read.u32(record, 20) };
}
