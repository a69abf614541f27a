import { Command, CommanderError } from "commander";
import { AppError } from "../shared/errors.ts";
import { VERSIONS } from "../shared/version.ts";
import { printVersion } from "./version.ts";
import type { Flags } from "../config.ts";
import { serve } from "./serve.ts";

/** Exit codes of every command. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/**
 * Parses the arguments, runs the one command that they name, and answers the exit code. Errors go to stderr, in one
 * sentence each.
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
      code = await serve(flags, args);
    });

  program
    .command("version")
    .description("print the versions of the release, the SDK, the API, the schema and the wire format")
    .action(printVersion);

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
