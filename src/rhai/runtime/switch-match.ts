import { Tagged } from "./tagged.ts";
import { Char, Float, Range, RhaiArray, RhaiMap, type Value } from "./values.ts";

/** Whether a number lies in a range pattern of `switch`: floats may. */
export function within(
  value: Value,
  from: number | bigint,
  to: number | bigint,
  inclusive: boolean,
): boolean {
  const number = value instanceof Float || value instanceof Tagged ? value.value : value;
  if (number instanceof Float) return within(number, from, to, inclusive);
  if (typeof number !== "number" && typeof number !== "bigint") return false;
  return number >= from && (inclusive ? number <= to : number < to);
}

/** Whether two values are the same in type and content, as the patterns of `switch` compare. */
export function same(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a instanceof Tagged) return same(a.value, b);
  if (a instanceof Float && b instanceof Float) return Object.is(a.value, b.value);
  if (a instanceof Char && b instanceof Char) return a.text === b.text;
  if (a instanceof Range && b instanceof Range) {
    return a.from === b.from && a.to === b.to && a.inclusive === b.inclusive;
  }
  if (a instanceof RhaiArray && b instanceof RhaiArray) {
    return a.items.length === b.items.length && a.items.every((item, i) => same(item, b.items[i]));
  }
  if (a instanceof RhaiMap && b instanceof RhaiMap) {
    if (a.entries.size !== b.entries.size) return false;
    for (const [key, value] of a.entries)
      if (!b.entries.has(key) || !same(value, b.entries.get(key))) return false;
    return true;
  }
  return false;
}
