import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { arrayLiteral, parseArray } from "../../src/database/arrays.ts";
import { emptyDatabase, type TestDatabase } from "../support/postgres.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;

beforeAll(async () => {
  database = await emptyDatabase();
});

afterAll(() => database.drop());

const id = "018f4c2e-0000-7000-8000-000000000000";

describe("arrays of the built-in types", () => {
  test("come back as they went, with quotes, commas, nulls, the word NULL and nesting", async () => {
    const { db } = database;
    const texts = ["a", 'say "hi"', "back\\slash", "comma,brace{}", "", " ", "NULL", "é\n", null];
    const at = new Date("2026-02-03T04:05:06.789Z");
    const [row] =
      await db`SELECT ${texts}::text[] AS texts, ${[1, -2]}::int4[] AS ints, ${[2 ** 40]}::int8[] AS longs,
      ${db.array([9223372036854775807n], 20)}::int8[] AS big, ${[1.5]}::float8[] AS floats, ${[id]}::uuid[] AS ids,
      ${db.array([at])}::timestamptz[] AS times, ${db.array([true, false])}::bool[] AS flags,
      ARRAY[jsonb_build_object('a', 'b"c')] AS docs, ${db.array([Buffer.from([0, 255])])}::bytea[] AS bytes, ${[]}::text[] AS none,
      ${[
        [1, 2],
        [3, 4],
      ]}::int4[] AS nested, '[0:1]={5,6}'::int4[] AS shifted`;
    expect(row).toEqual({
      texts,
      ints: [1, -2],
      longs: [2 ** 40],
      big: [9223372036854775807n],
      floats: [1.5],
      ids: [id],
      times: [at],
      flags: [true, false],
      docs: [{ a: 'b"c' }],
      bytes: [Buffer.from([0, 255])],
      none: [],
      nested: [
        [1, 2],
        [3, 4],
      ],
      shifted: [5, 6],
    });
  });

  test("work in a condition", async () => {
    const rows = await database.db`SELECT 1 WHERE ${id}::uuid = ANY(${[id]}) AND 'x' = ANY(${["y", "x"]})`;
    expect(rows).toHaveLength(1);
  });

  test("refuse undefined and what is no array", () => {
    expect(() => arrayLiteral([undefined])).toThrow("An array parameter holds undefined; use null.");
    expect(() => arrayLiteral(7)).toThrow("An array is needed for a parameter of an array type.");
  });

  test("read what they write, for any text", () => {
    const texts = fc.array(fc.option(fc.string({ unit: "binary" })));
    fc.assert(
      fc.property(texts, (values) =>
        Bun.deepEquals(
          parseArray(arrayLiteral(values), (text) => text),
          values,
        ),
      ),
    );
  });
});
