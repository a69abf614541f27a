import type { Diagnostic, ErrorKind, RhaiError } from "../rhai/index.ts";
import type { RunErrorCode } from "./model.ts";
import type { Failure } from "./protocol.ts";

/** What a script's error means to its caller (CONTRACT 2.9). Kinds that are not here are the script's own: 502. */
const CODES: Partial<Readonly<Record<ErrorKind, RunErrorCode>>> = {
  ErrorDeadline: "timeout",
  ErrorMemory: "budget_exceeded",
  ErrorTooManyOperations: "budget_exceeded",
  ErrorTooManyVariables: "budget_exceeded",
  ErrorTooManyModules: "budget_exceeded",
  ErrorStackOverflow: "budget_exceeded",
  ErrorDataTooLarge: "budget_exceeded",
  ErrorParsing: "compile_error",
  ErrorModuleNotFound: "compile_error",
};

const MAX_MESSAGE = 4096;
const TOO_MUCH_TOGETHER = "All running scripts together use too much memory, and this one the most of it";

/** The place of an error, packed as in `Diagnostic.pos`: line * 65536 + column. */
function placeOf(pos: number): { line?: number; column?: number } {
  return pos === 0 ? {} : { line: Math.floor(pos / 65536), column: pos % 65536 };
}

export function failureOf(error: RhaiError): Failure {
  // What went wrong inside of a called function is wrapped once for each call.
  let cause = error;
  while (cause.inner !== null) cause = cause.inner;
  // The only thing that cancels runs is the bound on the process, on the heap board.
  if (cause.kind === "ErrorCancelled") {
    return { code: "budget_exceeded", message: TOO_MUCH_TOGETHER, ...placeOf(cause.pos || error.pos) };
  }
  const code = CODES[error.kind] ?? CODES[cause.kind] ?? "script_error";
  return { code, message: error.message.slice(0, MAX_MESSAGE), ...placeOf(cause.pos || error.pos) };
}

export function compileFailure(diagnostics: readonly Diagnostic[]): Failure {
  const [first] = diagnostics;
  if (first === undefined) return { code: "compile_error", message: "The script does not compile." };
  return { code: "compile_error", message: first.message.slice(0, MAX_MESSAGE), ...placeOf(first.pos) };
}
