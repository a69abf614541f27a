import { RhaiError } from "../runtime/errors.ts";
import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { NONE } from "../syntax/position.ts";
import type { Float, Value } from "../runtime/values.ts";
import { CHANGES, declare, type Effects } from "./define.ts";

const native = declare("lang_core");

const SUSPENDS: Effects = { suspends: true };

export const langCore: readonly NativeFunction[] = [
  native("exit() -> any", "Ends the script.", () => exit(undefined)),
  native(
    "exit(value: any) -> any",
    "Ends the script; the value is its result.",
    (_: NativeContext, value: Value) => exit(value),
    {
      keeps: [0],
    },
  ),
  native("take(value: any) -> any", "Answers the value of a variable and leaves () in it.", take, CHANGES),
  native(
    "sleep(seconds: i64) -> ()",
    "Waits for some seconds.",
    (context: NativeContext, seconds: Int) => sleep(context, Number(seconds)),
    SUSPENDS,
  ),
  native(
    "sleep(seconds: f64) -> ()",
    "Waits for some seconds.",
    (context: NativeContext, seconds: Float) => sleep(context, seconds.value),
    SUSPENDS,
  ),
];

/** The engine takes this error for the regular end of the script; nothing catches it. */
function exit(value: Value): never {
  throw new RhaiError("ErrorTerminated", "exit", NONE, { value });
}

/** Containers come by reference, not as a place: the engine has to empty their place itself. */
function take(_: NativeContext, place: Ref | Value): Value {
  if (typeof place !== "object" || !("set" in place) || !("get" in place)) return place as Value;
  const value = place.get();
  place.set(undefined);
  return value;
}

/** Longest wait, in milliseconds, before the deadline is looked at again. */
const SLICE = 25;

/** Does nothing for what is not a positive finite number. */
async function sleep(context: NativeContext, seconds: number): Promise<Value> {
  if (!(seconds > 0) || !Number.isFinite(seconds)) return undefined;
  const end = performance.now() + seconds * 1000;
  for (let left = seconds * 1000; left > 0; left = end - performance.now()) {
    await context.wait(new Promise((resolve) => setTimeout(resolve, Math.min(left, SLICE))));
    context.charge(1);
  }
  return undefined;
}
