import { NONE, type Pos } from "../syntax/position.ts";
import type { Result } from "./calls.ts";
import { RhaiError } from "./errors.ts";
import { constantAssigned, functionNotFound, innermost, unboundThis, variableNotFound } from "./faults.ts";
import { toDisplayValue } from "./format.ts";
import type { Run } from "./run.ts";
import { copyValue, RhaiMap, type Value } from "./values.ts";

/** What `throw`, `catch` and code that cannot go on come to. */

/** The error of a `throw`. */
export function thrown(run: Run, value: Value, pos: Pos): RhaiError {
  const shown = value === undefined || value === "" ? "" : toDisplayValue(value, run.limits.maxStringSize);
  const message = value === undefined || value === "" ? "Runtime error" : `Runtime error: ${shown}`;
  return new RhaiError("ErrorRuntime", message, pos, { value });
}

/** What `catch (e)` binds: the thrown value, or a map that tells about the error. */
export function errorValue(error: RhaiError): Value {
  const inner = innermost(error);
  if (inner.kind === "ErrorRuntime") return copyValue(inner.data["value"]);
  const entries = new Map<string, Value>();
  entries.set("message", error.text);
  const { pos } = error;
  if (pos !== NONE) {
    entries.set("line", Math.floor(pos / 65536));
    entries.set("position", pos % 65536);
  }
  entries.set("error", error.kind);
  for (const [key, value] of Object.entries(error.data)) entries.set(key, copyValue(value));
  return RhaiMap.of(entries);
}

/** What leaves a handler: a `throw` without value means the error that was caught, at the new place. */
export function rethrown(second: unknown, first: RhaiError): unknown {
  if (!(second instanceof RhaiError) || second.kind !== "ErrorRuntime" || second.inner !== null)
    return second;
  if (second.data["value"] !== undefined) return second;
  first.pos = second.pos;
  return first;
}

export const failing = {
  unbound(pos: Pos): never {
    throw unboundThis(pos);
  },
  noVariable(name: string, pos: Pos): never {
    throw variableNotFound(name, pos);
  },
  constantAssigned(name: string, pos: Pos): never {
    throw constantAssigned(name, pos);
  },
  notFound(name: string, args: Value[], pos: Pos): never {
    throw functionNotFound(name, args, pos);
  },
  tooManyVariables(pos: Pos): never {
    throw new RhaiError("ErrorTooManyVariables", "Too many variables defined", pos);
  },
  noEval(pos: Pos): never {
    throw new RhaiError("ErrorRuntime", "Runtime error: eval is switched off", pos, {
      value: "eval is switched off",
    });
  },
  /** A promise where none was expected is a fault of the analysis; it must never become a value. */
  sync(value: Result): Value {
    if (value instanceof Promise) {
      value.catch(() => undefined);
      throw new RhaiError("ErrorSystem", "a call suspended where that was not foreseen");
    }
    return value;
  },
};
