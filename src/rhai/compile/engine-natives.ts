import type { NativeContext, NativeFunction, ParamType } from "../runtime/native.ts";
import type { FunctionFacts } from "../runtime/program.ts";
import type { Run } from "../runtime/run.ts";
import { RhaiArray, RhaiMap, type Value } from "../runtime/values.ts";

/** `print` and `debug` answer a text, which is the engine's to show. */
export function printing(fn: NativeFunction): NativeFunction {
  if (fn.name !== "print" && fn.name !== "debug") return fn;
  const textOf = fn.call as (context: NativeContext, ...args: Value[]) => Value;
  const call = (context: NativeContext, ...args: Value[]): Value => {
    const text = String(textOf(context, ...args));
    if (fn.name === "print") context.print(text);
    else context.debug(text);
    return undefined;
  };
  return { ...fn, call: call as unknown as NativeFunction["call"], returns: "()" };
}

/** Natives about the running script itself. */
export const reflection: readonly NativeFunction[] = [
  metadata([], () => true),
  metadata(["string"], (fn, name) => fn.name === name),
  metadata(["string", "i64"], (fn, name, count) => fn.name === name && fn.params.length === count),
];

function metadata(
  params: readonly ParamType[],
  matches: (fn: FunctionFacts, name: Value, count: Value) => boolean,
): NativeFunction {
  const call = (context: NativeContext, name: Value, count: Value): Value => {
    const { facts } = (context as Run).program;
    return context.checkSize(new RhaiArray(facts.filter((fn) => matches(fn, name, count)).map(describe)));
  };
  return {
    name: "get_fn_metadata_list",
    params,
    pure: true,
    returns: "array",
    package: "core",
    doc: "Tells about the functions that the script declares.",
    call: call as unknown as NativeFunction["call"],
  };
}

function describe(fn: FunctionFacts): RhaiMap {
  const entries = new Map<string, Value>([
    ["name", fn.name],
    ["access", fn.isPrivate ? "private" : "public"],
    ["is_anonymous", fn.isAnonymous],
    ["params", new RhaiArray([...fn.params])],
  ]);
  if (fn.thisType !== null) entries.set("this_type", fn.thisType);
  if (fn.comments.length > 0) entries.set("comments", new RhaiArray([...fn.comments]));
  return RhaiMap.of(entries);
}
