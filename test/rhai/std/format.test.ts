import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RhaiError } from "../../../src/rhai/runtime/errors.ts";
import {
  debugFloat,
  debugText,
  decimal,
  display,
  displayFloat,
  toDebugValue,
} from "../../../src/rhai/runtime/format.ts";
import { INT_MAX } from "../../../src/rhai/runtime/int.ts";
import { Cell, FnPtr, Range, RhaiArray, type Value } from "../../../src/rhai/runtime/values.ts";
import { blob, c, f, map, range, rhai, upTo } from "./context.ts";

describe("floats", () => {
  const cases: readonly [value: number, printed: string, nested: string][] = [
    [1, "1.0", "1.0"],
    [-0, "0.0", "-0.0"],
    [0.1, "0.1", "0.1"],
    [1e-5, "0.00001", "1e-5"],
    [1.5e-13, "0.00000000000015", "1.5e-13"],
    [1e-14, "1e-14", "1e-14"],
    [9999999827968, "9999999827968.0", "9999999827968.0"],
    [9999999827969, "9.999999827969e12", "9999999827969.0"],
    [1e15, "1e15", "1000000000000000.0"],
    [1e16, "1e16", "1e16"],
    [123456.789, "123456.789", "123456.789"],
    [-2.5e300, "-2.5e300", "-2.5e300"],
    [NaN, "NaN", "NaN"],
    [Infinity, "inf", "inf"],
    [-Infinity, "-inf", "-inf"],
  ];
  for (const [value, printed, nested] of cases) {
    test(`${value} prints as ${printed} and nests as ${nested}`, () => {
      expect(displayFloat(value)).toBe(printed);
      expect(debugFloat(value)).toBe(nested);
    });
  }

  test("both forms read back as the same number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(debugFloat(value))).toBe(value);
        expect(Number(displayFloat(value))).toBe(value + 0);
        expect(Number(decimal(value))).toBe(value + 0);
        expect(decimal(value)).not.toContain("e");
      }),
    );
  });
});

describe("values", () => {
  const pointer = new FnPtr("foo", [1, "x"]);
  const cases: readonly [value: Value, printed: string, nested: string, host: string][] = [
    [undefined, "", "()", "()"],
    [true, "true", "true", "true"],
    [-7, "-7", "-7", "-7"],
    [INT_MAX, "9223372036854775807", "9223372036854775807", "9223372036854775807"],
    ["a\"b'", "a\"b'", '"a\\"b\'"', '"a\\"b\'"'],
    [
      "\u001b\u200b\n\t\\\0",
      "\u001b\u200b\n\t\\\0",
      '"\\u{1b}\\u{200b}\\n\\t\\\\\\0"',
      '"\\u{1b}\\u{200b}\\n\\t\\\\\\0"',
    ],
    ["né🐢", "né🐢", '"né🐢"', '"né🐢"'],
    ["e\u0301", "e\u0301", '"e\\u{301}"', '"e\\u{301}"'],
    [c("'"), "'", "'", "'\\''"],
    [rhai(["a", c("b"), [null]]), '["a", b, [()]]', '["a", b, [()]]', "[\"a\", 'b', [()]]"],
    [
      map({ z: 1, a: c("x"), "": "q" }),
      '#{"": "q", "a": x, "z": 1}',
      '#{"": "q", "a": x, "z": 1}',
      '#{"": "q", "a": \'x\', "z": 1}',
    ],
    [
      blob(1, 2, 3, 4, 5, 6, 7, 8, 255),
      "[0102030405060708 ff]",
      "[0102030405060708 ff]",
      "[0102030405060708 ff]",
    ],
    [blob(), "[]", "[]", "[]"],
    [range(1, 3), "1..3", "1..3", "1..3"],
    [upTo(1, 3), "1..=3", "1..=3", "1..=3"],
    [new Range(2, INT_MAX, false), "2..", "2..", "2.."],
    [pointer, "Fn(foo)", "Fn(foo)", 'Fn("foo", 1, "x")'],
    [rhai([f(1e-5)]), "[1e-5]", "[1e-5]", "[1e-5]"],
  ];
  for (const [value, printed, nested, host] of cases) {
    test(`${host} prints as ${JSON.stringify(printed)}`, () => {
      expect(display(value)).toBe(printed);
      expect(debugText(value)).toBe(nested);
      expect(toDebugValue(value)).toBe(host);
    });
  }

  test("keys are listed in the order of their bytes, where a surrogate pair comes last", () => {
    expect(display(map({ "🐢": 1, "\uffee": 2, b: 3, a: 4 }))).toBe(
      '#{"a": 4, "b": 3, "\uffee": 2, "🐢": 1}',
    );
  });

  test("a closure that holds itself is written once", () => {
    const cell = new Cell(undefined);
    cell.value = new FnPtr("f", [cell]);
    expect(toDebugValue(cell.value)).toBe('Fn("f", Fn("f", <shared>) (shared))');
  });

  test("writing stops at the limit, also for containers that share their storage", () => {
    let value = rhai([1, 2, 3]);
    for (let i = 0; i < 60; i++) {
      const inner = value as RhaiArray;
      value = new RhaiArray([inner.copy(), inner.copy()]);
    }
    expect(() => display(value, 10_000)).toThrow(RhaiError);
  });
});
