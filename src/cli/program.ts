import { Command, CommanderError } from "commander";
import { AppError } from "../shared/errors.ts";
import { VERSIONS } from "../shared/version.ts";
import type { Flags } from "../config.ts";
import { EXIT } from "./exit.ts";
import type { RunFlags } from "./run.ts";

/**
 * Parses the arguments, runs the one command that they name, and answers the exit code. Errors go to stderr, in one
 * sentence each. A command's module is imported when it runs: `picloud run` does not wait for the server to load.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const program = new Command("picloud")
    .description("Serverless on hardware you own: upload a Rhai script, get an HTTP endpoint.")
    .version(VERSIONS.product, "-V, --version", "print the version number")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .showHelpAfterError("(picloud --help lists the commands)")
    .exitOverride();
  let code: number = EXIT.ok;

  program
    .command("serve")
    .description("run the server: control plane, HTTP ingress and executor in one process")
    .option("--listen <host:port>", "address to listen on (PICLOUD_LISTEN; default 0.0.0.0:8080)")
    .option("--data-dir <dir>", "directory for all state (PICLOUD_DATA_DIR)")
    .option("--database-url <url>", "use this PostgreSQL instead of the embedded one (DATABASE_URL)")
    .action(async (flags: Flags) => {
      const { serve } = await import("./serve.ts");
      code = await serve(flags, args);
    });

  program
    .command("run")
    .description("run a script here, without a server, and print what it answers")
    .argument("<file>", "the script; - reads it from stdin")
    .option("--body <json>", "ctx.request.body: JSON, @FILE with JSON, or - for stdin")
    .option("--param <name=value>", "an entry of ctx.request.params; may be repeated", collect, [])
    .action(async (file: string, flags: RunFlags) => {
      const { run } = await import("./run.ts");
      code = await run(file, flags);
    });

  program
    .command("check")
    .description("compile scripts without running them, and report what is wrong")
    .argument("<file...>", "scripts, folders with *.rhai files, or - for stdin")
    .action(async (files: string[]) => {
      const { check } = await import("./check.ts");
      code = await check(files);
    });

  program
    .command("fmt")
    .description("format scripts in place, and print the names of those that changed")
    .argument("<file...>", "scripts, folders with *.rhai files, or - for stdin to stdout")
    .option("--check", "change nothing; list what would change and exit with 1 if anything would")
    .action(async (files: string[], flags: { readonly check?: boolean }) => {
      const { fmt } = await import("./fmt.ts");
      code = await fmt(files, flags);
    });

  program
    .command("repl")
    .description("try out the language: reads Rhai, runs it, shows the value")
    .action(async () => {
      const { repl } = await import("./repl.ts");
      code = await repl();
    });

  program
    .command("version")
    .description("print the versions of the release, the SDK, the API, the schema and the wire format")
    .action(async () => {
      const { printVersion } = await import("./version.ts");
      printVersion();
    });

  try {
    await program.parseAsync(args.length === 0 ? ["--help"] : [...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`picloud: ${error.message}\n`);
    return error.code === "invalid_configuration" ? EXIT.usage : EXIT.failure;
  }
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
