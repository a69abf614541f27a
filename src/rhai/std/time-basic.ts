import { decimal } from "../runtime/format.ts";
import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { Float, HostValue, type Value } from "../runtime/values.ts";
import { declare, withGetter } from "./define.ts";
import { arithmeticError } from "./results.ts";

const native = declare("time_basic");

/** A moment on a clock that only goes forward; it says nothing about the date. Immutable. */
export class Timestamp extends HostValue {
  override readonly typeName = "timestamp";
  /** Milliseconds, with fractions, since the process began. */
  readonly at: number;
  constructor(at: number) {
    super();
    this.at = at;
  }
  override display(): string {
    return "<timestamp>";
  }
  /** Null for values that are not timestamps. */
  compareTo(other: Value): number | null {
    return other instanceof Timestamp ? this.at - other.at : null;
  }
}

export const timeBasic: readonly NativeFunction[] = [
  native("timestamp() -> timestamp", "Answers the present moment.", () => new Timestamp(performance.now())),
  ...withGetter(
    native("elapsed(timestamp: timestamp) -> f64", "Answers the seconds since a moment.", elapsed),
  ),
  native(
    "-(timestamp1: timestamp, timestamp2: timestamp) -> f64",
    "Answers the seconds between two moments.",
    (_: NativeContext, first: Timestamp, second: Timestamp) => new Float((first.at - second.at) / 1000),
  ),
  ...["i64", "f64"].flatMap((type) => [
    native(
      `+(timestamp: timestamp, seconds: ${type}) -> timestamp`,
      "Answers the moment some seconds later.",
      (_: NativeContext, from: Timestamp, seconds: Int | Float) => moved(from, seconds, 1),
    ),
    native(
      `-(timestamp: timestamp, seconds: ${type}) -> timestamp`,
      "Answers the moment some seconds earlier.",
      (_: NativeContext, from: Timestamp, seconds: Int | Float) => moved(from, seconds, -1),
    ),
  ]),
];

function elapsed(_: NativeContext, since: Timestamp): Value {
  const now = performance.now();
  if (since.at > now) throw arithmeticError("Time-stamp is later than now");
  return new Float((now - since.at) / 1000);
}

/** Fractions of a second count to the millisecond. Assignments (`t += 5`) are made of these. */
function moved(from: Timestamp, seconds: Int | Float, direction: 1 | -1): Timestamp {
  const isFloat = seconds instanceof Float;
  const amount = isFloat ? seconds.value : Number(seconds);
  // Adding a negative float is done, and reported, as a subtraction.
  const adds = isFloat ? amount < 0 !== direction > 0 : direction > 0;
  const shown = isFloat ? floatText(Math.abs(amount)) : String(seconds);
  if (isFloat && Math.abs(amount) > 2 ** 63) {
    throw arithmeticError(`Integer overflow for timestamp ${adds ? "add" : "subtract"}: ${shown}`);
  }
  if (direction * amount >= LATEST) {
    throw arithmeticError(`Timestamp overflow when ${adds ? "adding" : "subtracting"} ${shown} second(s)`);
  }
  return new Timestamp(from.at + direction * (Math.trunc(amount * 1000) || 0));
}

/** Seconds that the official clock cannot go further. */
const LATEST = 2 ** 63 - 2 ** 32;

function floatText(value: number): string {
  return Number.isFinite(value) ? decimal(value) : Number.isNaN(value) ? "NaN" : "inf";
}
