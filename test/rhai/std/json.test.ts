import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHost, type HostData, parseJson, toJson } from "../../../src/rhai/runtime/json.ts";
import { toDebugValue } from "../../../src/rhai/runtime/format.ts";
import { FnPtr, RhaiArray, type Value } from "../../../src/rhai/runtime/values.ts";
import { blob, c, f, map, range, rhai } from "./context.ts";

const fromArray = (value: Value): readonly Value[] => (value instanceof RhaiArray ? value.items : []);

describe("reading JSON", () => {
  const cases: readonly [json: string, value: string][] = [
    ["1", "1"],
    ["1.0", "1.0"],
    ["-0", "0"],
    ["-0.0", "-0.0"],
    ["1e2", "100.0"],
    ["9007199254740993", "9007199254740993"],
    ["9223372036854775807", "9223372036854775807"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["9223372036854775808", "9.223372036854776e18"],
    ["1e999", "inf"],
    ["null", "()"],
    [' [1, 2.5, "x"] ', '[1, 2.5, "x"]'],
    [
      '{"b": 1, "a": {"__proto__": [], "constructor": 2}}',
      '#{"a": #{"__proto__": [], "constructor": 2}, "b": 1}',
    ],
    ['{"a": 1, "a": 2.0}', '#{"a": 2.0}'],
    ['"\\ud83d\\udc22 \\u00e9"', '"🐢 é"'],
    ['["\\ud800", 1.5]', '["\ufffd", 1.5]'],
  ];
  for (const [json, value] of cases) {
    test(`${json} is ${value}`, () => {
      expect(toDebugValue(parseJson(json))).toBe(value);
    });
  }

  const failures: readonly [json: string, message: string][] = [
    ["", "line 1, column 1: the text ends too early"],
    ["[1,\n 2", "line 2, column 3: expected ',' or ']'"],
    ['{"a" 1}', "line 1, column 6: expected ':'"],
    ["{a: 1}", "line 1, column 2: expected a name in double quotes"],
    ["[1,]", "line 1, column 4: expected a value"],
    ["1 2", "line 1, column 3: expected the end of the text"],
    ["01", "line 1, column 2: expected the end of the text"],
    ["nul", "line 1, column 1: expected a value"],
    ['"a\\q"', "line 1, column 1: a text in double quotes has an escape that JSON does not know"],
  ];
  for (const [json, message] of failures) {
    test(`${JSON.stringify(json)} is refused: ${message}`, () => {
      expect(() => parseJson(json)).toThrow(message);
    });
  }

  test("texts may be of any length, with escapes and without, and their ends are found", () => {
    for (const part of ["x", "\n", "\u0001é", '\\"'])
      for (const count of [1, 49, 50, 51, 101, 3_000_000]) {
        const text = part.repeat(count);
        // The float makes it the exact parser's.
        const [read, after] = fromArray(parseJson(`[${JSON.stringify(text)}, 1.0]`));
        expect([part, count, read === text, after]).toEqual([part, count, true, f(1)]);
      }
    expect(() => parseJson(`[1.0, "${"\\n".repeat(3_000_000)}`)).toThrow("is not ended");
    expect(() => parseJson('[1.0, "a\\nb\nc"]')).toThrow(
      "line 1, column 7: a text in double quotes is not ended",
    );
    expect(() => parseJson('[1.0, "a\\')).toThrow("line 1, column 7: a text in double quotes is not ended");
  });

  test("nesting has a bound, however deep the text is", () => {
    const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
    expect(toJson(parseJson(deep(512)))).toBe(deep(512));
    expect(() => parseJson(deep(513))).toThrow("nested deeper than 512 levels");
    expect(() => parseJson(deep(1_000_000))).toThrow("nested deeper than 512 levels");
    expect(() => parseJson(`${"[".repeat(100_000)}1.5`)).toThrow("nested deeper than 512 levels");
  });
});

describe("writing JSON", () => {
  const cases: readonly [value: Value, json: string][] = [
    [undefined, "null"],
    [1, "1"],
    [f(1), "1.0"],
    [f(1e300), "1e+300"],
    [9223372036854775807n, "9223372036854775807"],
    [c("é"), '"é"'],
    ['a"\n', '"a\\"\\n"'],
    [blob(1, 2, 255), '"AQL/"'],
    [rhai([1, [true, null]]), "[1,[true,null]]"],
    [map({}), "{}"],
    [map({ b: 1, a: "x" }), '{"a":"x","b":1}'],
  ];
  for (const [value, json] of cases) {
    test(`${toDebugValue(value)} is ${json}`, () => {
      expect(toJson(value)).toBe(json);
    });
  }

  test("names the place of what JSON cannot hold", () => {
    expect(() => toJson(map({ a: [1, f(NaN)] }))).toThrow("a[1] is NaN, which JSON cannot hold");
    expect(() => toJson(map({ a: map({ b: range(1, 2) }) }))).toThrow(
      "a.b is of type range, which JSON cannot hold",
    );
    expect(() => toJson(new FnPtr("f"))).toThrow("the value is of type Fn, which JSON cannot hold");
  });

  test("what was written reads back as the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        const value = fromHost(data as HostData);
        expect(toDebugValue(parseJson(toJson(value)))).toBe(toDebugValue(value));
        expect(JSON.parse(toJson(value))).toEqual(JSON.parse(JSON.stringify(data)));
      }),
    );
  });
});
