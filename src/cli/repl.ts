import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { stateDirectory } from "../config.ts";
import { formatDiagnostic, type Session, toDebugValue, type Value } from "../rhai/index.ts";
import { VERSIONS } from "../shared/version.ts";
import { EXIT } from "./exit.ts";
import { CONSTANTS, FolderModules, localCtx, localEngine, localRunOptions } from "./local.ts";
import { isClosedPipe, write } from "./output.ts";
import { HISTORY_SIZE, ReplHistory } from "./repl-history.ts";
import { isIncomplete } from "./repl-input.ts";
import { runErrorText } from "./run-error.ts";

const HELP = `Enter Rhai; the value is shown. What is not complete goes on in the next line.
Variables, constants, functions and imports (NAME.rhai in this folder) stay.
The line numbers of errors are those of the prompts.

  :help    show this
  :quit    leave (or Ctrl-D)
  Ctrl-C   drop what was entered
`;

/**
 * `picloud repl`: reads inputs, runs them in one session, shows values on stdout and errors on stderr. On a terminal
 * with line editing and a history; otherwise every line of stdin is read as if it were entered.
 * @returns the exit code: 1 when stdin is no terminal and any input failed
 */
export async function repl(): Promise<number> {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const history = isTerminal ? new ReplHistory(join(stateDirectory(), "repl-history")) : null;
  const lines = createInterface({
    input: process.stdin,
    terminal: isTerminal,
    historySize: HISTORY_SIZE,
    removeHistoryDuplicates: true,
    ...(history === null ? {} : { output: process.stdout, history: history.lines }),
  });
  if (isTerminal) write("stdout", `PiCloud ${VERSIONS.product}. :help tells more, Ctrl-D leaves.\n`);
  const loop = new Loop();
  const prompt = (): void => {
    if (!isTerminal) return;
    lines.setPrompt(loop.prompt);
    lines.prompt();
  };
  lines.on("SIGINT", () => {
    loop.drop();
    clearLine(lines);
    prompt();
  });
  try {
    prompt();
    for await (const line of lines) {
      history?.add(line);
      if (!(await loop.enter(line))) break;
      prompt();
    }
    await loop.end();
  } catch (error) {
    if (!isClosedPipe(error)) throw error;
  } finally {
    lines.close();
  }
  if (isTerminal) write("stdout", "\n");
  return loop.failed && !isTerminal ? EXIT.failure : EXIT.ok;
}

/** Moves on to an empty line. */
function clearLine(lines: Interface): void {
  lines.write(null, { ctrl: true, name: "e" });
  lines.write(null, { ctrl: true, name: "u" });
  write("stdout", "\n");
}

class Loop {
  readonly #session: Session = localEngine().session({ constants: CONSTANTS });
  readonly #modules = new FolderModules(".");
  readonly #ctx: Value = localCtx({ scriptName: "repl", params: {}, body: null });
  #entered: string | null = null;
  /** Whether any input failed. */
  failed = false;

  get prompt(): string {
    const number = `${this.#session.nextLine}> `;
    return this.#entered === null ? number : `${"..".padStart(number.length - 1)} `;
  }

  /** Takes one line. False: it asks to leave. */
  async enter(line: string): Promise<boolean> {
    if (this.#entered === null && line.trimStart().startsWith(":")) return this.#command(line.trim());
    const input = this.#entered === null ? line : `${this.#entered}\n${line}`;
    this.#entered = input;
    const { nextLine } = this.#session;
    if (!isIncomplete(input, nextLine, (text) => this.#session.check(text))) await this.#run(input);
    return true;
  }

  /** Forgets an input that is not complete. */
  drop(): void {
    this.#entered = null;
  }

  /** Nothing more comes: what is not complete is an error. */
  async end(): Promise<void> {
    if (this.#entered !== null) await this.#run(this.#entered);
  }

  #command(name: string): boolean {
    if (name === ":quit" || name === ":q") return false;
    if (name === ":help" || name === ":h") write("stdout", HELP);
    else {
      this.failed = true;
      write("stderr", `There is no command ${name}; :help lists them.\n`);
    }
    return true;
  }

  async #run(input: string): Promise<void> {
    this.#entered = null;
    if (input.trim() === "") return;
    const result = await this.#session.run(input, localRunOptions(this.#ctx, this.#modules));
    if (result.ok) {
      if (result.value !== undefined) write("stdout", `${toDebugValue(result.value)}\n`);
      return;
    }
    this.failed = true;
    if ("diagnostics" in result) {
      for (const diagnostic of result.diagnostics) write("stderr", `${formatDiagnostic(diagnostic)}\n`);
      return;
    }
    if (result.fault !== undefined) throw result.fault;
    write("stderr", runErrorText(result.error, this.#session.source, this.#modules.used));
  }
}
