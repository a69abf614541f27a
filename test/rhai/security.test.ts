import { describe, expect, test } from "bun:test";
import { Engine } from "../../src/rhai/index.ts";
import { error, shown, value } from "./run.ts";

/** Names and texts that mean something to JavaScript. */
const HOSTILE = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "arguments",
  "globalThis",
  "process",
  "Bun",
  "require",
  "H",
  "P",
  "R",
  "T",
  "I",
  "D",
  "S",
  "undefined",
  "NaN",
  "Infinity",
  "eval1",
  "async",
  "await1",
  "let1",
];

describe("names", () => {
  for (const name of HOSTILE) {
    test(`${name} is a variable, property, function and key like any other`, () => {
      if (/^(async)$/.test(name)) return;
      expect(shown(`let ${name} = 1; ${name} += 1; ${name}`)).toBe("2");
      expect(shown(`let m = #{}; m.${name}`)).toBe("()");
      expect(shown(`let m = #{}; m["${name}"]`)).toBe("()");
      expect(shown(`let m = #{${name}: 5}; m.${name} += 1; m`)).toBe(`#{"${name}": 6}`);
      expect(shown(`let m = #{}; m.${name} = 1; m.keys()`)).toBe(`["${name}"]`);
      expect(shown(`fn ${name}(x) { x + 1 } ${name}(1)`)).toBe("2");
      expect(shown(`let f = |${name}| ${name} * 2; f.call(4)`)).toBe("8");
    });

    test(`${name} is unknown until it is defined`, () => {
      if (/^(async)$/.test(name)) return;
      expect(error(name).message).toBe(`Variable not found: ${name} (line 1, position 1)`);
      expect(error(`${name}()`).kind).toBe("ErrorFunctionNotFound");
      expect(error(`1.${name}`).kind).toBe("ErrorDotExpr");
      expect(error(`"x".${name}()`).kind).toBe("ErrorFunctionNotFound");
      expect(error(`let f = || 1; f.${name}`).kind).toBe("ErrorDotExpr");
      expect(error(`${name}::x`).kind).toBe("ErrorModuleNotFound");
    });
  }
});

describe("texts", () => {
  const texts = [
    "${1}",
    "`",
    "\\",
    "'",
    '"',
    "*/",
    "/*",
    "//",
    "</script>",
    "<!--",
    "-->",
    "\u2028",
    "\u2029",
    "\u0000",
    "\n",
    "😀",
    "]]>",
  ];
  for (const text of texts) {
    test(`${JSON.stringify(text)} stays what it is`, () => {
      const literal = `"${[...text].map((c) => `\\U${c.codePointAt(0)?.toString(16).padStart(8, "0")}`).join("")}"`;
      expect(value(literal)).toBe(text);
      expect(value(`#{${literal}: 1}.keys()[0]`)).toBe(text);
      expect(value(`switch ${literal} { ${literal} => "same", _ => "other" }`)).toBe("same");
      expect(value(`\`\${${literal}}\``)).toBe(text);
    });
  }

  test("raw texts in the source do not leave their literals", () => {
    expect(value('"</script><!-- */ ${x} \u2028"')).toBe("</script><!-- */ ${x} \u2028");
    expect(value("/* */ 1 // */ `\n+ 1")).toBe(2);
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
