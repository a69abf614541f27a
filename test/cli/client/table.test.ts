import { expect, test } from "bun:test";
import { jsonText } from "../../../src/cli/client/visible.ts";
import { tableOf, tableRows, tsvRows } from "../../../src/cli/client/table.ts";

test("TSV has a header, and no cell holds a tab or a line break", () => {
  expect(
    tsvRows(
      ["name", "text"],
      [
        ["a", "x\ty\nz\\\r"],
        ["b", null],
        ["c", ["p", "q"]],
        ["d", { e: 1 }],
      ],
    ),
  ).toBe('name\ttext\na\tx\\ty\\nz\\\\\\r\nb\t\nc\tp,q\nd\t{"e":1}\n');
});

test("a table is aligned by what is seen", () => {
  expect(
    tableRows(
      ["name", "live_version"],
      [
        ["日本", 1],
        ["a", 20],
      ],
      80,
    ),
  ).toBe("NAME  LIVE VERSION\n日本  1\na     20\n");
});

const ID = "0123456789abcdef";

test("what is too wide is cut, the widest first, and what must stay whole is not", () => {
  const table = tableRows(
    ["text", "id!"],
    [
      ["a long text that goes on and on", ID],
      ["short", ID],
    ],
    30,
  );
  expect(table).toBe(`TEXT          ID\na long text…  ${ID}\nshort         ${ID}\n`);
  for (const line of table.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(30);
});

test("what can be done without is left out before anything is cut", () => {
  const rows = [["x", "a text of some length", ID]];
  expect(tableRows(["a", "text", "id?"], rows, 30)).toBe("A  TEXT\nx  a text of some length\n");
  expect(tableRows(["a", "text", "id?"], rows, 50)).toContain(ID);
});

test("on a very narrow terminal columns keep a little of their width", () => {
  expect(tableRows(["a", "b"], [["x".repeat(20), "y".repeat(20)]], 5)).toBe(
    "A         B\nxxxxxxx…  yyyyyyy…\n",
  );
});

test("one thing is a line for each of its members", () => {
  expect(
    tableOf([
      ["name", "x"],
      ["description", ""],
      ["live", true],
    ]),
  ).toBe("name         x\ndescription\nlive         true\n");
});

test("JSON stays the same value, and holds nothing that a terminal acts on", () => {
  const value = { text: "a\u009b2Jb\u001b\u202ec\u2028\n\t", list: [1, null] };
  for (const text of [jsonText(value), jsonText(value, 2)]) {
    expect(JSON.parse(text)).toEqual(value);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  }
});
