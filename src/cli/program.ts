import { Argument, Command, CommanderError, Option } from "commander";
import { basename } from "node:path";
import { AppError } from "../shared/errors.ts";
import { VERSIONS } from "../shared/version.ts";
import type { Flags } from "../config.ts";
import { FORMATS } from "./client/formats.ts";
import { visible } from "./client/visible.ts";
import { CommandError, usageError } from "./command-error.ts";
import { CLIENT_COMMANDS } from "./commands/index.ts";
import { EXIT } from "./exit.ts";
import { isClosedPipe, write } from "./output.ts";
import type { Shell } from "./completions/index.ts";
import type { IdleProofFlags } from "./idle-proof/index.ts";
import type { ResetFlags } from "./reset-password.ts";
import type { RunFlags } from "./run.ts";

/** What the program is called: `pic` through a link of that name, else `picloud`. */
const programName = (): string => (basename(process.argv0) === "pic" ? "pic" : "picloud");

/**
 * Parses the arguments, runs the one command that they name, and answers the exit code. Errors go to stderr, in one
 * sentence each. A command's module is imported when it runs: `picloud run` does not wait for the server to load.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const program = localCommands(args, (exit) => {
    code = exit;
  });
  await clientCommands(program, (name) => args.includes(name));
  try {
    await program.parseAsync(args.length === 0 ? ["--help"] : [...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    // The reader of our output has gone, as `head` does.
    if (isClosedPipe(error)) return EXIT.ok;
    if (error instanceof CommandError) {
      const prefix = error.message.startsWith("HTTP ") ? "" : `${program.name()}: `;
      process.stderr.write(`${prefix}${visible(error.message)}\n`);
      return error.exit;
    }
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${program.name()}: ${error.message}\n`);
    return error.code === "invalid_configuration" ? EXIT.usage : EXIT.failure;
  }
}

/** All commands with all that belongs to them, for completions. */
export async function wholeProgram(): Promise<Command> {
  const program = localCommands([], () => {});
  await clientCommands(program, () => true);
  return program;
}

/** Adds the commands that talk to a server; only those that are wanted get more than their name and description. */
async function clientCommands(program: Command, isWanted: (name: string) => boolean): Promise<void> {
  program.commandsGroup("With a server:");
  for (const { name, description, load } of CLIENT_COMMANDS) {
    const command = program.command(name).description(description);
    command.configureHelp({ showGlobalOptions: true }).helpCommand(false);
    if (isWanted(name)) (await load())(command);
    // The long description is for its own help.
    command.summary(description);
  }
}

/** The program with the commands that need no server. @param done told the exit code */
function localCommands(args: readonly string[], done: (exit: number) => void): Command {
  const program = new Command(programName())
    .description("Serverless on hardware you own: upload a Rhai script, get an HTTP endpoint.")
    .version(VERSIONS.product, "-V, --version", "print the version number")
    .addOption(
      new Option(
        "-o, --output <format>",
        "how a server's data is printed; default: table on a terminal, else tsv",
      ).choices(FORMATS),
    )
    .option("--url <url>", "the server (PICLOUD_URL; default: where you signed in)")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .showHelpAfterError(`(${programName()} --help lists the commands)`)
    .exitOverride()
    .commandsGroup("On this machine:")
    .hook("preAction", (root, command) => {
      const given = Object.keys(root.opts())[0];
      if (given !== undefined && !isClient(command)) {
        throw usageError(`--${given} is for the commands that talk to a server; ${command.name()} does not.`);
      }
    });

  program
    .command("serve")
    .description("run the server: control plane, HTTP ingress and executor in one process")
    .option("--listen <host:port>", "address to listen on (PICLOUD_LISTEN; default 0.0.0.0:8080)")
    .option("--data-dir <dir>", "directory for all state (PICLOUD_DATA_DIR)")
    .option("--database-url <url>", "use this PostgreSQL instead of the embedded one (DATABASE_URL)")
    .action(async (flags: Flags) => {
      const { serve } = await import("./serve.ts");
      done(await serve(flags, args));
    });

  program
    .command("rotate-key")
    .description(
      "seal all secrets with the current PICLOUD_SECRET_KEY; the one before is in PICLOUD_SECRET_KEYS_OLD",
    )
    .option("--data-dir <dir>", "directory for all state (PICLOUD_DATA_DIR)")
    .option("--database-url <url>", "the PostgreSQL, if it is not the embedded one (DATABASE_URL)")
    .action(async (flags: Flags) => {
      const { rotateKey } = await import("./rotate-key.ts");
      done(await rotateKey(flags));
    });

  program
    .command("idle-proof")
    .description(
      "measure what the server on this machine costs at rest; exit code 1 when it is above the budget, 2 when nothing can be measured",
    )
    .argument("[duration]", "how long: 20s, 1m, 60", "60s")
    .option("--data-dir <dir>", "the server's directory (PICLOUD_DATA_DIR)")
    .option("--database-url <url>", "its PostgreSQL, if it is not the embedded one (DATABASE_URL)")
    .option("--no-wait", "measure at once, also when it is not at rest")
    .option("--json", "print JSON")
    .action(async (duration: string, flags: IdleProofFlags) => {
      const { idleProof } = await import("./idle-proof/index.ts");
      done(await idleProof(duration, flags));
    });

  program
    .command("run")
    .description("run a script here, without a server, and print what it answers")
    .argument("<file>", "the script; - reads it from stdin")
    .option("--body <json>", "ctx.request.body: JSON, @FILE with JSON, or - for stdin")
    .option("--param <name=value>", "an entry of ctx.request.params; may be repeated", collect, [])
    .action(async (file: string, flags: RunFlags) => {
      const { run } = await import("./run.ts");
      done(await run(file, flags));
    });

  program
    .command("check")
    .description("compile scripts without running them, and report what is wrong")
    .argument("<file...>", "scripts, folders with *.rhai files, or - for stdin")
    .action(async (files: string[]) => {
      const { check } = await import("./check.ts");
      done(await check(files));
    });

  program
    .command("fmt")
    .description("format scripts in place, and print the names of those that changed")
    .argument("<file...>", "scripts, folders with *.rhai files, or - for stdin to stdout")
    .option("--check", "change nothing; list what would change and exit with 1 if anything would")
    .action(async (files: string[], flags: { readonly check?: boolean }) => {
      const { fmt } = await import("./fmt.ts");
      done(await fmt(files, flags));
    });

  program
    .command("repl")
    .description("try out the language: reads Rhai, runs it, shows the value")
    .action(async () => {
      const { repl } = await import("./repl.ts");
      done(await repl());
    });

  program
    .command("sdk")
    .description("print what scripts can use: ctx and every function, with examples")
    .option("--json", "as data for editors")
    .action(async (flags: { readonly json?: boolean }) => {
      const { printSdk } = await import("./sdk.ts");
      printSdk(flags);
    });

  const admin = program.command("admin").description("for whoever is at the machine itself");
  admin
    .command("reset-password")
    .description("give a user a new password and close their sessions; the server may be running")
    .argument("<username>")
    .option("--password-stdin", "read the new password from stdin; without it one is made and printed")
    .option("--data-dir <dir>", "directory for all state (PICLOUD_DATA_DIR)")
    .option("--database-url <url>", "the server's own PostgreSQL, if it has one (DATABASE_URL)")
    .action(async (username: string, flags: ResetFlags) => {
      const { resetPasswordOf } = await import("./reset-password.ts");
      done(await resetPasswordOf(username, flags));
    });

  program
    .command("version")
    .description("print the versions of the release, the SDK, the API, the schema and the wire format")
    .action(async () => {
      const { printVersion } = await import("./version.ts");
      printVersion();
    });

  program
    .command("completions")
    .description("print what makes a shell complete these commands")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", COMPLETIONS_HELP)
    .action(async (shell: Shell) => {
      const { completions } = await import("./completions/index.ts");
      write("stdout", completions(await wholeProgram(), shell));
    });
  return program;
}

const COMPLETIONS_HELP = `
  bash  picloud completions bash > ~/.local/share/bash-completion/completions/picloud
  zsh   picloud completions zsh > "\${fpath[1]}/_picloud"
  fish  picloud completions fish > ~/.config/fish/completions/picloud.fish`;

/** Whether a command, or the one that it belongs to, talks to a server. */
function isClient(command: Command): boolean {
  if (command.parent === null) return false;
  return CLIENT_COMMANDS.some(({ name }) => name === command.name()) || isClient(command.parent);
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
