import { diagnosticsText } from "./diagnostics.ts";
import { eachFile } from "./each-file.ts";
import { compileLocally } from "./local.ts";
import { write } from "./output.ts";
import { nameOf, readText } from "./source-files.ts";

/**
 * `picloud check FILE…`: compiles without running. What is wrong goes to stderr, and so does a summary.
 * @returns the exit code: 1 when any file does not compile or cannot be read
 */
export async function check(args: readonly string[]): Promise<number> {
  const { exit, files, failed } = await eachFile(args, async (path) => {
    const result = compileLocally(await readText(path));
    if (!result.ok) write("stderr", diagnosticsText(nameOf(path), result.diagnostics));
    return result.ok;
  });
  const count = `${files} ${files === 1 ? "file" : "files"}`;
  write(
    "stderr",
    failed === 0 ? `${count} checked, no errors\n` : `${count} checked, ${failed} with errors\n`,
  );
  return exit;
}
