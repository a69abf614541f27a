import type { Command } from "commander";
import { clientEnvironment } from "../../config.ts";
import { ADMIN, createApi } from "../client/api.ts";
import { readCredentials, removeCredentials, type Credentials } from "../client/credentials.ts";
import { createPrinter } from "../client/printer.ts";
import { CommandError } from "../command-error.ts";

/** `picloud logout`: ends the login on the server and forgets it here. Without a login it does nothing. */
export function define(command: Command): void {
  command.action(async () => {
    const print = createPrinter(undefined);
    const { directory, token } = clientEnvironment();
    const kept = readable(directory);
    // Forgotten first: whatever the server says, this machine must not be able to act as the user any more.
    const isRemoved = removeCredentials(directory);
    if (kept !== null) {
      try {
        await createApi(kept.url, kept.token).send("POST", `${ADMIN}/auth/logout`);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        print.note(
          `The login is forgotten here, but may live on at the server until it expires: ${error.message}`,
        );
        return;
      }
    }
    if (kept?.token.startsWith("pic_") === true)
      print.note("The API key is forgotten here; it stays valid. `picloud api-keys rm` revokes it.");
    else print.note(isRemoved ? "Signed out." : "Nobody was signed in.");
    if (token !== null) print.note("PICLOUD_TOKEN is set and stays in use.");
  });
}

/** The kept login; null when there is none, or none that makes sense. */
function readable(directory: string): Credentials | null {
  try {
    return readCredentials(directory);
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}
