import { describe, expect, test } from "bun:test";
import {
  elementsEqual,
  equals,
  greaterEqual,
  less,
  lessEqual,
  notEquals,
} from "../../../src/rhai/runtime/equality.ts";
import { INT_MAX } from "../../../src/rhai/runtime/int.ts";
import { U8 } from "../../../src/rhai/runtime/u8.ts";
import { FnPtr, type Value } from "../../../src/rhai/runtime/values.ts";
import { blob, c, f, failureOf, map, range, rhai, shown, upTo } from "./context.ts";

const NAN = f(NaN);
const INF = f(Infinity);

describe("== and !=", () => {
  const cases: readonly [a: Value, b: Value, equal: boolean, different: boolean][] = [
    [1, 1, true, false],
    [1, f(1), true, false],
    [INT_MAX, 9007199254740991, false, true],
    [9007199254740991, 9007199254740992n, false, true],
    [f(0.1 + 0.2), f(0.3), true, false],
    [f(0), f(1e-17), true, false],
    [f(1), f(1 + 1e-15), false, true],
    [NAN, NAN, false, false],
    [INF, INF, false, false],
    [INF, 1, false, false],
    ["a", c("a"), true, false],
    ["ab", c("a"), false, true],
    [undefined, undefined, true, false],
    [undefined, "", false, true],
    [1, "1", false, true],
    [true, 1, false, true],
    [rhai([1, "a"]), rhai([f(1), c("a")]), true, false],
    [rhai([1]), rhai([1, 2]), false, true],
    [rhai([NAN]), rhai([NAN]), false, true],
    [rhai([range(1, 2)]), rhai([upTo(1, 2)]), false, true],
    [map({ a: 1 }), map({ a: f(1) }), true, false],
    [map({ a: null }), map({ b: null }), false, true],
    [blob(1, 2), blob(1, 2), true, false],
    [blob(1, 2), rhai([1, 2]), false, true],
    [range(1, 2), range(1, 2), true, false],
    [new FnPtr("f"), 1, false, true],
    [new U8(1), new U8(1), true, false],
    [new U8(1), "a", false, true],
  ];
  for (const [a, b, equal, different] of cases) {
    test(`${shown(a)} and ${shown(b)}: == is ${equal}, != is ${different}`, () => {
      expect(equals(a, b)).toBe(equal);
      expect(notEquals(a, b)).toBe(different);
    });
  }

  const failures: readonly [string, () => unknown, string][] = [
    ["two functions", () => equals(new FnPtr("f"), new FnPtr("f")), "== (Fn, Fn)"],
    ["two functions by !=", () => notEquals(new FnPtr("f"), new FnPtr("f")), "!= (Fn, Fn)"],
    [
      "functions in arrays by !=",
      () => notEquals(rhai([new FnPtr("f")]), rhai([new FnPtr("f")])),
      "== (Fn, Fn)",
    ],
    ["the two kinds of range", () => equals(upTo(1, 3), range(1, 4)), "== (range=, range)"],
    [
      "kinds of range in maps",
      () => equals(map({ a: range(1, 2) }), map({ a: upTo(1, 2) })),
      "== (range, range=)",
    ],
    ["a byte and an integer", () => equals(new U8(1), 1), "== (u8, i64)"],
  ];
  for (const [name, body, signature] of failures) {
    test(`${name} cannot be compared`, () => {
      expect(failureOf(body)).toBe(`Function not found: ${signature}`);
    });
  }

  test("the two kinds of range differ", () => {
    expect(notEquals(upTo(1, 3), range(1, 4))).toBe(true);
    expect(elementsEqual(upTo(1, 3), range(1, 4))).toBe(false);
  });
});

describe("order", () => {
  test("numbers compare across types, floats with tolerance", () => {
    expect(less(1, f(1.5))).toBe(true);
    expect(less(f(0.3), f(0.1 + 0.2))).toBe(false);
    expect(lessEqual(f(0.1 + 0.2), f(0.3))).toBe(true);
    expect(greaterEqual(INF, INF)).toBe(false);
    expect(less(9223372036854775806n, INT_MAX)).toBe(true);
  });

  test("texts compare by scalar values", () => {
    expect(less("a", "b")).toBe(true);
    expect(less("a", c("b"))).toBe(true);
    expect(less("\uffee", "🐢")).toBe(true);
    expect(less("ab", "abc")).toBe(true);
  });

  test("nothing holds between values of different types, nor between units", () => {
    expect(less(1, "a")).toBe(false);
    expect(lessEqual(undefined, undefined)).toBe(false);
    expect(greaterEqual(rhai([1]), 2)).toBe(false);
  });

  test("two values of one type without an order are an error", () => {
    expect(failureOf(() => less(rhai([1]), rhai([2])))).toBe("Function not found: < (array, array)");
    expect(failureOf(() => lessEqual(range(1, 2), upTo(1, 2)))).toBe(
      "Function not found: <= (range, range=)",
    );
  });
});
