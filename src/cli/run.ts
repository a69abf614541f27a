import { basename, dirname } from "node:path";
import { display, parseJson, toJson, type Value } from "../rhai/index.ts";
import { AppError } from "../shared/errors.ts";
import { diagnosticsText } from "./diagnostics.ts";
import { EXIT } from "./exit.ts";
import { compileLocally, FolderModules, localCtx, localRunOptions } from "./local.ts";
import { isClosedPipe, write } from "./output.ts";
import { prettyJson } from "../shared/pretty-json.ts";
import { runErrorPlace, runErrorText } from "./run-error.ts";
import { nameOf, readText, STDIN } from "./source-files.ts";

export interface RunFlags {
  /** JSON, `@file`, or `-` for stdin. */
  readonly body?: string;
  /** `name=value` each. */
  readonly param: readonly string[];
}

/**
 * `picloud run FILE`: runs a script with the limits and the `ctx` that the server would give it, and prints what it
 * answers. Needs no server and no data directory.
 * @returns the exit code: 1 when it does not compile or fails
 * @throws AppError for a file that cannot be read, a body that is not JSON, a parameter without a name
 */
export async function run(file: string, flags: RunFlags): Promise<number> {
  if (file === STDIN && flags.body === STDIN)
    throw misused("Only one of FILE and --body can be read from stdin.");
  const params = paramsOf(flags.param);
  const source = await readText(file);
  const body = flags.body === undefined ? null : await bodyOf(flags.body);

  const compiled = compileLocally(source);
  if (!compiled.ok) {
    write("stderr", diagnosticsText(nameOf(file), compiled.diagnostics));
    return EXIT.failure;
  }
  const scriptName = file === STDIN ? "stdin" : basename(file, ".rhai");
  const modules = new FolderModules(file === STDIN ? "." : dirname(file));
  const ctx = localCtx({ scriptName, params, body });
  try {
    const result = await compiled.script.run(localRunOptions(ctx, modules));
    if (result.ok) {
      write("stdout", resultText(result.value, process.stdout.isTTY === true));
      return EXIT.ok;
    }
    if (result.fault !== undefined) throw result.fault;
    const place = runErrorPlace(result.error, nameOf(file), modules.used);
    write("stderr", `${place}: ${runErrorText(result.error, source, modules.used)}`);
  } catch (error) {
    if (!isClosedPipe(error)) throw error;
  }
  return EXIT.failure;
}

function paramsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw misused(`--param ${pair}: write it as NAME=VALUE.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

async function bodyOf(flag: string): Promise<string> {
  const file = flag === STDIN ? STDIN : flag.startsWith("@") ? flag.slice(1) : null;
  const text = file === null ? flag : await readText(file);
  try {
    parseJson(text);
  } catch (error) {
    const where = file === null ? "--body" : `--body, read from ${nameOf(file)}`;
    throw misused(`${where}: this is not JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
  return text;
}

const misused = (message: string): AppError => new AppError(500, "invalid_configuration", message);

/** Strings as they are, everything else as JSON where JSON can hold it; nothing for (). */
function resultText(value: Value, forPeople: boolean): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value.endsWith("\n") ? value : `${value}\n`;
  try {
    const json = toJson(value);
    return `${forPeople ? prettyJson(json) : json}\n`;
  } catch {
    // Functions, ranges, NaN.
    return `${display(value)}\n`;
  }
}
