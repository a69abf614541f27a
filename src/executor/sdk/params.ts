import { Float, RhaiArray, RhaiBlob, RhaiMap, FnPtr, typeName, type Value } from "../../rhai/index.ts";
import { nameFault } from "../../shared/data-names.ts";
import { SdkError } from "./sdk-error.ts";

/** One parameter of a function of the SDK: what it takes, and what the function's body gets. */
export interface Param<T> {
  readonly name: string;
  /** As the reference shows it: `string`, `int`, `blob or string`, … */
  readonly type: string;
  /** May be left out, which only the last ones may; the body gets undefined. */
  readonly isOptional: boolean;
  /** Of a map of options: the members that it may have. */
  readonly options?: readonly Param<unknown>[];
  /** @throws SdkError that begins with the parameter's name */
  read(value: Value): T;
}

/** The arguments that a body gets. */
export type Arguments<P extends readonly Param<unknown>[]> = {
  readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never;
};

const param = <T>(name: string, type: string, read: (value: Value) => T): Param<T> => ({
  name,
  type,
  isOptional: false,
  read,
});

const unfit = (name: string, wanted: string, value: Value): SdkError =>
  new SdkError(`${name} must be ${wanted}, not ${shownType(value)}`);

const shownType = (value: Value): string => (value === undefined ? "()" : typeName(value));

/** @param maxBytes of UTF-8 */
export const text = (name: string, options: { readonly maxBytes?: number } = {}): Param<string> =>
  param(name, "string", (value) => {
    if (typeof value !== "string") throw unfit(name, "a string", value);
    const { maxBytes } = options;
    if (maxBytes !== undefined && value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) {
      throw new SdkError(`${name} is longer than ${maxBytes} bytes`);
    }
    return value;
  });

/** A collection, key, topic or secret's name: 1 to 256 bytes, no control characters (CONTRACT 4). */
export const identifier = (name: string): Param<string> =>
  param(name, "string", (value) => {
    if (typeof value !== "string") throw unfit(name, "a string", value);
    const fault = nameFault(value);
    if (fault !== null) throw new SdkError(`${name} ${fault}`);
    return value;
  });

/** An integer that is exact as a JavaScript number. */
export const integer = (
  name: string,
  range: { readonly min?: number; readonly max?: number } = {},
): Param<number> =>
  param(name, "int", (value) => {
    if (typeof value !== "number" && typeof value !== "bigint") throw unfit(name, "an integer", value);
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range;
    if (value < min || value > max) {
      const wanted = range.max === undefined ? `at least ${min}` : `from ${min} to ${max}`;
      throw new SdkError(`${name} must be ${wanted}, not ${value}`);
    }
    return Number(value);
  });

/** Any i64. */
export const wholeNumber = (name: string): Param<bigint> =>
  param(name, "int", (value) => {
    if (typeof value !== "number" && typeof value !== "bigint") throw unfit(name, "an integer", value);
    return BigInt(value);
  });

export const boolean = (name: string): Param<boolean> =>
  param(name, "bool", (value) => {
    if (typeof value !== "boolean") throw unfit(name, "true or false", value);
    return value;
  });

/** Text as its UTF-8, or bytes. Read only. */
export const bytes = (name: string): Param<Uint8Array> =>
  param(name, "blob or string", (value) => {
    if (typeof value === "string") return Buffer.from(value, "utf8");
    if (value instanceof RhaiBlob) return value.view();
    throw unfit(name, "a blob or a string", value);
  });

export const array = (name: string): Param<RhaiArray> =>
  param(name, "array", (value) => {
    if (!(value instanceof RhaiArray)) throw unfit(name, "an array", value);
    return value;
  });

export const map = (name: string): Param<RhaiMap> =>
  param(name, "map", (value) => {
    if (!(value instanceof RhaiMap)) throw unfit(name, "a map", value);
    return value;
  });

export const func = (name: string): Param<FnPtr> =>
  param(name, "function", (value) => {
    if (!(value instanceof FnPtr)) throw unfit(name, "a function", value);
    return value;
  });

export const any = (name: string): Param<Value> => param(name, "any", (value) => value);

/** An integer or a float, as a JavaScript number. */
export const numeric = (name: string): Param<number> =>
  param(name, "int or float", (value) => {
    if (value instanceof Float) return value.value;
    if (typeof value === "number" || typeof value === "bigint") return Number(value);
    throw unfit(name, "a number", value);
  });

/** May be left out. */
export const optional = <T>(inner: Param<T>): Param<T | undefined> => ({ ...inner, isOptional: true });
