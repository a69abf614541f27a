import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import {
  format,
  formatDiagnostic,
  parse,
  parseEval,
  parseJson,
  type ParseOptions,
  tokenize,
} from "../../../src/rhai/syntax/index.ts";

const SIZE = 256 * 1024;
/** Generous for a busy machine: the slowest of these takes a tenth of it alone, a quadratic one would take minutes. */
const MILLISECONDS = 5000;

const fill = (unit: string): string => unit.repeat(Math.ceil(SIZE / unit.length));

const readAll = (source: string, options: ParseOptions = {}): void => {
  const results = [parse(source, options), parseEval(source, options), parseJson(source, options)];
  for (const result of results) if (!result.ok) formatDiagnostic(result.diagnostics[0]);
  tokenize(source);
  format(source);
};

const UNITS = [
  "(",
  "[",
  "{",
  "#{a:",
  "!",
  "-",
  "- ",
  "|",
  "||",
  "|x|",
  "`${",
  "`${`",
  "`",
  '"',
  "'",
  "#",
  '#"',
  "/*",
  "//\n",
  "///a\n",
  "//!a\n",
  "/** */",
  "a.",
  "a?.",
  "a[",
  "a(",
  "f!(",
  "a::",
  "if a {",
  "if a {} else ",
  "switch a {",
  "switch a {1=>",
  "switch 1 { 1|",
  "while a {",
  "loop {",
  "do {",
  "for x in a {",
  "fn f() {",
  "fn f(a,",
  "private ",
  "try {",
  "try {} catch {",
  "return ",
  "throw ",
  "break ",
  "let x = ",
  "let x;",
  "const c=1;",
  "a ?? ",
  "a ?? return ",
  "1+",
  "1 + (",
  "a && ",
  "a,",
  "a;",
  "1",
  "1_",
  "0",
  "0x",
  "1.",
  "1e",
  "1.0e5,",
  "\\",
  '"\\x',
  "é",
  "漢",
  "😀",
  "\0",
  "\ufeff",
  "\r\n",
  "\r",
  "\ud800",
  "_",
  "a",
  "$",
  "#!",
  "# {",
  "..",
  "...",
  "=",
  "===",
  "import ",
  "export ",
  "export let x = 1;",
  "x=>",
  "1|",
  "|a,",
  "this.",
  "{}",
  "};",
  "}",
  ")",
  "]",
  "a b ",
  "a\n",
  "\t",
  " ",
  "`a\\${",
  '"a""',
  '"\\\n',
  '#{"a":1,',
  "|| a+",
  "a.map(|x| ",
  "*/",
  "/*/**/",
  "`${1}",
  "f(1,",
  "a = ",
  "a += ",
  "a in ",
  "a !in ",
  "()",
  "a.b().",
  "[1][",
  "throw\n",
  "{;",
  "{{}}",
];

describe("256 KiB of the same, limited and unlimited, are read or refused at once", () => {
  for (const unit of UNITS) {
    test(JSON.stringify(unit), () => {
      const started = performance.now();
      parse(fill(unit));
      parse(`[${fill(unit)}`, { maxExprDepth: 0, maxFunctionExprDepth: 0, maxStringSize: SIZE });
      parseJson(fill(unit));
      tokenize(fill(unit));
      expect(performance.now() - started).toBeLessThan(MILLISECONDS);
    });
  }
});

describe("256 KiB of many different names take no more than linear time", () => {
  const many = (unit: (index: number) => string): string => {
    const parts: string[] = [];
    for (let index = 0, size = 0; size < SIZE; index++)
      size += parts[parts.push(unit(index)) - 1]?.length ?? 1;
    return parts.join("");
  };
  const sources: Record<string, string> = {
    variables: many((index) => `let v${index}=1;v${index};`),
    functions: many((index) => `fn f${index}(){}`),
    parameters: `fn f(${many((index) => `p${index},`)}){}`,
    "closure parameters": `|${many((index) => `p${index},`)}`,
    properties: `#{${many((index) => `p${index}:1,`)}}`,
    captures: `|| [${many((index) => `p${index},`)}]`,
    "captures of nested closures": `${"|| ".repeat(18)}[${many((index) => `p${index},`)}]`,
    closures: many((index) => `|| p${index};`),
    cases: `switch 1 {${many((index) => `${index}=>1,`)}}`,
    alternatives: `switch 1 {${many((index) => `${index}|`)}1=>1}`,
    holes: `\`${many((index) => `\${a${index}}`)}\``,
    statements: many(() => "a = 1 + b * c;\n"),
  };
  for (const [name, source] of Object.entries(sources)) {
    test(name, () => {
      const started = performance.now();
      expect(parse(source)).toHaveProperty("ok", name !== "closure parameters");
      expect(performance.now() - started).toBeLessThan(MILLISECONDS);
    });
  }
});

describe("nesting without limits stops at the hard bound", () => {
  const units = [
    "(",
    "[",
    "{",
    "#{a:",
    "!",
    "- ",
    "|| ",
    "`${",
    "a.",
    "a[",
    "f(",
    "if a {",
    "if a {} else ",
    "switch a {1=>",
    "while a {",
    "loop {",
    "do {",
    "for x in a {",
    "try {",
    "a ?? return ",
    "1+(",
    "f(|| a[",
    "1+",
    "a && ",
  ];
  for (const unit of units) {
    test(JSON.stringify(unit), () => {
      const result = parse(unit.repeat(100_000), { maxExprDepth: 0, maxFunctionExprDepth: 0 });
      expect(result.ok ? "ok" : result.diagnostics[0].code).toBe("ExprTooDeep");
    });
  }
});

describe("odd characters", () => {
  const message = (source: string): string => {
    const result = parse(source);
    return result.ok ? "ok" : result.diagnostics[0].message;
  };

  test("a lone surrogate counts as the replacement character", () => {
    expect(message("\ud800")).toBe("Unexpected '\ufffd'");
    expect(message('"\udfff"')).toBe("ok");
  });

  test("NUL and the byte order mark are no blanks", () => {
    expect(message("1\0")).toBe("Unexpected '\0'");
    expect(message("\ufeff1")).toBe("Unexpected '\ufeff'");
    expect(message("1\v")).toBe("Unexpected '\v'");
  });

  test("Windows line ends are blanks", () => {
    expect(message("let x = 1;\r\nx\r\n")).toBe("ok");
  });
});

describe("no text makes it throw", () => {
  const seeds = readFileSync(join(import.meta.dir, "trees.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line): string => JSON.parse(line).script);
  const options = fc.record({
    maxExprDepth: fc.nat(20),
    maxFunctionExprDepth: fc.nat(20),
    maxStringSize: fc.nat(6),
    maxArraySize: fc.nat(3),
    maxMapSize: fc.nat(3),
    maxFunctions: fc.nat(3),
  });

  test("any string", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), options, readAll), { numRuns: 600 });
  });

  test("any row of words and symbols", () => {
    const piece = fc.constantFrom(...new Set(seeds.flatMap((seed) => seed.split(/\b/))), ...UNITS);
    const source = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(" "));
    fc.assert(fc.property(source, options, readAll), { numRuns: 600 });
  });

  test("a script with a piece cut out, and one put in", () => {
    const source = fc
      .tuple(fc.constantFrom(...seeds), fc.constantFrom(...seeds, ...UNITS), fc.nat(), fc.nat(8))
      .map(([seed, piece, at, cut]) => {
        const place = at % (seed.length + 1);
        return `${seed.slice(0, place)}${piece}${seed.slice(place + cut)}`;
      });
    fc.assert(fc.property(source, options, readAll), { numRuns: 1000 });
  });
});
