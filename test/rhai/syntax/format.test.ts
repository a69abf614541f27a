import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { format, parse, tokenize } from "../../../src/rhai/syntax/index.ts";
import { threadTime } from "../../support/thread-time.ts";

const formatted = (source: string): string => {
  const result = format(source);
  if (!result.ok) throw new Error(`${source}: ${result.diagnostics[0].message}`);
  return result.text;
};

const lines = (...parts: string[]): string => `${parts.join("\n")}\n`;

describe("formatting", () => {
  test("puts one statement on a line, with the usual blanks", () => {
    expect(formatted("let   x=1;let y = -x+2*(3-  1)!=!z;\tf( a,b ) [0].c ;")).toBe(
      lines("let x = 1;", "let y = -x + 2 * (3 - 1) != !z;", "f(a, b)[0].c;"),
    );
    expect(formatted("let f=|x ,y|x;g(||1)")).toBe(lines("let f = |x, y| x;", "g(|| 1)"));
    expect(formatted("for(a,i)in 0 .. 10{a::b :: c ( ) }")).toBe(lines("for (a, i) in 0..10 { a::b::c() }"));
    expect(formatted("#{ a :1 , 'b':2 }".replaceAll("'", '"'))).toBe(lines('#{a: 1, "b": 2}'));
  });

  test("keeps a block on its line only if it was written so and has one statement", () => {
    expect(formatted("if a{b}else{c}")).toBe(lines("if a { b } else { c }"));
    expect(formatted("if a{\nb}else{}")).toBe(lines("if a {", "\tb", "} else {}"));
    expect(formatted("loop{a;b}")).toBe(lines("loop {", "\ta;", "\tb", "}"));
    expect(formatted("switch a{1|2=>b,_=>c}")).toBe(lines("switch a { 1 | 2 => b, _ => c }"));
    expect(formatted("switch a{1=>{b}\n_=>c}")).toBe(lines("switch a {", "\t1 => { b }", "\t_ => c", "}"));
  });

  test("breaks lists, operators and long chains of calls that exceed 100 columns", () => {
    const name = "a".repeat(31);
    expect(formatted(`f(${name}, ${name}, ${name}, 1)`)).toBe(
      lines("f(", `\t${name},`, `\t${name},`, `\t${name},`, "\t1", ")"),
    );
    expect(formatted(`let x = ${name} && ${name} || ${name} && b;`)).toBe(
      lines(`let x = ${name}`, `\t&& ${name}`, `\t|| ${name}`, "\t&& b;"),
    );
    expect(formatted(`x.${name}(1).${name}(2).${name}(3).b`)).toBe(
      lines("x", `\t.${name}(1)`, `\t.${name}(2)`, `\t.${name}(3).b`),
    );
  });

  test("lets a list end in an open block", () => {
    expect(formatted("xs.map(|x|{\nx*2})")).toBe(lines("xs.map(|x| {", "\tx * 2", "})"));
    expect(formatted("f(1,#{\na:1})")).toBe(lines("f(1, #{", "\ta: 1", "})"));
    expect(formatted("f(|x|{\nx},1)")).toBe(lines("f(", "\t|x| {", "\t\tx", "\t},", "\t1", ")"));
  });

  test("keeps comments, blank lines between statements and the text of strings", () => {
    const source = lines(
      "//! script",
      "let x = 1; // behind",
      "",
      "/// doc",
      "fn f() {",
      "\t// own line",
      "\t/* in */ 1 // last",
      "}",
      "let s = `a${ x+1 }",
      "  b`;",
      "[",
      "\t1, // one",
      "\t2 // two",
      "]",
    );
    expect(formatted(source)).toBe(source);
    expect(formatted("a;\n\n\n\nb;")).toBe(lines("a;", "", "b;"));
  });

  test("never lets tokens run together", () => {
    expect(formatted("let x = - 1; - - x; 1. ..2; ! !a; f!(1)")).toBe(
      lines("let x = - 1;", "- -x;", "1. ..2;", "!!a;", "f!(1)"),
    );
  });

  test("gives a text back as it was where moving a token would change it", () => {
    const source = 'let s =\n"a\\\n      b";';
    expect(formatted(source)).toBe(source);
  });

  test("refuses a script that does not parse", () => {
    expect(format("let x")).toEqual({ ok: true, text: "let x\n" });
    expect(format("let = 1")).toMatchObject({ ok: false, diagnostics: [{ code: "VariableExpected" }] });
  });

  test("of nothing is nothing", () => {
    expect(formatted(" \n")).toBe("");
    expect(formatted("// c")).toBe("// c\n");
  });
});

describe("formatting changes no token and is final after one time", () => {
  const folder = join(import.meta.dir, "../conformance");
  const scripts = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .trim()
      .split("\n")
      .map((line): string => JSON.parse(line).script)
      .filter((script) => parse(script).ok),
  );
  const tokensOf = (source: string): string =>
    tokenize(source)
      .map(({ kind, text }) => `${kind} ${text}`)
      .join("\n")
      .replaceAll("( (\n) )", "() ()");
  const check = (source: string): void => {
    const result = format(source);
    if (!result.ok) return;
    const again = format(result.text);
    expect(again.ok && again.text).toBe(result.text);
    expect(tokensOf(result.text)).toBe(tokensOf(source));
  };

  // What is proven here is no matter of time.
  test("for every recorded script that parses", () => scripts.forEach(check), 60_000);

  test("for scripts with comments and blanks strewn in", () => {
    const noise = fc.constantFrom("// c\n", "/* d */", "\n", "\n\n", " ", "\t");
    const source = fc
      .tuple(
        fc.constantFrom(...scripts.filter((script) => !script.includes("`"))),
        fc.array(fc.tuple(noise, fc.nat())),
      )
      .map(([script, pieces]) => {
        let text = script;
        for (const [piece, at] of pieces.slice(0, 4)) {
          const tokens = tokenize(text);
          const start = tokens[at % Math.max(tokens.length, 1)]?.start ?? 0;
          text = `${text.slice(0, start)}${piece}${text.slice(start)}`;
        }
        return text;
      });
    fc.assert(fc.property(source, check), { numRuns: 500 });
  });

  const sources: Record<string, string> = {
    statements: "if a { f(b, |x| { x + 1 }, [1, 2, 3]); } // c\nlet x = a.b().c().d() && e || g;\n".repeat(
      2600,
    ),
    "comments in a row": `x${"/* a */".repeat(30_000)};`,
    "comments on a line": "/* a */".repeat(30_000),
    "comments on lines": `[${"// a\n".repeat(40_000)}]`,
    items: `[${"[1],".repeat(50_000)}]`,
    arms: `switch a {${"1=>{}".repeat(40_000)}}`,
  };
  for (const [name, source] of Object.entries(sources)) {
    test(`in linear time: ${name}`, () => {
      const started = threadTime();
      check(source);
      expect(threadTime() - started).toBeLessThan(8000);
    }, 60_000);
  }
});
