import { EXIT } from "./exit.ts";

/** Why a command ends with something else than success: a text for stderr, and its exit code. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly exit: number;

  constructor(message: string, exit: number = EXIT.failure, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exit = exit;
  }
}

export const usageError = (message: string): CommandError => new CommandError(message, EXIT.usage);
