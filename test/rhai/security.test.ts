import { describe, expect, test } from "bun:test";
import { Engine, toDebugValue, typeName } from "../../src/rhai/index.ts";
import { error, value } from "./run.ts";

/** Names that mean something to JavaScript, or to the code that ours becomes. */
const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "__defineGetter__",
  "arguments",
  "globalThis",
  "window",
  "process",
  "Bun",
  "require",
  "exports",
  "Object",
  "Promise",
  "H",
  "P",
  "R",
  "T",
  "E",
  "I",
  "D",
  "S",
  "v1",
  "t1",
  "k1",
  "p1",
  "l1",
  "e1",
  "m1",
  "L1",
  "main",
  "h_add",
  "undefined",
  "NaN",
  "Infinity",
  "length",
  "of",
  "delete",
  "typeof",
  "enum",
  "class",
  "extends",
];

/** Every position that a name can stand in; N is the name. */
const POSITIONS = [
  "let N = 1; N += 1; N",
  "const N = 1; N",
  "let N = [1]; N.push(2); N[0] = N; N",
  "let N = #{N: 1}; N.N += 1; N.N.N",
  'let m = #{}; [m.N, m?.N, m["N"], "N" in m]',
  'let m = #{N: 5}; m.N += 1; m["N"] *= 2; [m, m.keys(), m.contains("N"), m.remove("N"), m.N]',
  'let m = #{}; m.N = 1; let o = #{"N": #{N: 2}}; o.N.N += 1; o.N.N = m; [m, o, m == o]',
  "let m = #{N: |x| x + this.k, k: 1}; m.N(2)",
  'let m = parse_json(`{"N": {"N": 1}}`); [m.N.N, m.to_json()]',
  'fn N(x) { x + 1 } [N(1), Fn("N").call(2), [1].map(N), is_def_fn("N", 1)]',
  "fn N() { this + 1 } 1.N()",
  "fn i64.N() { this + 1 } 1.N()",
  "private fn N() { 7 } N()",
  "fn f(N) { N * 2 } f(4)",
  "fn f(a, N) { let g = |N| N + a; g.call(N) } f(1, 2)",
  "let f = |N| N * 2; f.call(4)",
  "let N = 1; let f = |x| { N += x; N }; f.call(4) + N",
  "let r = []; for N in 0..3 { r.push(N); } r",
  "let r = []; for (a, N) in [7, 8] { r.push(N); } r",
  "try { throw 5 } catch (N) { print(N); }",
  "let N = 3; try { throw #{N: N} } catch (e) { print(e.N); }",
  "let N = 2; switch N { 2 => `a${N}b`, _ => N }",
  "const N = 4; fn f() { global::N } f()",
  'let N = 5; eval("N + 1")',
  'eval("let N = 6;"); N',
  'import "m" as N; N::N(N::V) + N::V',
  'import "m" as N; { import "m" as inner; inner::V } + N::V',
  "export let N = 1; N",
  "let a = 1; export a as N; a",
  "N",
  "N()",
  "N::N",
  "N::N()",
  "1.N",
  "1.N()",
  "1.N = 2",
  "let x = 1; x.N = 2",
  '"x".N',
  "[].N",
  "'c'.N()",
  "(|| 1).N",
  'Fn("N").call()',
  "let N = 1; N.N()",
  "let t = #{N: ()}; t.N?.N",
  "/// N\nfn f() { 1 } // N\n/* N */ f()",
  "loop { let N = 1; if N == 1 { break N; } }",
];

/** Neutral, and no part of any template. */
const PLAIN = "zq";

/** All that a run shows, with the name masked. */
async function behaviour(engine: Engine, source: string, name: string): Promise<string> {
  const output: string[] = [];
  const mask = (text: string): string =>
    text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), "<name>").replaceAll(/position \d+/g, "position");
  const compiled = engine.compile(source);
  if (!compiled.ok) return mask(`refused: ${compiled.diagnostics.map((one) => one.message).join()}`);
  const result = await compiled.script.run({
    print: (text) => output.push(text),
    resolver: {
      resolve: (module) =>
        module !== "m" ? undefined : { source: `export const V = 20; fn ${name}(x) { x + 1 }` },
    },
  });
  if (!result.ok && result.fault !== undefined) throw result.fault;
  const end = result.ok ? `${typeName(result.value)} ${toDebugValue(result.value)}` : result.error.message;
  return mask([...output, end].join("\n"));
}

describe("a name is like any other in every position", () => {
  const engines = [new Engine({ allowEval: true }), new Engine({ allowEval: true, forceSuspension: true })];
  for (const name of NAMES) {
    test(name, async () => {
      for (const engine of engines) {
        for (const position of POSITIONS) {
          // That is a function of the standard library.
          if (name === "E" && /^(N|Fn\("N"\)\.call)\(\)$/.test(position)) continue;
          const put = (one: string): string => position.replaceAll(/\bN\b/g, one);
          expect([position, await behaviour(engine, put(name), name)]).toEqual([
            position,
            await behaviour(engine, put(PLAIN), PLAIN),
          ]);
        }
      }
    });
  }
});

test("`this` names nothing but the bound value", () => {
  for (const source of ["fn f() { this } f()", "fn f() { this.constructor } f()", "fn f() { this = 1 } f()"])
    expect(error(source).kind).toMatch(/ErrorUnboundThis|ErrorInFunctionCall/);
  for (const source of [
    "this",
    "let this = 1",
    "fn this() {}",
    "fn f(this) {}",
    "for this in 0..1 {}",
    "|this| 1",
    "let m = #{this: 1}",
  ])
    expect(new Engine().compile(source).ok).toBe(false);
});

describe("texts", () => {
  const texts = [
    "${1}",
    "${globalThis.process.exit()}",
    "`",
    "\\",
    "\\u0048",
    "'",
    '"',
    '");globalThis.x=1;("',
    "*/",
    "/*",
    "//",
    "/*loop*/",
    "/*end of loop*/",
    "/*meter 0*/",
    "H.add",
    "h_add(R)",
    "return main;",
    "</script>",
    "<!--",
    "-->",
    "\u2028",
    "\u2029",
    "\u0000",
    "\u0085",
    "\ufeff",
    "\r\n",
    "\n/*end of loop*/\n",
    "\n/*meter 0*/\n",
    "😀",
    "]]>",
    "__proto__",
  ];
  for (const text of texts) {
    test(`${JSON.stringify(text)} stays what it is`, async () => {
      const literal = `"${[...text].map((c) => `\\U${c.codePointAt(0)?.toString(16).padStart(8, "0")}`).join("")}"`;
      expect(value(literal)).toBe(text);
      expect(value(`#{${literal}: 1}.keys()[0]`)).toBe(text);
      expect(
        value(`let m = #{}; m[${literal}] = 1; m[${literal}] += 1; [m.keys()[0], m[${literal}]][0]`),
      ).toBe(text);
      expect(value(`switch ${literal} { ${literal} => "same", _ => "other" }`)).toBe("same");
      expect(value(`\`\${${literal}}\``)).toBe(text);
      expect(value(`let r = ""; for i in 0..2 { for j in [${literal}] { r = j; } } r`)).toBe(text);
      expect(value(`let r = (); while r == () { r = ${literal}; } r`)).toBe(text);
      expect(value(`fn f(x) { x } f(${literal})`)).toBe(text);
      expect(error(`throw ${literal}`).text).toBe(`Runtime error: ${text}`);
      expect(error(`1.call(Fn(${literal}))`).kind).toMatch(/ErrorParsing|ErrorFunctionNotFound/);
      expect(await behaviour(new Engine(), `import ${literal} as m;`, PLAIN)).toStartWith(
        `Module not found: ${text}`,
      );
    });
  }

  test("raw texts in the source do not leave their literals or comments", () => {
    expect(value('"</script><!-- */ ${x} \u2028"')).toBe("</script><!-- */ ${x} \u2028");
    expect(value("/* */ 1 // */ `\n+ 1")).toBe(2);
    expect(value("/// */ ${x} </script>\nfn f() { 1 } f() // \u2028 */")).toBe(1);
  });

  test("the marks of the code generator in a loop of each kind", () => {
    for (const mark of ["/*loop*/", "/*end of loop*/", "/*meter 1*/"]) {
      for (const head of ["for i in 0..1", "while n < 1", "loop", "for i in [1]"]) {
        expect(value(`let n = 0; let s = ""; ${head} { n += 1; s = "${mark}"; if n > 0 { break; } } s`)).toBe(
          mark,
        );
        expect(
          value(`let n = 0; let s = ""; ${head} { n += 1; s = \`\n${mark}\n\`; if n > 0 { break; } } s`),
        ).toContain(mark);
      }
    }
  });
});

test("a lone surrogate cannot be made", () => {
  const compiled = new Engine().compile('"\\ud800"');
  expect(compiled.ok).toBe(false);
});

test("the output holds no name of the source", () => {
  const source =
    "let secretVariable = 1; fn secretFunction(secretParam) { secretParam + 1 } secretFunction(secretVariable) // secretComment";
  const compiled = new Engine().compile(source);
  if (!compiled.ok) throw new Error("does not compile");
  const code = compiled.script.javascript.replaceAll(/"[^"]*"/g, '""');
  expect(code).not.toContain("secret");
});

test("values of the host are not reachable", () => {
  for (const source of [
    "let f = || 1; f.target",
    "let f = || 1; f.code",
    "[1].items",
    "[1].length",
    "1.5.value",
    "#{}.entries",
    '"x".length',
    "let x = 'a'; x.text",
  ]) {
    const compiled = new Engine().compile(source);
    if (!compiled.ok) throw new Error(`does not compile: ${source}`);
    const result = compiled.script.run();
    if (result instanceof Promise) throw new Error("suspended");
    if (result.ok) expect(result.value).toBeUndefined();
    else expect(result.error.kind).toBe("ErrorDotExpr");
  }
});

test("one run leaves nothing for the next", () => {
  const compiled = new Engine().compile(
    "let a = [1, 2]; a.push(3); let m = #{l: [1]}; m.l += 2; const C = [9]; [a, m, C]",
  );
  if (!compiled.ok) throw new Error("does not compile");
  const first = compiled.script.run();
  const second = compiled.script.run();
  if (first instanceof Promise || second instanceof Promise) throw new Error("suspended");
  expect(JSON.stringify(second.ok && second.value)).toBe(JSON.stringify(first.ok && first.value));
});

test("constants of the host are not changed by a script", async () => {
  const engine = new Engine();
  const compiled = engine.compile("let c = ctx; c.push(4); c.len", { constants: ["ctx"] });
  if (!compiled.ok) throw new Error("does not compile");
  const { RhaiArray } = await import("../../src/rhai/index.ts");
  const ctx = new RhaiArray([1, 2, 3]);
  expect(await compiled.script.run({ scope: { ctx } })).toMatchObject({ ok: true, value: 4 });
  expect(ctx.items).toEqual([1, 2, 3]);
});
