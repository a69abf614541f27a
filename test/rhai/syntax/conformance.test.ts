import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  officialMessage,
  parse,
  parseEval,
  parseJson,
  type ParseOptions,
} from "../../../src/rhai/syntax/index.ts";

interface Case {
  readonly id: string;
  readonly script: string;
  readonly limits?: Readonly<Record<string, number | [number, number]>>;
  readonly expect: {
    readonly ok: boolean;
    readonly error?: string;
    readonly message?: string;
    readonly line?: number | null;
    readonly col?: number | null;
  };
}

const folder = join(import.meta.dir, "../conformance");
const read = (name: string): Case[] =>
  readFileSync(join(folder, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const cases = ["core.jsonl", "core-tables.jsonl", "std.jsonl"].flatMap(read);

const number = (value: number | [number, number] | undefined): number | undefined =>
  typeof value === "number" ? value : undefined;

const optionsOf = ({ limits = {} }: Case): ParseOptions => {
  const depths = limits["max_expr_depths"];
  return {
    maxExprDepth: Array.isArray(depths) ? depths[0] : undefined,
    maxFunctionExprDepth: Array.isArray(depths) ? depths[1] : undefined,
    maxStringSize: number(limits["max_string_size"]),
    maxArraySize: number(limits["max_array_size"]),
    maxMapSize: number(limits["max_map_size"]),
  };
};

/** Parse errors that arise only when the script runs: a word kept by the language as a function pointer, or JSON. */
const arisesAtRunTime = ({ script, expect: { message = "" } }: Case): boolean =>
  script.startsWith("parse_json(") ||
  (/\bFn\("|\.map\("/.test(script) && /^Syntax error: '.*' is a reserved (keyword|symbol) /.test(message));

const outcome = (result: ReturnType<typeof parse>) => {
  if (result.ok) return { ok: true };
  const [first] = result.diagnostics;
  return { message: officialMessage(first), line: first.line, col: first.column };
};

const parseErrors = cases.filter((one) => one.expect.error === "ErrorParsing");

describe("recorded parse errors", () => {
  for (const one of parseErrors.filter((each) => !arisesAtRunTime(each))) {
    test(`${one.id}: ${one.expect.message}`, () => {
      const { message, line, col } = one.expect;
      expect(outcome(parse(one.script, optionsOf(one)))).toEqual({ message, line, col } as never);
    });
  }
});

describe("recorded errors of JSON texts", () => {
  for (const one of parseErrors.filter(({ script }) => script.startsWith("parse_json("))) {
    test(`${one.id}: ${one.expect.message}`, () => {
      const text = parse(one.script);
      const stmt = text.ok ? text.script.body[0] : undefined;
      const argument = stmt?.kind === "Expr" && stmt.expr.kind === "Call" ? stmt.expr.args[0] : undefined;
      if (argument?.kind !== "Str") throw new Error("the argument is not a text");
      const result = parseJson(argument.value, optionsOf(one));
      const { message, line, col } = one.expect;
      expect(
        outcome(result.ok ? { ok: true, script: { body: [], functions: [], comments: [] } } : result),
      ).toEqual({
        message,
        line,
        col,
      } as never);
    });
  }
});

describe("recorded parse errors within eval", () => {
  const texts = cases.flatMap((one) => {
    const script = /^eval\("((?:[^"\\]|\\.)*)"\)$/.exec(one.script)?.[1];
    const { error, message = "" } = one.expect;
    if (script === undefined || error !== "ErrorInFunctionCall" || !message.startsWith("Syntax error"))
      return [];
    return [{ id: one.id, text: JSON.parse(`"${script}"`), message: message.split("\nin call to")[0] }];
  });
  for (const { id, text, message } of texts) {
    test(`${id}: ${message}`, () => {
      const result = parseEval(text);
      expect(result.ok ? "" : officialMessage(result.diagnostics[0])).toBe(String(message));
    });
  }
  test("are among the cases", () => expect(texts.length).toBeGreaterThan(5));
});

test("every recorded script that ran parses", () => {
  const refused = cases
    .filter((one) => one.expect.error !== "ErrorParsing" || arisesAtRunTime(one))
    .map((one) => ({ id: one.id, ...outcome(parse(one.script, optionsOf(one))) }))
    .filter((result) => !("ok" in result));
  expect(refused).toEqual([]);
});

test("few parse errors arise at run time", () => {
  expect(parseErrors.filter(arisesAtRunTime).length).toBeLessThan(parseErrors.length / 30);
});
