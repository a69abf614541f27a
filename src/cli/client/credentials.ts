import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileWhole } from "../../shared/whole-file.ts";
import { CommandError } from "../command-error.ts";

/** A login that is kept between commands. */
export interface Credentials {
  /** Origin of the server; see `serverUrl`. */
  readonly url: string;
  /** Of a session, or an API key. */
  readonly token: string;
}

const fileIn = (directory: string): string => join(directory, "credentials.toml");

/**
 * @param directory of the configuration, as `clientEnvironment` tells it
 * @returns null when there are none
 * @throws CommandError for a file that cannot be read
 */
export function readCredentials(directory: string): Credentials | null {
  const path = fileIn(directory);
  try {
    const { url, token } = Bun.TOML.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    if (typeof url === "string" && typeof token === "string") return { url, token };
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      if (error.code === "ENOENT") return null;
      throw new CommandError(`${path} cannot be read: ${error.message}.`);
    }
  }
  throw new CommandError(`${path} does not hold a login (url and token). Run \`picloud login\` again.`);
}

/** Keeps a login, for this user's eyes only. @returns the file's path */
export function writeCredentials(directory: string, { url, token }: Credentials): string {
  const path = fileIn(directory);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // A JSON string is a TOML string as well.
    const text = `# Made by \`picloud login\`. Whoever has the token can act as you.\nurl = ${JSON.stringify(url)}\ntoken = ${JSON.stringify(token)}\n`;
    writeFileWhole(path, text, { mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`The login cannot be kept in ${path}: ${reason}.`, undefined, cause);
  }
  return path;
}

/** Whether there was anything to forget. */
export function removeCredentials(directory: string): boolean {
  const path = fileIn(directory);
  try {
    rmSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
