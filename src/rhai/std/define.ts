import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import type { Value } from "../runtime/values.ts";

/** The body of a native function. Parameter types are those that the signature promises. */
export type Body = (context: NativeContext, ...args: never[]) => Value | Promise<Value> | void;

/** What a native function does besides answering; see NativeFunction for each. */
export interface Effects {
  readonly pure?: false;
  readonly mutates?: true;
  readonly keeps?: readonly number[];
  readonly suspends?: true;
  readonly callsBack?: true;
  readonly bare?: (...args: number[]) => number | boolean;
}

/** It changes its first argument. */
export const CHANGES: Effects = { pure: false, mutates: true };

/** It changes its first argument and stores the second in it. */
export const CHANGES_KEEPING_SECOND: Effects = { pure: false, mutates: true, keeps: [1] };

/** It calls a function pointer that may change the elements through `this`, which is not held against it. */
export const CALLS_BACK: Effects = { mutates: true, callsBack: true };

/** It calls a function pointer and changes its first argument. */
export const CHANGES_CALLING_BACK: Effects = { pure: false, mutates: true, callsBack: true };

/** It leaves its first argument alone, but is refused on constants all the same, as the official one is. */
export const REFUSES_CONSTANTS: Effects = { pure: false };

/**
 * The means to declare the natives of one official package: signatures are written as
 * `name(first: type, second: type) -> type`, and `doc` is one sentence.
 */
export function declare(packageName: string) {
  return function native(signature: string, doc: string, call: Body, effects: Effects = {}): NativeFunction {
    const parsed = /^(\S+?)\((.*)\) -> (\S+)$/.exec(signature);
    if (parsed === null) throw new TypeError(`not a signature: ${signature}`);
    const [, name = "", list = "", returns = ""] = parsed;
    const parameters = list === "" ? [] : list.split(", ").map((one) => one.split(": "));
    return {
      name,
      params: parameters.map(([, type = "any"]) => type),
      paramNames: parameters.map(([parameter = ""]) => parameter),
      returns,
      pure: true,
      ...effects,
      // A function without a result answers undefined, which is ().
      call: call as NativeFunction["call"],
      doc,
      package: packageName,
    };
  };
}

/** A function that is also a property without parentheses: `x.name()` and `x.name`. */
export function withGetter(native: NativeFunction): NativeFunction[] {
  return [native, { ...native, name: `get$${native.name}` }];
}

/** The same function under more names. */
export function withAliases(native: NativeFunction, ...names: string[]): NativeFunction[] {
  return [native, ...names.map((name) => ({ ...native, name }))];
}
