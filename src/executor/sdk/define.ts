import {
  RhaiError,
  type HostValue,
  type NativeContext,
  type NativeFunction,
  type NativeModule,
  type Value,
} from "../../rhai/index.ts";
import type { Arguments, Param } from "./params.ts";
import { runContext, type RunContext } from "./run-context.ts";

/** What the body of a function gets besides its arguments. */
export interface CallContext {
  /** The run: the only source of the app's id. */
  readonly run: RunContext;
  /** Limits and metering. */
  readonly native: NativeContext;
}

/** A piece of script as the reference shows it; a test runs it against a real database. */
export interface Example {
  readonly source: string;
  /** Its value, as `debug` shows it. */
  readonly result: string;
}

/** A call that fails. */
export interface ErrorExample {
  readonly source: string;
  /** What it throws, without the function's name. */
  readonly message: string;
}

/** One function or method of the SDK, from which its binding, the reference and an editor's completion are made. */
export interface SdkFunction {
  readonly name: string;
  /** The type of handle that it is a method of; null: `namespace::name(…)`. */
  readonly handle: string | null;
  readonly params: readonly Param<unknown>[];
  /** As the reference shows it. */
  readonly returns: string;
  /** One paragraph. */
  readonly doc: string;
  readonly example: Example;
  /** What it throws besides what is said of each argument that does not fit its parameter. */
  readonly errors: readonly ErrorExample[];
  /** It asks a service, so that it takes time, and counts against the calls of a run. */
  readonly isService: boolean;
  /** It may call a function that it was given. */
  readonly callsBack: boolean;
  readonly body: (
    context: CallContext,
    args: readonly unknown[],
    self: HostValue | null,
  ) => Value | Promise<Value>;
}

/** A group of functions that belong together: `kv`, `regex`, … */
export interface SdkNamespace {
  readonly name: string;
  /** One paragraph. */
  readonly doc: string;
  readonly functions: readonly SdkFunction[];
}

interface Spec<P extends readonly Param<unknown>[]> {
  readonly name: string;
  readonly params: P;
  readonly returns: string;
  readonly doc: string;
  readonly example: Example;
  readonly errors?: readonly ErrorExample[];
}

/** A function that answers at once. */
export function pure<const P extends readonly Param<unknown>[]>(
  spec: Spec<P> & { readonly call: (context: CallContext, ...args: Arguments<P>) => Value },
): SdkFunction {
  return {
    ...spec,
    errors: spec.errors ?? [],
    handle: null,
    isService: false,
    callsBack: false,
    body: (context, args) => spec.call(context, ...(args as unknown as Arguments<P>)),
  };
}

/** A function that asks a service. */
export function service<const P extends readonly Param<unknown>[]>(
  spec: Spec<P> & { readonly call: (run: RunContext, ...args: Arguments<P>) => Promise<Value> },
): SdkFunction {
  return {
    ...spec,
    errors: spec.errors ?? [],
    handle: null,
    isService: true,
    callsBack: false,
    body: ({ run }, args) => spec.call(run, ...(args as unknown as Arguments<P>)),
  };
}

/** A function that asks a service, and calls a function that it is given meanwhile. */
export function serviceCallingBack<const P extends readonly Param<unknown>[]>(
  spec: Spec<P> & { readonly call: (context: CallContext, ...args: Arguments<P>) => Promise<Value> },
): SdkFunction {
  return {
    ...spec,
    errors: spec.errors ?? [],
    handle: null,
    isService: true,
    callsBack: true,
    body: (context, args) => spec.call(context, ...(args as unknown as Arguments<P>)),
  };
}

/** The means to declare the methods of a handle, which ask a service. */
export function methodsOf<H extends HostValue>(handle: string) {
  return <const P extends readonly Param<unknown>[]>(
    spec: Spec<P> & { readonly call: (run: RunContext, self: H, ...args: Arguments<P>) => Promise<Value> },
  ): SdkFunction => ({
    ...spec,
    errors: spec.errors ?? [],
    handle,
    isService: true,
    callsBack: false,
    // Which handle it is was decided by the language, from the type of the first parameter.
    body: ({ run }, args, self) => spec.call(run, self as H, ...(args as unknown as Arguments<P>)),
  });
}

/**
 * What is registered with the language. Functions of a namespace take any arguments, so that a wrong one is told of by
 * name instead of as a function that does not exist; methods are told apart by the handle's type alone.
 */
export function nativeModules(namespaces: readonly SdkNamespace[]): NativeModule[] {
  const methods: NativeFunction[] = [];
  const modules = namespaces.map(({ name, functions }) => {
    const own: NativeFunction[] = [];
    for (const fn of functions) (fn.handle === null ? own : methods).push(...overloads(name, fn));
    return { name, functions: own };
  });
  return [...modules, { name: "", functions: methods }];
}

/** One native for each number of arguments that the optional parameters allow. */
function overloads(namespace: string, fn: SdkFunction): NativeFunction[] {
  const required = fn.params.filter((param) => !param.isOptional).length;
  const counts = Array.from({ length: fn.params.length - required + 1 }, (_, index) => required + index);
  return counts.map((count) => binding(namespace, fn, fn.params.slice(0, count)));
}

function binding(namespace: string, fn: SdkFunction, params: readonly Param<unknown>[]): NativeFunction {
  const self = fn.handle === null ? [] : [fn.handle];
  const prefix = `${namespace}::${fn.name}`;
  const call = (native: NativeContext, ...given: readonly Value[]): Value | Promise<Value> => {
    const run = runContext(native);
    try {
      if (fn.isService) run.countCall(native.memory);
      const target = fn.handle === null ? null : (given[0] as HostValue);
      const args = params.map((param, index) => param.read(given[index + self.length]));
      const answer = fn.body({ run, native }, args, target);
      return answer instanceof Promise ? settled(prefix, answer, run) : answer;
    } catch (error) {
      throw told(prefix, error, run);
    }
  };
  return {
    name: fn.name,
    params: [...self, ...params.map(() => "any")],
    paramNames: [...(fn.handle === null ? [] : ["self"]), ...params.map((param) => param.name)],
    pure: true,
    ...(fn.isService && { suspends: true }),
    ...(fn.callsBack && { callsBack: true }),
    call: call as NativeFunction["call"],
    returns: "any",
    doc: fn.doc,
  };
}

async function settled(prefix: string, answer: Promise<Value>, run: RunContext): Promise<Value> {
  try {
    return await answer;
  } catch (error) {
    throw told(prefix, error, run);
  }
}

/** An error as scripts see it: a thrown string that begins with the function's name (CONTRACT 3.1). */
function told(prefix: string, error: unknown, run: RunContext): unknown {
  const message = run.explain(error);
  if (message === undefined) return error;
  const value = `${prefix}: ${message}`;
  return new RhaiError("ErrorRuntime", `Runtime error: ${value}`, undefined, { value });
}
