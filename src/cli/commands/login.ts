import type { Command } from "commander";
import { clientEnvironment } from "../../config.ts";
import { createApi } from "../client/api.ts";
import { ApiError } from "../client/api-error.ts";
import { writeCredentials } from "../client/credentials.ts";
import { createPrinter } from "../client/printer.ts";
import { createPrompt, type Prompt } from "../client/prompt.ts";
import { DEFAULT_URL, serverUrl } from "../client/server-url.ts";
import { targetOf, type GlobalFlags } from "../client/session.ts";
import type { Me } from "./whoami.ts";

interface LoginFlags extends GlobalFlags {
  readonly username?: string;
  readonly token?: string;
}

/** `picloud login`: keeps a token that the server accepts. */
export function define(command: Command): void {
  command
    .option("--username <name>", "asked for when it is not given; the password always is")
    .option("--token <token>", "keep this API key or token instead of signing in (or PICLOUD_TOKEN)")
    .addHelpText(
      "after",
      "\nWithout a terminal, what is not given is read from stdin: [URL,] username, password, a line each.",
    )
    .action(async (_flags: LoginFlags, self: Command) => {
      const flags = self.optsWithGlobals<LoginFlags>();
      const print = createPrinter(flags.output);
      const prompt = createPrompt();
      const environment = clientEnvironment();
      const url = await chooseUrl(flags.url, prompt);
      const given = flags.token ?? environment.token;
      const token = given ?? (await signIn(url, flags.username, prompt));
      const me = await createApi(url, token).get<Me>("/auth/me");
      const file = writeCredentials(environment.directory, { url, token });
      print.note(
        `Signed in to ${url} as ${me.username} (${me.instance_role}). The login is kept in ${file}.`,
      );
    });
}

async function chooseUrl(given: string | undefined, prompt: Prompt): Promise<string> {
  const named = given ?? clientEnvironment().url;
  if (named !== null) return serverUrl(named);
  const usual = known() ?? DEFAULT_URL;
  if (prompt.isTerminal) return serverUrl(await prompt.ask(`URL [${usual}]: `, usual));
  const next = await prompt.peek();
  return next !== undefined && /^https?:\/\//i.test(next) ? serverUrl(await prompt.ask("URL")) : usual;
}

/** The server of the login before, if its file can be read. */
function known(): string | null {
  try {
    return targetOf(undefined).url;
  } catch {
    return null;
  }
}

/** How often a person may try. */
const ATTEMPTS = 3;

async function signIn(url: string, name: string | undefined, prompt: Prompt): Promise<string> {
  const api = createApi(url, null);
  const username = name ?? (await prompt.ask("Username: "));
  for (let attempt = 1; ; attempt++) {
    const password = await prompt.askSecret(`Password for ${username}: `);
    try {
      const { token } = await api.post<{ readonly token: string }>("/auth/login", { username, password });
      return token;
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401;
      if (!isRefused || !prompt.isTerminal || attempt === ATTEMPTS) throw error;
      process.stderr.write("Wrong username or password.\n");
    }
  }
}
