import { describePosition, NONE, type Pos } from "../syntax/position.ts";
import type { Value } from "./values.ts";

/** The official error variants. */
export type ErrorKind =
  | "ErrorSystem"
  | "ErrorParsing"
  | "ErrorVariableExists"
  | "ErrorForbiddenVariable"
  | "ErrorVariableNotFound"
  | "ErrorPropertyNotFound"
  | "ErrorIndexNotFound"
  | "ErrorFunctionNotFound"
  | "ErrorModuleNotFound"
  | "ErrorInFunctionCall"
  | "ErrorInModule"
  | "ErrorUnboundThis"
  | "ErrorMismatchDataType"
  | "ErrorMismatchOutputType"
  | "ErrorIndexingType"
  | "ErrorArrayBounds"
  | "ErrorStringBounds"
  | "ErrorBitFieldBounds"
  | "ErrorFor"
  | "ErrorDataRace"
  | "ErrorNonPureMethodCallOnConstant"
  | "ErrorAssignmentToConstant"
  | "ErrorDotExpr"
  | "ErrorArithmetic"
  | "ErrorTooManyOperations"
  | "ErrorTooManyVariables"
  | "ErrorTooManyModules"
  | "ErrorStackOverflow"
  | "ErrorDataTooLarge"
  | "ErrorTerminated"
  | "ErrorCustomSyntax"
  | "ErrorRuntime"
  /** Ours, for what the official one leaves to its host: wall clock, memory, cancellation. Never caught by scripts. */
  | "ErrorDeadline"
  | "ErrorMemory"
  | "ErrorCancelled";

/**
 * A run-time error of a script. Not a JavaScript Error, because capturing a JavaScript stack for each would cost
 * more than the script; the script's own trace is in `inner`.
 */
export class RhaiError {
  readonly kind: ErrorKind;
  /** The official message without its position. */
  readonly text: string;
  /** Set later by whoever knows the place, when the thrower did not. */
  pos: Pos;
  /** The thrown value (ErrorRuntime), the exit value (ErrorTerminated), extra members of the caught error map. */
  readonly data: Readonly<Record<string, Value>>;
  /** The error inside the called function or module. */
  readonly inner: RhaiError | null;

  constructor(
    kind: ErrorKind,
    text: string,
    pos: Pos = NONE,
    data: Readonly<Record<string, Value>> = {},
    inner: RhaiError | null = null,
  ) {
    this.kind = kind;
    this.text = text;
    this.pos = pos;
    this.data = data;
    this.inner = inner;
  }

  /** The full official message. */
  get message(): string {
    return this.text + describePosition(this.pos);
  }
}
