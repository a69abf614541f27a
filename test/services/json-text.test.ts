import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { exactJson, JsonTextError, membersOf } from "../../src/services/json-text.ts";

const refusal = (text: string, maxBytes = 1000): string => {
  try {
    return `taken: ${exactJson(text, maxBytes)}`;
  } catch (error) {
    if (error instanceof JsonTextError)
      return `${error.isMalformed ? "malformed" : "unfit"}: ${error.message}`;
    throw error;
  }
};

describe("a JSON text to be stored", () => {
  test("keeps every digit, and loses the space between its parts", () => {
    const text = ` { "a b" : [ 1 , 1.0, 9223372036854775807, 0.10000000000000000001, 1e3, -0.0 ] ,\n\t"c" : " \\" , { " } `;
    expect(exactJson(text, 1000)).toBe(
      '{"a b":[1,1.0,9223372036854775807,0.10000000000000000001,1e3,-0.0],"c":" \\" , { "}',
    );
  });

  test("means the same as before", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(exactJson(text, 1e6)).toBe(JSON.stringify(value));
      }),
      { seed: 5 },
    );
  });

  test("is as large as it may be, and no larger", () => {
    expect(refusal('"éé"', 6)).toBe('taken: "éé"');
    expect(refusal('  "éé"  ', 6)).toBe('taken: "éé"');
    expect(refusal('"ééé"', 7)).toBe("unfit: is larger than 7 bytes as JSON");
  });

  test("is refused for what the database or a script cannot hold", () => {
    expect(refusal('["\\u0000"]')).toBe("unfit: holds a NUL character");
    expect(refusal('["\\\\u0000"]')).toBe('taken: ["\\\\u0000"]');
    expect(refusal('{"\\u0000":1}')).toBe("unfit: holds a NUL character");
    expect(refusal('["\\ud800"]')).toBe("unfit: holds half of a surrogate pair");
    expect(refusal('["\\ud83d\\ude00"]')).toBe('taken: ["\\ud83d\\ude00"]');
    expect(refusal("1e400")).toBe("unfit: holds a number that is beyond the range of floats");
    expect(refusal("[1e-400]")).toBe("unfit: holds a number that is beyond the range of floats");
    expect(refusal("0e-400")).toBe("taken: 0e-400");
    expect(refusal("9".repeat(308))).toStartWith("taken");
    expect(refusal("9".repeat(310))).toStartWith("unfit");
    expect(refusal("[".repeat(512) + "]".repeat(512), 2000)).toStartWith("taken");
    expect(refusal("[".repeat(513) + "]".repeat(513), 2000)).toContain("nested deeper than 512 levels");
    expect(refusal("[".repeat(1_000_000))).toContain("nested deeper than 512 levels");
  });

  test("is refused with the place when it is no JSON", () => {
    for (const text of [
      "",
      " ",
      "{",
      "[1,]",
      "{a:1}",
      "1 2",
      "'a'",
      "NaN",
      "01",
      "1.",
      '"a\nb"',
      "undefined",
    ])
      expect([text, refusal(text)]).toEqual([
        text,
        expect.stringMatching(/^malformed: is not JSON: line \d+, column \d+: /),
      ]);
  });
});

describe("the members of an object", () => {
  test("are texts of their own", () => {
    const members = membersOf(` { "a" : { "b" : [ 1.0 , "}" ] } , "\\u0063":2 , "a,": "x:y", "e": {} } `);
    expect([...members]).toEqual([
      ["a", '{"b":[1.0,"}"]}'],
      ["c", "2"],
      ["a,", '"x:y"'],
      ["e", "{}"],
    ]);
    expect([...membersOf("{}")]).toEqual([]);
  });

  test("count once, as the last of their name, whatever it is", () => {
    expect([...membersOf('{"a":1,"a":2,"__proto__":3,"":":"}')]).toEqual([
      ["a", "2"],
      ["__proto__", "3"],
      ["", '":"'],
    ]);
  });

  test("are what JSON.parse finds", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value, null, 1);
        const again = [...membersOf(text)].map(([name, json]) => [name, JSON.parse(json) as unknown]);
        expect(again).toEqual(Object.entries(JSON.parse(text) as object));
      }),
      { seed: 5 },
    );
  });

  test("are of an object and of nothing else", () => {
    for (const text of ["[]", "1", '"{}"', "null"])
      expect(() => membersOf(text)).toThrow("is not a JSON object");
    expect(() => membersOf("{")).toThrow("is not JSON");
  });
});
