import { describe, expect, test } from "bun:test";
import {
  type Diagnostic,
  formatDiagnostic,
  officialMessage,
  parse,
  parseEval,
} from "../../../src/rhai/syntax/index.ts";

const diagnose = (source: string): Diagnostic => {
  const result = parse(source);
  if (result.ok) throw new Error(`${source} parses`);
  return result.diagnostics[0];
};

describe("a diagnostic", () => {
  test("has the official text, its parts and an excerpt", () => {
    const diagnostic = diagnose("let x = 1;\nlet y = x x;\n");
    expect(diagnostic).toEqual({
      message: "Expecting ';' to terminate this statement",
      code: "MissingToken",
      line: 2,
      column: 11,
      pos: 2 * 65536 + 11,
      excerpt: "let y = x x;\n          ^",
    });
    expect(officialMessage(diagnostic)).toBe(
      "Syntax error: Expecting ';' to terminate this statement (line 2, position 11)",
    );
  });

  test("is formatted for people, with the name of the source", () => {
    expect(formatDiagnostic(diagnose("let x = 1;\nlet y = x x;\n"), "hello.rhai")).toBe(
      [
        "hello.rhai: Syntax error: Expecting ';' to terminate this statement (line 2, position 11)",
        "  2 | let y = x x;",
        "    |           ^",
      ].join("\n"),
    );
  });

  test("without a place has no excerpt", () => {
    const result = parseEval("fn f() {}");
    expect(result.ok ? "" : formatDiagnostic(result.diagnostics[0])).toBe(
      "Syntax error: Function definitions must be at global level and cannot be inside a block or another function",
    );
  });
});

describe("an excerpt", () => {
  const excerpt = (source: string): string => diagnose(source).excerpt;

  test("keeps tabs, so that the caret fits any tab width", () => {
    expect(excerpt("\tlet\tx y")).toBe("\tlet\tx y\n\t   \t  ^");
  });

  test("counts wide characters twice and combining marks not at all", () => {
    expect(excerpt('"漢字" x')).toBe('"漢字" x\n       ^');
    expect(excerpt('"😀" x')).toBe('"😀" x\n     ^');
    expect(excerpt('"e\u0301" x')).toBe('"e\u0301" x\n    ^');
  });

  test("cuts long lines around the column", () => {
    const [text = "", caret = ""] = excerpt(
      `${"a+".repeat(20)}${" ".repeat(200)}b c${" d".repeat(200)}`,
    ).split("\n");
    expect(text).toBe(`…${" ".repeat(58)}b c${" d".repeat(19)} …`);
    expect(caret).toBe(`${" ".repeat(61)}^`);
    expect(text[caret.length - 1]).toBe("c");
  });

  test("shows the end of a script", () => {
    expect(excerpt("let x = ")).toBe("let x = \n        ^");
    expect(excerpt("f(\n")).toBe("\n^");
  });

  test("makes control characters and marks of direction harmless", () => {
    expect(excerpt("x \u001b[31m")).toBe("x ␛[31m\n  ^");
    expect(excerpt('"\u202e" y')).toBe('"\ufffd" y\n    ^');
    expect(excerpt("x y\r\nz")).toBe("x y\n  ^");
  });
});
