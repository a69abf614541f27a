import type { Pos } from "../syntax/position.ts";
import type { Result } from "./calls.ts";
import type { DynamicScope } from "./dynamic-scope.ts";
import { RhaiError } from "./errors.ts";
import { inCall } from "./faults.ts";
import { asString } from "./pointer-calls.ts";
import type { Program } from "./program.ts";
import type { Run } from "./run.ts";
import type { Cell, Value } from "./values.ts";

/** `eval`. */

/** `eval(text)` in the scope of the caller. */
export function evaluate(
  run: Run,
  program: Program,
  scope: DynamicScope,
  self: Cell | null,
  source: Value,
  pos: Pos,
): Result {
  const script = asString(source, pos);
  const { depth } = run;
  const wrap = (error: unknown): unknown => {
    const unwound = run.unwind(error, depth);
    if (!(unwound instanceof RhaiError) || unwound.kind === "ErrorTerminated") return unwound;
    return inCall(unwound, "eval", pos);
  };
  try {
    const code = program.evaluate?.(script);
    const run2 = code?.code as unknown as (run: Run, scope: DynamicScope, self: Cell | null) => Result;
    const result = run2(run, scope, self);
    if (result instanceof Promise) {
      return result.catch((error: unknown) => {
        throw wrap(error);
      });
    }
    return result;
  } catch (error) {
    throw wrap(error);
  }
}
