import { RhaiError } from "../runtime/errors.ts";
import { isSystemError } from "../runtime/faults.ts";
import type { NativeContext } from "../runtime/native.ts";
import type { FnPtr, Value } from "../runtime/values.ts";
import { type Eventual, rescue } from "./callbacks.ts";

/** Whether functions that do not report the failure of a comparer pass over this error; never over limits and exit. */
export function isSwallowed(error: unknown): boolean {
  return error instanceof RhaiError && !isSystemError(error);
}

/** Calls a comparer whose failure is not reported; () then. */
export function callSwallowing(
  context: NativeContext,
  comparer: FnPtr,
  args: readonly Value[],
): Eventual<Value> {
  return rescue(
    () => context.call(comparer, args),
    (error) => {
      if (isSwallowed(error)) return undefined;
      throw error;
    },
  );
}
