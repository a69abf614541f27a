import type { Pos } from "../syntax/position.ts";
import type { FnPtr, Value } from "./values.ts";

/** Names of parameter types. `any` accepts every value; other names are those of native types (`typeName`). */
export type ParamType =
  | "any"
  | "()"
  | "bool"
  | "i64"
  | "f64"
  | "string"
  | "char"
  | "array"
  | "map"
  | "blob"
  | "range"
  | "range="
  | "Fn"
  | (string & {});

/** A place that a native function may change when its first parameter is of an immutable kind (string, i64, …). */
export interface Ref {
  get(): Value;
  set(value: Value): void;
}

/**
 * One native function, operator (`+`), getter (`get$name`), setter (`set$name`) or indexer (`index$get`,
 * `index$set`). Overloads share a name and are told apart by parameter count and types; an exact type beats `any`.
 */
export interface NativeFunction {
  readonly name: string;
  readonly params: readonly ParamType[];
  /**
   * True when it leaves its first argument as it was. A method that is not pure cannot be called on a constant.
   */
  readonly pure: boolean;
  /**
   * Set when it changes its first argument. If that is an array, map, blob or native object, `call` gets the very
   * object that sits in the place (change it through `writable()`); if it is of an immutable kind, `call` gets a
   * `Ref` in its stead.
   */
  readonly mutates?: boolean;
  /**
   * Indices of arguments that it stores somewhere or returns. The caller hands those over as values of their own;
   * all other arguments are borrowed: neither changed nor kept.
   */
  readonly keeps?: readonly number[];
  /** True when it may answer a promise. */
  readonly suspends?: boolean;
  /** True when it may call a function pointer that it was given: it suspends if that one does. */
  readonly callsBack?: boolean;
  /**
   * The same on bare JavaScript numbers, for a function of numbers that answers an f64 or a bool and cannot fail. An
   * i64 comes as the nearest f64.
   */
  readonly bare?: (...args: number[]) => number | boolean;
  readonly call: (context: NativeContext, ...args: never[]) => Value | Promise<Value>;
  readonly returns: ParamType;
  readonly paramNames?: readonly string[];
  /** One paragraph for editors and `list functions`. */
  readonly doc?: string;
  /** Official package that it belongs to. */
  readonly package?: string;
}

/** A group of natives reached as `name::function(…)`, or without a prefix when the name is empty. */
export interface NativeModule {
  readonly name: string;
  readonly functions: readonly NativeFunction[];
  readonly constants?: Readonly<Record<string, Value>>;
}

export interface EngineLimits {
  /** 0 in any member means unlimited. */
  readonly maxOperations: number;
  readonly maxCallLevels: number;
  readonly maxExprDepth: number;
  readonly maxFunctionExprDepth: number;
  /** Bytes of UTF-8. */
  readonly maxStringSize: number;
  /** Elements, nested ones included. */
  readonly maxArraySize: number;
  readonly maxMapSize: number;
  readonly maxModules: number;
  readonly maxFunctions: number;
  readonly maxVariables: number;
  /** Bytes of all values of the run, estimated. */
  readonly maxMemory: number;
}

/** What a native function may ask of the run that calls it. All throw a RhaiError that ends (or is caught by) the script. */
export interface NativeContext {
  readonly limits: EngineLimits;
  /** Where the call stands in the source. */
  readonly callPos: Pos;
  /** What the embedder passed as `RunOptions.context`. */
  readonly host: unknown;
  /** Counts operations (a whole number), for work that grows with the data. Also the point where deadline and cancellation are seen. */
  charge(operations: number): void;
  /** Counts bytes of new values. */
  allocate(bytes: number): void;
  /** Checks a new value (string, array, map or blob, with nested data) against the size limits, and returns it. */
  checkSize<T extends Value>(value: T): T;
  /** Two texts as one, checked against the limits. Takes constant time, however long they are. */
  concat(a: string, b: string): string;
  /** Calls a function pointer. `self` binds `this`. The answer is a promise only if the callee suspended. */
  call(fn: FnPtr, args: readonly Value[], self?: Ref): Value | Promise<Value>;
  /** Number of parameters of the script function behind a pointer less those curried; -1 when it is a native one. */
  arityOf(fn: FnPtr): number;
  /** Calls a native or script function by name. Throws ErrorFunctionNotFound. */
  callByName(name: string, args: readonly Value[], self?: Ref): Value | Promise<Value>;
  /** Bytes counted so far. */
  readonly memory: number;
  /** Waits for a promise in the way that the embedder wants it. */
  wait<T>(promise: Promise<T>): Promise<T>;
  print(text: string): void;
  debug(text: string): void;
}
