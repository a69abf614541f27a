import { realpathSync, statSync } from "node:fs";
import { format } from "../rhai/index.ts";
import { writeFileWhole } from "../shared/whole-file.ts";
import { AppError } from "../shared/errors.ts";
import { diagnosticsText } from "./diagnostics.ts";
import { eachFile } from "./each-file.ts";
import { write } from "./output.ts";
import { nameOf, readText, STDIN } from "./source-files.ts";

/**
 * `picloud fmt FILE…`: formats in place and prints the names of the files that changed. Stdin is formatted to stdout.
 * A file that does not parse is reported and left as it is.
 * @param options.check change nothing; print what would change, which is then a failure
 * @returns the exit code
 */
export async function fmt(args: readonly string[], options: { readonly check?: boolean }): Promise<number> {
  const { exit } = await eachFile(args, async (path) => {
    const source = await readText(path);
    const result = format(source);
    if (!result.ok) {
      write("stderr", diagnosticsText(nameOf(path), result.diagnostics));
      return false;
    }
    const changed = result.text !== source;
    if (options.check === true) {
      if (changed) write("stdout", `${nameOf(path)}\n`);
      return !changed;
    }
    if (path === STDIN) write("stdout", result.text);
    else if (changed) {
      replace(path, result.text);
      write("stdout", `${path}\n`);
    }
    return true;
  });
  return exit;
}

/** Others see the old file or the new one. Links, permissions and owner stay. */
function replace(path: string, text: string): void {
  try {
    const real = realpathSync(path);
    const { mode, uid, gid } = statSync(real);
    const owner = process.getuid?.() === 0 ? { owner: { uid, gid } } : {};
    writeFileWhole(real, text, { mode: mode & 0o7777, ...owner });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new AppError(500, "unwritable_file", `${path}: cannot be written: ${cause.message}.`, { cause });
  }
}
