import { rm } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig, type Flags } from "../config.ts";
import { randomPassword, resetPassword } from "../services/identity/index.ts";
import { AppError } from "../shared/errors.ts";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit.ts";
import { withHostDatabase } from "./host-database.ts";
import { write } from "./output.ts";

export interface ResetFlags extends Pick<Flags, "dataDir" | "databaseUrl"> {
  readonly passwordStdin?: boolean;
}

/**
 * `picloud admin reset-password USERNAME`: for an owner who is locked out, at the machine itself. A password that is
 * made here goes to stdout, everything else to stderr.
 */
export async function resetPasswordOf(username: string, flags: ResetFlags): Promise<number> {
  const config = loadConfig(flags);
  const given = flags.passwordStdin === true ? firstLine(await Bun.stdin.text()) : null;
  const password = given ?? randomPassword();
  const user = await withHostDatabase(config, (db) => resetPassword(db, username, password)).catch(
    (error: unknown) => {
      if (error instanceof AppError && error.status === 404) {
        throw new CommandError(error.message, EXIT.notFound, error);
      }
      throw error instanceof AppError && error.status === 422
        ? new CommandError(error.message, EXIT.refused, error)
        : error;
    },
  );
  await rm(join(config.dataDir, "first-login.txt"), { force: true });
  const notes = [
    `${user.username} has a new password, and is signed out everywhere. API keys stay as they are.`,
  ];
  if (!user.is_active) {
    notes.push(`${user.username} is deactivated, and cannot sign in before an owner or admin changes that.`);
  }
  if (given === null) notes.push("The password, which is shown only here:");
  write("stderr", `${notes.join("\n")}\n`);
  if (given === null) write("stdout", `${password}\n`);
  return EXIT.ok;
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? "";
