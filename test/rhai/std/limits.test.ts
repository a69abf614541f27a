import { describe, expect, test } from "bun:test";
import { RhaiError } from "../../../src/rhai/runtime/errors.ts";
import type { EngineLimits } from "../../../src/rhai/runtime/native.ts";
import type { RhaiArray, Value } from "../../../src/rhai/runtime/values.ts";
import { blob, c, callNative, callOn, map, rhai, TestContext } from "./context.ts";

const LIMITS: Partial<EngineLimits> = { maxStringSize: 1000, maxArraySize: 1000, maxMapSize: 1000 };

/** Calls of which each asks for more than the limits allow, many for more than the machine has. */
const TOO_LARGE: readonly [name: string, args: () => readonly Value[]][] = [
  ["pad", () => ["x", 1_000_000_000_000, c("y")]],
  ["pad", () => ["x", 1_000_000_000_000, "yz"]],
  ["pad", () => ["x", 600, "🐢"]],
  ["pad", () => [rhai([]), 1_000_000_000_000, 1]],
  ["pad", () => [rhai([]), 100, rhai(Array.from({ length: 100 }, () => 0))]],
  ["pad", () => [blob(), 1_000_000_000_000, 1]],
  ["blob", () => [1_000_000_000_000]],
  ["blob", () => [9223372036854775807n, 7]],
  ["+", () => ["x".repeat(600), "y".repeat(600)]],
  ["+", () => ["x".repeat(999), rhai([1])]],
  ["replace", () => ["x".repeat(600), "x", "yy"]],
  ["replace", () => ["x".repeat(600), "", "y"]],
  ["append", () => [rhai(Array.from({ length: 600 }, () => 0)), rhai(Array.from({ length: 600 }, () => 0))]],
  ["push", () => [rhai(Array.from({ length: 1000 }, () => 0)), 1]],
  ["insert", () => [rhai(Array.from({ length: 1000 }, () => 0)), 0, 1]],
  ["+", () => [rhai(Array.from({ length: 600 }, () => 0)), rhai(Array.from({ length: 600 }, () => 0))]],
  ["append", () => [callNative(new TestContext(), "blob", [600]) as Value, "y".repeat(600)]],
  ["split", () => ["x,".repeat(1200), ","]],
  ["to_chars", () => ["x".repeat(1200)]],
  ["to_blob", () => ["x".repeat(1200)]],
  ["set", () => [map(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]))), "new", 1]],
  ["to_json", () => [map({ a: "x".repeat(999) })]],
  ["to_string", () => [rhai(Array.from({ length: 900 }, () => 12))]],
];

describe("limits", () => {
  for (const [name, args] of TOO_LARGE) {
    const made = args();
    const about = made.map((value) =>
      typeof value === "object" ? value.constructor.name : String(value).slice(0, 12),
    );
    test(`${name}(${about.join(", ")}) is refused before it takes the memory`, () => {
      const context = new TestContext(LIMITS);
      const heap = process.memoryUsage().heapUsed;
      try {
        callOn(context, name, made);
        throw new Error("no error");
      } catch (error) {
        if (!(error instanceof RhaiError)) throw error;
        expect(error.kind).toBe("ErrorDataTooLarge");
      }
      expect(process.memoryUsage().heapUsed - heap).toBeLessThan(50_000_000);
    });
  }

  test("what fits exactly is allowed", () => {
    const context = new TestContext(LIMITS);
    expect(callOn(context, "pad", ["x", 1000, c("y")]).value).toHaveLength(1000);
    const array = rhai([]) as RhaiArray;
    callOn(context, "pad", [array, 1000, 1]);
    expect(array.items).toHaveLength(1000);
  });

  test("nested elements count when a large array grows one by one", () => {
    const context = new TestContext({ maxArraySize: 10_000 });
    const array = rhai([]) as RhaiArray;
    const inner = rhai(Array.from({ length: 99 }, () => 0)) as RhaiArray;
    expect(() => {
      for (let i = 0; i < 10_000; i++) callOn(context, "push", [array, inner.copy()]);
    }).toThrow(RhaiError);
    expect(array.items.length).toBeLessThan(120);
  });
});

/** Functions that go through all their data, with large data. */
const MUCH_WORK: readonly [name: string, args: () => readonly Value[]][] = [
  ["reverse", () => [many()]],
  ["sort", () => [many()]],
  ["contains", () => [many(), -1]],
  ["index_of", () => [many(), -1]],
  ["==", () => [many(), many()]],
  ["dedup", () => [many()]],
  ["extract", () => [many(), 0]],
  ["insert", () => [many(), 0, 1]],
  ["to_upper", () => ["x".repeat(100_000)]],
  ["index_of", () => ["x".repeat(100_000), "y"]],
  ["replace", () => ["x".repeat(100_000), "x", "y"]],
  ["split", () => ["x y ".repeat(30_000)]],
  ["to_chars", () => ["x".repeat(100_000)]],
  ["to_array", () => [callNative(new TestContext(), "blob", [100_000]) as Value]],
];

const many = (): Value => rhai(Array.from({ length: 100_000 }, (_, i) => i));

describe("work in proportion to the data", () => {
  for (const [name, args] of MUCH_WORK) {
    const made = args();
    test(`${name}(${typeof made[0] === "string" ? "text" : "container"}) is charged for`, () => {
      const context = new TestContext();
      callOn(context, name, made);
      expect(context.operations).toBeGreaterThan(300);
    });
  }

  test("comparing containers that share their storage stops at the limit", () => {
    const context = new TestContext({ maxOperations: 100_000 });
    let value = rhai([1, 2, 3, 4]) as RhaiArray;
    for (let i = 0; i < 40; i++) value = rhai([value.copy(), value.copy()]) as RhaiArray;
    expect(() => callNative(context, "==", [value, value.copy()])).toThrow(RhaiError);
  });
});
