import { describe, expect, test } from "bun:test";
import { error, run, shown } from "./run.ts";

/** What the official interpreter answers where the order of evaluation shows. */

const P = "fn p(n, v) { print(n); v } fn two(a, b) { [a, b] } fn set() { this = 5; 2 } ";

/** What was printed, then the value or the error. */
function trace(source: string): string {
  const lines: string[] = [];
  const result = run(P + source, { print: (text) => lines.push(text) });
  const end = result.ok ? "" : result.error.text;
  return [...lines, end].filter((line) => line !== "").join(" ");
}

describe("arguments of all steps of a chain come before its root and its steps", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["[1/0].push(2/0)", "Division by zero: 2 / 0"],
    ["#{a: 1/0}.foo(2/0)", "Division by zero: 2 / 0"],
    ["[1/0].map(|x| x + nope)", "Variable not found: nope"],
    ["let a = [1]; a.len().foo(p(1, 0))", "1 Function not found: foo (i64, i64)"],
    ["let a = #{}; a.x.y[p(1, 0)]", "1 Unknown property 'y' - a getter is not registered for type '()'"],
    ["let x = (); x?[p(1, 0)]; x?.foo(p(2, 0))[p(3, 0)]", "1 2 3"],
    ['call(Fn("two"), nope, p(1, 0))', "1 Variable not found: nope"],
  ];
  for (const [source, answer] of cases) test(source, () => expect(trace(source)).toBe(answer));
});

describe("an operator reads its target after its operand was evaluated", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["let i = 1; i -= i.set(); i", "3"],
    ["let i = 1; let j = i + i.set(); [i, j]", "[5, 3]"],
    ["let i = 1; [i, i.set(), i]", "[1, 2, 5]"],
  ];
  for (const [source, answer] of cases) test(source, () => expect(shown(P + source)).toBe(answer));
});

describe("a property that an operator was to change is there, even when the operator failed", () => {
  for (const target of ['m["k"]', "m.k", "m.n.k", 'm.n["k"]', "m?.k"]) {
    test(target, () => {
      const answer = target.includes("n") ? '#{"n": #{"k": ()}}' : '#{"k": (), "n": #{}}';
      expect(shown(`let m = #{n: #{}}; try { ${target} += 1 } catch {} m`)).toBe(answer);
    });
  }
});

test("what a method was reached through is locked while it calls back", () => {
  for (const source of ["let g = #{l: [1]}; g.l.map(|x| g.l)", "let g = [[1]]; g[0].for_each(|x| g.len())"])
    expect(error(source).text).toContain("Data race detected");
});

test("a pointer called on a value gets it before the arguments that it carries", () => {
  expect(shown('let a = [1]; a.call(Fn("push").curry(2)); a')).toBe("[1, 2]");
  expect(shown('let a = [1]; a.call(Fn("insert").curry(0), 4); a')).toBe("[4, 1]");
});

test("a comparer that fails leaves values of one type alone, and puts those of different types in a fixed order", () => {
  expect(shown('let a = [3, -0.5, 2]; a.sort("nope"); a')).toBe("[3, 2, -0.5]");
  expect(shown("[2, 1, 3].order(|x, y| ())")).toBe("[2, 1, 3]");
});

test("which of several natives is meant is not taken from what an argument might be", () => {
  for (const argument of ["#{a: 1}", "'c'", "1..2"]) {
    expect(error(`let a = [3, 1, 2]; a.sort(${argument})`).kind).toBe("ErrorFunctionNotFound");
  }
});

test("literal containers show as in the host's form only in a string of nothing but literals", () => {
  expect(shown("`${['c']} ${1}`")).toBe("\"['c'] 1\"");
  expect(shown("let x = 1; `${['c']} ${x}`")).toBe('"[c] 1"');
});
