import type { EngineLimits, NativeContext, Ref } from "../../../src/rhai/runtime/native.ts";
import { RhaiError } from "../../../src/rhai/runtime/errors.ts";
import { sizesOf } from "../../../src/rhai/runtime/sizes.ts";
import { TextSizes } from "../../../src/rhai/runtime/text-sizes.ts";
import { toDebugValue } from "../../../src/rhai/runtime/format.ts";
import { NativeTable } from "../../../src/rhai/runtime/natives.ts";
import { NONE } from "../../../src/rhai/syntax/position.ts";
import { standardLibrary } from "../../../src/rhai/std/index.ts";
import {
  charOf,
  FnPtr,
  Float,
  Range,
  RhaiArray,
  RhaiBlob,
  RhaiMap,
  type Value,
} from "../../../src/rhai/runtime/values.ts";

/** What a test callback is: parameters, and `this` where it is bound. */
export type TestCallback = (args: readonly Value[], self: Ref | undefined) => Value | Promise<Value>;

const NO_LIMITS: EngineLimits = {
  maxOperations: 0,
  maxCallLevels: 0,
  maxExprDepth: 0,
  maxFunctionExprDepth: 0,
  maxStringSize: 0,
  maxArraySize: 0,
  maxMapSize: 0,
  maxModules: 0,
  maxFunctions: 0,
  maxVariables: 0,
  maxMemory: 0,
};

/** A context that counts, calls JavaScript functions for pointers made by `callback`, and natives by name. */
export class TestContext implements NativeContext {
  readonly limits: EngineLimits;
  readonly host = undefined;
  readonly callPos = NONE;
  operations = 0;
  bytes = 0;
  readonly #callbacks = new Map<FnPtr, { arity: number; body: TestCallback }>();

  constructor(limits: Partial<EngineLimits> = {}) {
    this.limits = { ...NO_LIMITS, ...limits };
  }

  charge(operations: number): void {
    this.operations += operations;
    if (this.limits.maxOperations > 0 && this.operations > this.limits.maxOperations) {
      throw new RhaiError("ErrorTooManyOperations", "Too many operations");
    }
  }

  get memory(): number {
    return this.bytes;
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }

  allocate(bytes: number): void {
    this.bytes += bytes;
    if (this.limits.maxMemory > 0 && this.bytes > this.limits.maxMemory)
      throw new RhaiError("ErrorMemory", "Memory");
  }

  checkSize<T extends Value>(value: T): T {
    const sizes = sizesOf(value, this.limits, new TextSizes(), true);
    const { maxStringSize, maxArraySize, maxMapSize } = this.limits;
    const over = (size: number, limit: number) => limit > 0 && size > limit;
    if (over(sizes.text, maxStringSize))
      throw new RhaiError("ErrorDataTooLarge", "Length of string too large");
    if (over(sizes.items, maxArraySize))
      throw new RhaiError("ErrorDataTooLarge", "Size of array/BLOB too large");
    if (over(sizes.entries, maxMapSize))
      throw new RhaiError("ErrorDataTooLarge", "Size of object map too large");
    return value;
  }

  concat(a: string, b: string): string {
    return this.checkSize(a + b);
  }

  /** A pointer to a closure with so many parameters. */
  callback(arity: number, body: TestCallback): FnPtr {
    const code = () => undefined;
    const suspends = body.constructor.name === "AsyncFunction";
    const pointer = new FnPtr("anon$test", [], { name: "anon$test", arity, suspends, code });
    this.#callbacks.set(pointer, { arity, body });
    return pointer;
  }

  call(fn: FnPtr, args: readonly Value[], self?: Ref): Value | Promise<Value> {
    const known = this.#callbacks.get(fn);
    if (known !== undefined) return known.body(args, self);
    return this.callByName(fn.name, args, self);
  }

  arityOf(fn: FnPtr): number {
    return this.#callbacks.get(fn)?.arity ?? -1;
  }

  callByName(name: string, args: readonly Value[], self?: Ref): Value | Promise<Value> {
    return callNative(this, name, self === undefined ? args : [self.get(), ...args]);
  }

  print(): void {}
  debug(): void {}
}

const table = new NativeTable();
table.addModule({ name: "", functions: standardLibrary });

/** Calls the native that takes these arguments. One that changes its first argument gets a place, or the container. */
export function callNative(
  context: NativeContext,
  name: string,
  args: readonly Value[],
): Value | Promise<Value> {
  return callOn(context, name, args).result;
}

/** The same, answering the result and the first argument as it is afterwards. */
export function callOn(
  context: NativeContext,
  name: string,
  args: readonly Value[],
): { result: Value | Promise<Value>; value: Value } {
  const overload = table.group(name, args.length)?.find(args) ?? null;
  if (overload === null) throw new RhaiError("ErrorFunctionNotFound", `Function not found: ${name}`);
  const place = placeOf(args[0]);
  const first = overload.mutates && typeof args[0] !== "object" ? place : args[0];
  const result = args.length === 0 ? overload.call(context) : overload.call(context, first, ...args.slice(1));
  return { result, value: place.get() };
}

/** A place that holds a value. */
export function placeOf(initial: Value): Ref {
  let value = initial;
  return {
    get: () => value,
    set: (next) => {
      value = next;
    },
  };
}

/** Rhai values from plain ones: numbers are integers, one-element `{ f: 1.5 }` floats, `{ c: "x" }` chars. */
export type Plain =
  null | boolean | number | bigint | string | Value | readonly Plain[] | { readonly [key: string]: Plain };

export function rhai(plain: Plain): Value {
  if (plain === null) return undefined;
  if (Array.isArray(plain)) return new RhaiArray(plain.map(rhai));
  return plain as Value;
}

export const f = (value: number): Float => new Float(value);
export const c = (text: string) => charOf(text);
export const blob = (...bytes: number[]): RhaiBlob => new RhaiBlob(new Uint8Array(bytes));
export const map = (record: Record<string, Plain>): RhaiMap =>
  RhaiMap.of(new Map(Object.entries(record).map(([key, value]) => [key, rhai(value)])));
export const range = (from: number, to: number): Range => new Range(from, to, false);
export const upTo = (from: number, to: number): Range => new Range(from, to, true);

/** How a table of cases names what it expects. */
export const shown = (value: Value): string => toDebugValue(value);

/** The text of the error that a call throws. */
export function failureOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof RhaiError) return error.text;
    throw error;
  }
  return "no error";
}
