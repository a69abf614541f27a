import { AppError } from "../shared/errors.ts";
import { EXIT } from "./exit.ts";
import { write } from "./output.ts";
import { filesOf } from "./source-files.ts";

/**
 * Does something with every file that the arguments stand for. A file that cannot be read is reported, and the others
 * still have their turn.
 * @param work answers whether the file was fine
 */
export async function eachFile(
  args: readonly string[],
  work: (path: string) => Promise<boolean>,
): Promise<{ readonly exit: number; readonly files: number; readonly failed: number }> {
  let files = 0;
  let failed = 0;
  const attempt = async (body: () => Promise<boolean> | boolean): Promise<void> => {
    try {
      if (!(await body())) failed++;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failed++;
      write("stderr", `picloud: ${error.message}\n`);
    }
  };
  for (const arg of args) {
    let paths: readonly string[] = [];
    await attempt(() => {
      paths = filesOf(arg);
      return true;
    });
    files += Math.max(paths.length, 1);
    for (const path of paths) await attempt(() => work(path));
  }
  return { exit: failed === 0 ? EXIT.ok : EXIT.failure, files, failed };
}
