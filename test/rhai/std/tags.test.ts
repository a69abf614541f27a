import { describe, expect, test } from "bun:test";
import { error, shown } from "../run.ts";

/** A script that ends in a list, and the list; the answers are the official ones. */
function table(name: string, cases: readonly (readonly [string, string])[]): void {
  describe(name, () => {
    for (const [source, answer] of cases) test(source, () => expect(shown(source)).toBe(answer));
  });
}

table("a tag travels with copies of the value", [
  ["let x = 5; x.tag = 3; let y = x; y.tag = 4; [x.tag, y.tag]", "[3, 4]"],
  ["let x = 5; x.tag = 3; fn f(v) { v.tag } [f(x), x.tag]", "[3, 3]"],
  ["let x = 5; x.tag = 3; let a = [x, #{k: x}]; a.push(x); [a[0].tag, a[1].k.tag, a[2].tag]", "[3, 3, 3]"],
  ["fn f() { let x = true; x.tag = 3; x } f().tag", "3"],
  ["let x = [1]; x.tag = 3; let y = x; y.push(2); [x.tag, y.tag]", "[3, 3]"],
  ["let x = 1; let f = || { x.tag = 4; x }; f.call(); x.tag", "4"],
  ["let a = [1, 2]; a[0].tag = 5; [a[0].tag, a[1].tag, a]", "[5, 0, [1, 2]]"],
  ["let x = 'c'; x.tag = 3; let r = 1..2; r.tag = 4; [x.tag, x, r.tag, r]", "[3, 'c', 4, 1..2]"],
]);

table("a string leaves its tag behind in a new variable", [
  ['let x = "s"; x.tag = 3; let y = x; [x.tag, y.tag]', "[3, 0]"],
  ['let x = "s"; x.tag = 3; let y = ""; y = x; y.tag', "3"],
]);

table("what changes a value in its place leaves the tag, a new value has none", [
  ["let x = 5; x.tag = 3; x -= 7; [x.tag, x]", "[3, -2]"],
  ["let x = 5.5; x.tag = 3; x += 1.5; [x.tag, x]", "[3, 7.0]"],
  ["let x = 5; x.tag = 3; x += 1.5; [x.tag, x]", "[0, 6.5]"],
  ["let x = \"a\"; x.tag = 3; x += \"b\"; x += 'c'; x.make_upper(); x[0] = 'z'; [x.tag, x]", '[3, "zBC"]'],
  ["let x = 5; x.tag = 3; x[0] = false; [x.tag, x]", "[3, 4]"],
  ["fn f() { this += 1; this.tag } let x = 1; x.tag = 3; [x.f(), x, x.tag]", "[3, 2, 3]"],
  ["let x = 5; x.tag = 3; let y = x + 1; x = 7; [x.tag, y.tag]", "[0, 0]"],
]);

table("a tagged value is used like any other", [
  [
    "let x = 5; x.tag = 3; [x == 5, 5 == x, x != 5, x < 6, x >= 6, -x, x << 1, x ** 2, x..7]",
    "[true, true, false, true, false, -5, 10, 25, 5..7]",
  ],
  ["let x = true; x.tag = 3; [x, !x, x && true, if x { 1 } else { 2 }]", "[true, false, true, 1]"],
  ['let i = 1; i.tag = 3; let k = "k"; k.tag = 3; [[5, 6][i], "ab"[i], #{k: 7}[k]]', "[6, 'b', 7]"],
  [
    'let x = "ab"; x.tag = 3; let n = 0; for c in x { n += 1; } [x.len, `<${x}>` + x, n, type_of(x)]',
    '[2, "<ab>ab", 2, "string"]',
  ],
  ["let x = 1; x.tag = 3; [x.abs(), max(x, 5), x in [1, 2], [2, 1].index_of(x)]", "[1, 5, true, 1]"],
]);

test("errors name the type of the tagged value", () => {
  expect(error("let x = 1; x.tag = 3; x.nope()").text).toBe("Function not found: nope (i64)");
  expect(error("let x = 1; x.tag = 3; x.nope").text).toContain("for type 'i64'");
});
