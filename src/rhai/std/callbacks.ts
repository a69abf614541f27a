import { NONE } from "../syntax/position.ts";
import { RhaiError } from "../runtime/errors.ts";
import { inCall } from "../runtime/faults.ts";
import type { NativeContext, Ref } from "../runtime/native.ts";
import { copyValue, type FnPtr, type RhaiArray, type Value } from "../runtime/values.ts";

/** A value, or the promise of one when the callback suspended. */
export type Eventual<T> = T | Promise<T>;

/** One round of a loop: calls back for the element with this index. */
export type Round = (index: number) => Eventual<Value>;

/**
 * Runs `round` for the indices from `from` up to what `end` answers, handing each result to `use`, which answers true
 * to stop early; then answers what `finish` does. The loop is synchronous as long as the results are, and goes on
 * asynchronously from the first promise. `end` is asked each time.
 */
export function loop<T>(
  from: number,
  end: () => number,
  round: Round,
  use: (result: Value, index: number) => boolean | void,
  finish: () => T,
): Eventual<T> {
  for (let index = from; index < end(); index++) {
    const result = round(index);
    if (result instanceof Promise) return resume(index, result, end, round, use, finish);
    if (use(result, index) === true) break;
  }
  return finish();
}

async function resume<T>(
  index: number,
  pending: Promise<Value>,
  end: () => number,
  round: Round,
  use: (result: Value, index: number) => boolean | void,
  finish: () => T,
): Promise<T> {
  if (use(await pending, index) === true) return finish();
  for (let next = index + 1; next < end(); next++) {
    const result = round(next);
    if (use(result instanceof Promise ? await result : result, next) === true) break;
  }
  return finish();
}

/** Runs `attempt`; a failure, sync or not, goes to `failed`. */
export function rescue<T>(attempt: () => Eventual<T>, failed: (error: unknown) => Eventual<T>): Eventual<T> {
  try {
    const result = attempt();
    return result instanceof Promise ? result.catch(failed) : result;
  } catch (error) {
    return failed(error);
  }
}

/** How one function offers its data to the callback that it was given. */
export interface Offer {
  /** The name that errors show. */
  readonly caller: string;
  /** How many values `args` has and `extras` has. */
  readonly fixed: number;
  readonly optional: number;
  /** Always passed first. */
  readonly args: (index: number) => Value[];
  /** Passed last, to a callback that has room for them. */
  readonly extras: (index: number) => Value[];
  /** The place that `this` may be bound to. */
  readonly self?: (index: number) => Ref;
  /** Passed after `args` to a callback with one parameter more than those, in the stead of `this`. */
  readonly item?: (index: number) => Value;
}

/**
 * The callback as a loop's round. How the data is passed follows the number of its parameters: just `args`, with
 * `this` bound; then the item as well; then the extras too. For a function known by name only, these are tried in
 * turn for as long as no such function exists.
 */
export function roundOf(context: NativeContext, callback: FnPtr, offer: Offer): Round {
  const { args, extras, self, item, fixed, optional } = offer;
  const arity = callback.target === null ? -1 : context.arityOf(callback);
  if (arity === fixed) {
    return self === undefined
      ? (index) => context.call(callback, args(index))
      : (index) => context.call(callback, args(index), self(index));
  }
  if (item !== undefined && arity === fixed + 1) {
    return fixed === 0
      ? (index) => context.call(callback, [item(index)])
      : (index) => {
          const list = args(index);
          list.push(item(index));
          return context.call(callback, list);
        };
  }
  if (item !== undefined && arity === fixed + optional + 1) {
    return (index) => context.call(callback, added(args(index), item(index), ...extras(index)));
  }
  if (arity === fixed + optional) {
    return (index) => context.call(callback, added(args(index), ...extras(index)), self?.(index));
  }
  return (index) => callByName(context, callback, offer, index);
}

/** `roundOf` for functions over the elements of an array: `this`, (x), or (x, index). */
export function elementRound(
  context: NativeContext,
  callback: FnPtr,
  caller: string,
  array: RhaiArray,
): Round {
  const takesThis = callback.target === null || context.arityOf(callback) === 0;
  // Storage shared with another array must not change with what `this` does to an element.
  if (takesThis) array.writable();
  return roundOf(context, callback, {
    caller,
    fixed: 0,
    optional: 1,
    args: () => [],
    extras: (index) => [index],
    self: (index) => elementPlace(array, index),
    item: (index) => copyValue(array.items[index]),
  });
}

/** The element of an array as a place. */
export function elementPlace(array: RhaiArray, index: number): Ref {
  return {
    get: () => array.items[index],
    set: (value) => {
      array.writable()[index] = value;
    },
  };
}

/** The error that a call inside the named function failed with this one. What scripts cannot catch stays bare. */
export function inFunction(context: NativeContext, name: string, error: unknown): unknown {
  if (!(error instanceof RhaiError) || UNWRAPPED.has(error.kind)) return error;
  if (error.pos === NONE) error.pos = context.callPos;
  return inCall(error, name, NONE);
}

const UNWRAPPED: ReadonlySet<string> = new Set([
  "ErrorTerminated",
  "ErrorTooManyOperations",
  "ErrorStackOverflow",
  "ErrorDeadline",
  "ErrorMemory",
  "ErrorCancelled",
]);

function callByName(context: NativeContext, callback: FnPtr, offer: Offer, index: number): Eventual<Value> {
  const { args, extras, self, item } = offer;
  const attempts: (() => Eventual<Value>)[] = [() => context.call(callback, args(index), self?.(index))];
  if (item !== undefined) {
    attempts.push(() => context.call(callback, added(args(index), item(index))));
    attempts.push(() => context.call(callback, added(args(index), item(index), ...extras(index))));
  } else {
    attempts.push(() => context.call(callback, added(args(index), ...extras(index)), self?.(index)));
  }
  const attempt = (turn: number): Eventual<Value> =>
    rescue(attempts[turn] ?? (() => undefined), (error) => {
      if (turn + 1 < attempts.length && isMissing(error, callback.name)) return attempt(turn + 1);
      throw inFunction(context, offer.caller, error);
    });
  return attempt(0);
}

/** True when the error says that no function of this name takes such arguments. */
export function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof RhaiError &&
    error.kind === "ErrorFunctionNotFound" &&
    error.text.startsWith(`Function not found: ${name}`)
  );
}

function added(list: Value[], ...more: Value[]): Value[] {
  list.push(...more);
  return list;
}
