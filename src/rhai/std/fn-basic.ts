import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import type { FnPtr } from "../runtime/values.ts";
import { declare, withGetter } from "./define.ts";

const native = declare("fn_basic");

export const fnBasic: readonly NativeFunction[] = [
  ...withGetter(
    native(
      "name(fn_ptr: Fn) -> string",
      "Answers the name of the function.",
      (_: NativeContext, fn: FnPtr) => fn.name,
    ),
  ),
  ...withGetter(
    native(
      "is_anonymous(fn_ptr: Fn) -> bool",
      "Tells whether it is a closure.",
      (_: NativeContext, fn: FnPtr) => fn.name.startsWith("anon$"),
    ),
  ),
];
