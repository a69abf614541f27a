import { describe, expect, test } from "bun:test";
import { officialMessage, parse } from "../../../src/rhai/syntax/index.ts";
import { readCases } from "../conformance.ts";

const messages = (source: string): string[] => {
  const parsed = parse(source);
  return parsed.ok ? [] : parsed.diagnostics.map((one) => officialMessage(one).replace("Syntax error: ", ""));
};

describe("more than one error", () => {
  test("of several functions and of the statements around them", () => {
    const source =
      "fn a() {\n  let = 1;\n}\nlet x = ;\nfn b() { 1 +* 2 }\nfn c() { 3 }\nlet y = ;\nprivate fn d() { if { } }\n";
    expect(messages(source)).toEqual([
      "Expecting name of a variable (line 2, position 7)",
      "Unexpected ';' (line 4, position 9)",
      "Unexpected '*' (line 5, position 13)",
      "Expecting a boolean expression (line 8, position 21)",
    ]);
  });

  test("the official one is told first, wherever it stands", () => {
    expect(messages("let x = ;\nfn a() { let }")[0]).toBe("Unexpected ';' (line 1, position 9)");
  });

  test("columns behind characters outside of the BMP are right", () => {
    const [, second] = messages('fn a() { "🐢🐢" + } fn b() { 2 + }');
    const [alone] = messages('fn a() { "🐢🐢" } ; fn b() { 2 + }');
    expect(second).toBe(alone ?? "");
  });

  test("nothing is told that comes from the first error", () => {
    for (const source of [
      "fn a() { if x { 1 }\nfn b() { let }\n",
      "fn a() { 1 } }\nfn b() { let }",
      "let A = ;\nA = 2;\nlet B = ;",
      "const A = 1; { let A = ; } A = 2",
      'fn a() { "abc }\nfn b() { let }',
      "fn a() { (1 ] }\nfn b() { let }",
    ]) {
      expect(messages(source)).toHaveLength(1);
    }
  });

  test("every further error is still there once the ones before are mended", () => {
    const broken = readCases()
      .map((item) => item.script)
      .filter((script) => !parse(script).ok && !script.includes("fn ") && !/[{}()[\]"'`]/.test(script));
    expect(broken.length).toBeGreaterThan(20);
    for (const script of broken) {
      const source = `fn first() { let }\n${script}\nfn last() { let }\n`;
      const all = messages(source);
      const mended = messages(`fn first() { 1 }\n${script}\nfn last() { let }\n`);
      expect(all.slice(1)).toEqual(mended);
    }
  });

  test("ten at most", () => {
    expect(messages(Array.from({ length: 50 }, (_, i) => `fn f${i}() { let }`).join("\n"))).toHaveLength(10);
  });
});
