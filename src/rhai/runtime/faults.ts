import { NONE, type Pos } from "../syntax/position.ts";
import { type ErrorKind, RhaiError } from "./errors.ts";
import { signature, typeName } from "./type-name.ts";
import type { Value } from "./values.ts";

/** Makers of the official errors: kind, text and the members that a script sees in a caught error. */

export function functionNotFound(name: string, args: readonly Value[], pos: Pos): RhaiError {
  const text = signature(name, args);
  return new RhaiError("ErrorFunctionNotFound", `Function not found: ${text}`, pos, { function: text });
}

export function variableNotFound(name: string, pos: Pos): RhaiError {
  return new RhaiError("ErrorVariableNotFound", `Variable not found: ${name}`, pos, { variable: name });
}

export function moduleNotFound(name: string, pos: Pos): RhaiError {
  return new RhaiError("ErrorModuleNotFound", `Module not found: ${name}`, pos, { module: name });
}

export function mismatch(requested: string, actual: string, pos: Pos): RhaiError {
  return new RhaiError(
    "ErrorMismatchDataType",
    `Data type incorrect: ${actual} (expecting ${requested})`,
    pos,
    {
      requested,
      actual,
    },
  );
}

export function constantAssigned(name: string, pos: Pos): RhaiError {
  return new RhaiError("ErrorAssignmentToConstant", `Cannot modify constant ${name}`, pos, {
    variable: name,
  });
}

export function impureOnConstant(name: string, pos: Pos): RhaiError {
  return new RhaiError("ErrorNonPureMethodCallOnConstant", impureText(name), pos, { function: name });
}

function impureText(name: string): string {
  if (name === "index$get") return "Non-pure indexer cannot be accessed on constant";
  if (name === "index$set") return "Cannot assign to indexer of constant";
  if (name.startsWith("get$")) return `Non-pure property ${name.slice(4)} cannot be accessed on constant`;
  if (name.startsWith("set$")) return `Cannot modify property '${name.slice(4)}' of constant`;
  return `Non-pure method '${name}' cannot be called on constant`;
}

export function dataRace(variable: string, pos: Pos): RhaiError {
  const text = variable === "" ? "Data race detected" : `Data race detected on variable '${variable}'`;
  return new RhaiError("ErrorDataRace", text, pos, { variable });
}

export function noGetter(property: string, target: Value, pos: Pos): RhaiError {
  const text = `Unknown property '${property}' - a getter is not registered for type '${typeName(target)}'`;
  return new RhaiError("ErrorDotExpr", text, pos, { property: text });
}

export function noSetter(property: string, target: Value, value: Value, pos: Pos): RhaiError {
  const text = `No writable property '${property}' - a setter is not registered for type '${typeName(target)}' to handle '${typeName(value)}'`;
  return new RhaiError("ErrorDotExpr", text, pos, { property: text });
}

export function noIndexer(target: Value, index: Value, value: Value | null, pos: Pos): RhaiError {
  const text = `${typeName(target)} [${typeName(index)}]${value === null ? "" : ` = ${typeName(value)}`}`;
  return new RhaiError("ErrorIndexingType", `Indexer unavailable: ${text}`, pos, { type: text });
}

export function arrayBounds(length: number, index: number | bigint, pos: Pos): RhaiError {
  const size =
    length === 0
      ? "array is empty"
      : length === 1
        ? "only 1 element in array"
        : `only ${length} elements in array`;
  return bounds("ErrorArrayBounds", `Array index ${index} out of bounds: ${size}`, length, index, pos);
}

export function stringBounds(length: number, index: number | bigint, pos: Pos): RhaiError {
  const size =
    length === 0
      ? "string is empty"
      : length === 1
        ? "only 1 character in string"
        : `only ${length} characters in string`;
  return bounds("ErrorStringBounds", `String index ${index} out of bounds: ${size}`, length, index, pos);
}

export function bitBounds(index: number | bigint, pos: Pos): RhaiError {
  return bounds(
    "ErrorBitFieldBounds",
    `Bit-field index ${index} out of bounds: only 64 bits in bit-field`,
    64,
    index,
    pos,
  );
}

function bounds(kind: ErrorKind, text: string, length: number, index: number | bigint, pos: Pos): RhaiError {
  return new RhaiError(kind, text, pos, { length, index });
}

export function stackOverflow(pos: Pos): RhaiError {
  return new RhaiError("ErrorStackOverflow", "Stack overflow", pos);
}

export function dataTooLarge(what: string, pos: Pos): RhaiError {
  return new RhaiError("ErrorDataTooLarge", `${what} too large`, pos, { type: what });
}

export function unboundThis(pos: Pos): RhaiError {
  return new RhaiError("ErrorUnboundThis", "'this' not bound", pos);
}

/** The script error for a limit of JavaScript itself (a stack used up, data too long), or null. */
export function hostLimit(thrown: unknown): RhaiError | null {
  if (!(thrown instanceof RangeError)) return null;
  return thrown.message.includes("call stack") ? stackOverflow(NONE) : dataTooLarge("Data", NONE);
}

/** Gives the error a position unless it has one. */
export function fillPosition(thrown: unknown, pos: Pos): unknown {
  const error = hostLimit(thrown) ?? thrown;
  if (error instanceof RhaiError && error.pos === NONE) error.pos = pos;
  return error;
}

const SYSTEM: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  "ErrorSystem",
  "ErrorParsing",
  "ErrorCustomSyntax",
  "ErrorTooManyOperations",
  "ErrorTooManyVariables",
  "ErrorTooManyModules",
  "ErrorStackOverflow",
  "ErrorDataTooLarge",
  "ErrorTerminated",
  "ErrorDeadline",
  "ErrorMemory",
  "ErrorCancelled",
]);

/** Errors that no script can catch, and that pass through function calls unwrapped. */
export const isSystemError = (error: RhaiError): boolean => SYSTEM.has(error.kind);

/** The error at the bottom of nested function calls. */
export function innermost(error: RhaiError): RhaiError {
  let current = error;
  while (current.inner !== null) current = current.inner;
  return current;
}

/** `error` as it looks from outside of a call to `name` at `pos`. */
export function inCall(error: RhaiError, name: string, pos: Pos): RhaiError {
  const where = name.startsWith("anon$") ? "in closure call" : `in call to function '${name}'`;
  return new RhaiError(
    "ErrorInFunctionCall",
    `${error.message}\n${where}`,
    pos,
    { function: name, source: "" },
    error,
  );
}
