import type { Command } from "commander";
import { path } from "../client/api.ts";
import { problemOf } from "../client/api-error.ts";
import { scriptId } from "../client/names.ts";
import { collect, type AppFlag } from "../client/options.ts";
import { bodyOf, headersOf } from "../client/request-options.ts";
import { openSession } from "../client/session.ts";
import { isUuid } from "../../shared/ids.ts";
import { CommandError } from "../command-error.ts";

interface InvokeFlags extends AppFlag {
  readonly body?: string;
  readonly header?: readonly string[];
}

/** A script may take up to 300 s, and wait for its turn before that. */
const TIMEOUT_MS = 330_000;

export const define = defineInvoke;

/** `picloud invoke SCRIPT`: runs the live version on the server and prints the body of its answer. */
export function defineInvoke(command: Command): void {
  command
    .description("run a script on the server and print what it answers")
    .argument("<script>", "its name in the app, or its id")
    .option("--app <app>", "the app, by slug or id", "default")
    .option("--body <body>", "the request's body: the text itself, @FILE, or @- for stdin")
    .option("--header <name:value>", "a header of the request; may be repeated", collect)
    .action(async (script: string, flags: InvokeFlags, self: Command) => {
      const { api, print } = openSession(self, { anonymous: isUuid(script) });
      const id = await scriptId(api, flags.app, script);
      const headers = headersOf(flags.header ?? []);
      const body = flags.body === undefined ? undefined : await bodyOf(flags.body);
      if (body !== undefined && !headers.has("content-type")) headers.set("content-type", typeOf(body));
      const response = await api.exchange("POST", path`/api/v1/execute/${id}`, {
        headers: Object.fromEntries(headers),
        timeoutMs: TIMEOUT_MS,
        ...(body !== undefined && { body }),
      });
      const bytes = await response.bytes();
      const text = new TextDecoder().decode(bytes);
      const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
      if (response.ok || !isProblem) {
        // What a script answers goes through untouched, except that a terminal's prompt gets a line of its own.
        print.bytes(bytes);
        if (process.stdout.isTTY && !text.endsWith("\n")) print.text("\n");
      }
      if (response.ok) return;
      const execution = response.headers.get("x-execution-id");
      const said = isProblem ? problemOf(response, text).message : response.statusText;
      throw new CommandError(
        `HTTP ${response.status}: ${said}${execution === null ? "" : `\nexecution ${execution}`}`,
        EXITS[isProblem ? response.status : 0],
      );
    });
}

/** Of PiCloud's own refusals; whatever a script answers is a failure without further meaning. */
const EXITS: Readonly<Record<number, number>> = { 401: 3, 404: 4 };

/** JSON, other text, or bytes. */
function typeOf(body: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    try {
      JSON.parse(text);
      return "application/json";
    } catch {
      return "text/plain; charset=utf-8";
    }
  } catch {
    return "application/octet-stream";
  }
}
