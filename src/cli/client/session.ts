import type { Command } from "commander";
import { clientEnvironment } from "../../config.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { createApi, type Api } from "./api.ts";
import { readCredentials } from "./credentials.ts";
import type { Format } from "./formats.ts";
import { createPrinter, type Printer } from "./printer.ts";
import { serverUrl } from "./server-url.ts";

/** What the commands that talk to a server work with. */
export interface Session {
  readonly api: Api;
  readonly print: Printer;
}

/** Options of the program that every command of the client takes. */
export interface GlobalFlags {
  readonly output?: Format;
  readonly url?: string;
}

/** The server and the token that a command uses. A kept token is for the server that gave it, and for no other. */
export interface Target {
  /** Null: none was ever named. */
  readonly url: string | null;
  readonly token: string | null;
}

/** @param given the flag --url, which wins over PICLOUD_URL, which wins over the kept login */
export function targetOf(given: string | undefined): Target {
  const environment = clientEnvironment();
  const named = given ?? environment.url;
  const kept = environment.token !== null && named !== null ? null : readCredentials(environment.directory);
  const url = named === null ? (kept?.url ?? null) : serverUrl(named);
  const token = environment.token ?? (kept !== null && kept.url === url ? kept.token : null);
  return { url, token };
}

/**
 * The session of a command.
 * @param options.anonymous whether it makes sense without a login
 * @throws CommandError 3 when nobody is logged in
 */
export function openSession(command: Command, options: { readonly anonymous?: boolean } = {}): Session {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const { url, token } = targetOf(flags.url);
  if (url === null || (token === null && options.anonymous !== true)) {
    const where = url === null ? "" : ` to ${url}`;
    throw new CommandError(
      `Not logged in${where}. Sign in with \`picloud login${url === null ? "" : ` --url ${url}`}\`, or set ` +
        `${url === null ? "PICLOUD_URL and " : ""}PICLOUD_TOKEN.`,
      EXIT.notAuthenticated,
    );
  }
  return { api: createApi(url, token), print: createPrinter(flags.output) };
}
