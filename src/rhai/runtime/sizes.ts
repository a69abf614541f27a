import type { EngineLimits } from "./native.ts";
import { byteLength } from "./text.ts";
import { RhaiArray, RhaiBlob, RhaiMap, type Value } from "./values.ts";

/** How large a value is with all that is nested in it, in the units of the size limits. */
export interface Sizes {
  items: number;
  entries: number;
  /** Bytes of UTF-8. */
  text: number;
}

/** Counts until a limit is passed; past that the numbers are only known to be too large. */
export function sizesOf(value: Value, limits: EngineLimits): Sizes {
  const sizes: Sizes = { items: 0, entries: 0, text: 0 };
  addSizes(value, sizes, limits, true);
  return sizes;
}

function addSizes(value: Value, sizes: Sizes, limits: EngineLimits, top: boolean): void {
  if (typeof value === "string") {
    sizes.text += byteLength(value);
    return;
  }
  if (typeof value !== "object") return;
  if (value instanceof RhaiArray) {
    const { items } = value;
    sizes.items += items.length;
    if (tooLarge(sizes, limits)) return;
    for (const item of items) {
      if (typeof item === "object" || typeof item === "string") addSizes(item, sizes, limits, false);
    }
  } else if (value instanceof RhaiMap) {
    sizes.entries += value.entries.size;
    if (tooLarge(sizes, limits)) return;
    for (const item of value.entries.values()) {
      if (typeof item === "object" || typeof item === "string") addSizes(item, sizes, limits, false);
    }
  } else if (value instanceof RhaiBlob) {
    // The official count of a nested blob has one more for the element itself only.
    sizes.items += value.length + (top ? 0 : 1);
  }
}

function tooLarge(sizes: Sizes, limits: EngineLimits): boolean {
  return (
    (limits.maxArraySize > 0 && sizes.items > limits.maxArraySize) ||
    (limits.maxMapSize > 0 && sizes.entries > limits.maxMapSize)
  );
}
