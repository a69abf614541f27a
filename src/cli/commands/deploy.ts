import type { Command } from "commander";
import { statSync } from "node:fs";
import { basename } from "node:path";
import { ADMIN, path, type Api } from "../client/api.ts";
import { ApiError } from "../client/api-error.ts";
import type { Script } from "../client/names.ts";
import { collect, type AppFlag } from "../client/options.ts";
import type { Printer } from "../client/printer.ts";
import { openSession } from "../client/session.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { filesOf, nameOf, readText, STDIN } from "../source-files.ts";

interface DeployFlags extends AppFlag {
  readonly name?: string;
  readonly route?: readonly string[];
  readonly method?: string;
  readonly dispatch?: string;
  readonly kind?: string;
  readonly message?: string;
}

/** The answer of `PUT /apps/{app}/scripts/{name}`. */
interface Deployed {
  readonly script: Script;
  readonly version: number;
  readonly urls: readonly string[];
  readonly warnings: readonly { readonly message: string; readonly line?: number }[];
}

export const define = defineDeploy;

/** `picloud deploy FILE|FOLDER`: creates or updates scripts by name; live with the next request. */
export function defineDeploy(command: Command): void {
  command
    .description("create or update a script from a file, or one from each *.rhai of a folder")
    .argument("<file>", "the script, a folder with *.rhai files, or - for stdin (with --name)")
    .option("--app <app>", "the app, by slug or id", "default")
    .option("--name <name>", "the script's name (default: the file's, without .rhai)")
    .option("--route <path>", "bind a path such as /hello, /users/:id or /files/*; may be repeated", collect)
    .option("--method <method>", "the routes answer this HTTP method only")
    .option("--dispatch <mode>", "sync, or async: the caller gets 202 and the script runs afterwards")
    .option("--kind <kind>", "endpoint, or module: for other scripts to import")
    .option("--message <text>", "kept with the version")
    .action(async (file: string, flags: DeployFlags, self: Command) => {
      const session = openSession(self);
      const files = filesOf(file);
      if (isFolder(file) && (flags.name !== undefined || flags.route !== undefined)) {
        throw usageError(
          "--name and --route are for a single script; a folder's routes stand in a picloud.toml (`picloud apply`).",
        );
      }
      if (file === STDIN && flags.name === undefined) throw usageError("A script from stdin needs a --name.");
      refuseTwins(files);
      const { done, refused } = await deployAll(session.api, session.print, files, flags);
      session.print.rows(["name!", "version", "created", "urls!"], done);
      const [first] = refused;
      if (first !== undefined) {
        const count = `${refused.length} of ${files.length} scripts were refused`;
        throw new CommandError(`${count}, see above.`, first.exit);
      }
    });
}

/** Deploys one file after the other. One that the server refuses keeps none of the others back. */
async function deployAll(api: Api, print: Printer, files: readonly string[], flags: DeployFlags) {
  const done: object[] = [];
  const refused: CommandError[] = [];
  for (const file of files) {
    try {
      done.push(await deploy(api, print, file, flags));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const named = new CommandError(`${nameOf(file)}: ${error.message}`, error.exit, error);
      if (files.length === 1 || error.exit !== EXIT.refused) throw named;
      print.note(named.message);
      refused.push(named);
    }
  }
  return { done, refused };
}

async function deploy(api: Api, print: Printer, file: string, flags: DeployFlags): Promise<object> {
  const name = flags.name ?? scriptNameOf(file);
  const query = new URLSearchParams((flags.route ?? []).map((route): [string, string] => ["route", route]));
  for (const key of ["method", "dispatch", "kind", "message"] as const) {
    const value = flags[key];
    if (value !== undefined) query.set(key, value);
  }
  const target = `${ADMIN}${path`/apps/${flags.app}/scripts/${name}`}${query.size === 0 ? "" : `?${query}`}`;
  const answer = await api.send("PUT", target, {
    body: await readText(file),
    headers: { "Content-Type": "text/plain; charset=utf-8" },
  });
  const { version, urls, warnings } = (await answer.json()) as Deployed;
  for (const { message, line } of warnings) {
    print.note(`${nameOf(file)}${line === undefined ? "" : `:${line}`}: warning: ${message}`);
  }
  return { name, version, created: answer.status === 201, urls };
}

const scriptNameOf = (file: string): string => basename(file).replace(/\.rhai$/, "");

/** In different folders two files may have the same name; as scripts they cannot. */
function refuseTwins(files: readonly string[]): void {
  const byName = Map.groupBy(files, scriptNameOf);
  for (const [name, twins] of byName) {
    if (twins.length > 1) throw usageError(`${twins.join(" and ")} would both be the script "${name}".`);
  }
}

function isFolder(file: string): boolean {
  return file !== STDIN && statSync(file).isDirectory();
}
