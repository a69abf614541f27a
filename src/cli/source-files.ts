import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../shared/errors.ts";

/** The argument that stands for stdin, and what stdin is called in messages. */
export const STDIN = "-";
const STDIN_NAME = "(stdin)";

/** What an argument is called in messages. */
export const nameOf = (path: string): string => (path === STDIN ? STDIN_NAME : path);

/**
 * The files that an argument stands for: itself, or all `*.rhai` below it when it is a folder, in order.
 * @throws AppError when there is nothing of that name, or no script in the folder
 */
export function filesOf(argument: string): readonly string[] {
  if (argument === STDIN || !readable(argument, () => statSync(argument)).isDirectory()) return [argument];
  const below = readable(argument, () => readdirSync(argument, { recursive: true, withFileTypes: true }));
  const files = below
    .filter((entry) => entry.isFile() && entry.name.endsWith(".rhai"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  if (files.length === 0) throw unreadable(argument, "there is no .rhai file in this folder");
  return files;
}

/**
 * The text of a file, or of stdin.
 * @throws AppError that names the file when it cannot be read or is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(nameOf(path), "this is not UTF-8 text", cause);
  }
}

/** The content of a file, or of stdin. @throws AppError that names the file when it cannot be read */
export async function readBytes(path: string): Promise<Uint8Array> {
  return path === STDIN ? Bun.stdin.bytes() : readable(path, () => readFileSync(path));
}

/** Why a file could not be read, in a few words, by the system's code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "this is a folder, not a file",
};

function readable<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw unreadable(path, REASONS[String(error.code)] ?? error.message, error);
  }
}

const unreadable = (name: string, why: string, cause?: unknown): AppError =>
  new AppError(500, "unreadable_file", `${name}: ${why}.`, { cause });
