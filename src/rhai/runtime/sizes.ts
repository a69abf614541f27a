import type { EngineLimits } from "./native.ts";
import { LONG_TEXT, type TextSizes } from "./text-sizes.ts";
import { RhaiArray, RhaiBlob, RhaiMap, type Sizes, type Value } from "./values.ts";

/**
 * How large a value is with all that is nested in it. Counts until a limit is passed; past that the numbers are only
 * known to be too large. What was counted is kept with each container until its storage changes, so that a value made
 * of others costs only its own elements. Growth two levels below a container that was counted is seen late: each
 * container is checked for itself when it grows. Unless it must be `exact`, long texts count with the most bytes they can
 * have, so that nobody looks at them.
 */
export function sizesOf(value: Value, limits: EngineLimits, texts: TextSizes, exact: boolean): Sizes {
  if (value instanceof RhaiArray || value instanceof RhaiMap) return measure(value, limits, texts, exact);
  const sizes: Sizes = { items: 0, entries: 0, text: 0, exact: true };
  if (value instanceof RhaiBlob) sizes.items = value.length;
  else if (typeof value === "string") sizes.text = texts.bytesOf(value);
  return sizes;
}

function measure(value: RhaiArray | RhaiMap, limits: EngineLimits, texts: TextSizes, exact: boolean): Sizes {
  const sizes: Sizes = { items: 0, entries: 0, text: 0, exact: true };
  if (value instanceof RhaiArray) {
    const { items } = value;
    sizes.items = items.length;
    for (const item of items) {
      if (typeof item !== "object" && typeof item !== "string") continue;
      addNested(item, sizes, limits, texts, exact);
      if (tooLarge(sizes, limits)) break;
    }
  } else {
    sizes.entries = value.entries.size;
    for (const item of value.entries.values()) {
      if (typeof item !== "object" && typeof item !== "string") continue;
      addNested(item, sizes, limits, texts, exact);
      if (tooLarge(sizes, limits)) break;
    }
  }
  value.measured = sizes;
  return sizes;
}

function addNested(value: Value, sizes: Sizes, limits: EngineLimits, texts: TextSizes, exact: boolean): void {
  if (typeof value === "string") {
    if (exact || value.length < LONG_TEXT) sizes.text += texts.bytesOf(value);
    else {
      sizes.text += value.length * 3;
      sizes.exact = false;
    }
  } else if (value instanceof RhaiArray || value instanceof RhaiMap) {
    let own = value.measured;
    if (own === null || (exact && !own.exact)) own = measure(value, limits, texts, exact);
    sizes.exact &&= own.exact;
    sizes.items += own.items;
    sizes.entries += own.entries;
    sizes.text += own.text;
  } else if (value instanceof RhaiBlob) sizes.items += value.length + 1;
}

function tooLarge(sizes: Sizes, limits: EngineLimits): boolean {
  return (
    (limits.maxArraySize > 0 && sizes.items > limits.maxArraySize) ||
    (limits.maxMapSize > 0 && sizes.entries > limits.maxMapSize)
  );
}
