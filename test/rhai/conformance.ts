import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { typeName } from "../../src/rhai/runtime/type-name.ts";
import { toDebugValue, toDisplayValue } from "../../src/rhai/runtime/format.ts";
import { columnOf, lineOf, NONE } from "../../src/rhai/syntax/position.ts";
import { Engine, type EngineLimits } from "../../src/rhai/index.ts";

/**
 * Runs cases with the answers of the official interpreter. As a command: `bun test/rhai/conformance.ts [FILE.jsonl …]`
 * prints what differs and, last, how many passed.
 */

export interface Case {
  readonly id: string;
  readonly script: string;
  readonly limits?: Readonly<Record<string, number | readonly [number, number]>>;
  readonly expect: Expectation;
}

type Expectation = Readonly<Record<string, unknown>> & { readonly ok: boolean };

const FOLDER = join(import.meta.dir, "conformance");

/** All cases of the given files, or of the folder beside this file. */
export function readCases(files: readonly string[] = []): Case[] {
  const paths =
    files.length > 0
      ? files
      : readdirSync(FOLDER)
          .filter((name) => name.endsWith(".jsonl"))
          .map((name) => join(FOLDER, name));
  return paths.flatMap((path) =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Case),
  );
}

const LIMIT_NAMES: Readonly<Record<string, keyof EngineLimits>> = {
  max_operations: "maxOperations",
  max_call_levels: "maxCallLevels",
  max_string_size: "maxStringSize",
  max_array_size: "maxArraySize",
  max_map_size: "maxMapSize",
  max_expr_depths: "maxExprDepth",
};

function limitsOf(test: Case): Partial<EngineLimits> {
  const limits: Record<string, number | undefined> = { maxOperations: 50_000_000 };
  for (const [name, value] of Object.entries(test.limits ?? {})) {
    const key = LIMIT_NAMES[name];
    if (key === undefined) throw new Error(`unknown limit ${name}`);
    if (typeof value === "number") limits[key] = value;
    else [limits["maxExprDepth"], limits["maxFunctionExprDepth"]] = value;
  }
  return limits;
}

/** What ours answers, in the form of the expectation. */
export async function answer(engine: Engine, test: Case): Promise<Expectation> {
  const output: string[] = [];
  const debug: string[] = [];
  const limits = limitsOf(test);
  const compiled = engine.compile(test.script, { limits });
  if (!compiled.ok) {
    const [first] = compiled.diagnostics;
    if (first === undefined) throw new Error("no diagnostic");
    const where = first.line === null ? "" : ` (line ${first.line}, position ${first.column ?? 0})`;
    const message = `Syntax error: ${first.message}${where}`;
    return { ok: false, error: "ErrorParsing", message, line: first.line, col: first.column, output };
  }
  const result = await compiled.script.run({
    limits,
    deadline: performance.now() + 10_000,
    print: (text) => output.push(text),
    debug: (text, pos) => debug.push(`${lineOf(pos)}:${columnOf(pos)} | ${text}`),
  });
  if (!result.ok && result.fault !== undefined) throw result.fault;
  if (result.ok) {
    const { value } = result;
    const shown = { type: typeName(value), value: toDebugValue(value), display: toDisplayValue(value) };
    return { ok: true, ...shown, output, ...(debug.length > 0 ? { debug } : {}) };
  }
  const { error } = result;
  const line = error.pos === NONE ? null : lineOf(error.pos);
  const col = error.pos === NONE ? null : columnOf(error.pos) === 0 ? null : columnOf(error.pos);
  return {
    ok: false,
    error: error.kind,
    message: error.message,
    line,
    col,
    output,
    ...(debug.length > 0 ? { debug } : {}),
  };
}

/** The members that differ, as `name: expected … got …`; empty when the case passes. */
export function differences(test: Case, got: Expectation): string[] {
  const found: string[] = [];
  for (const name of new Set([...Object.keys(test.expect), ...Object.keys(got)])) {
    const expected = JSON.stringify(test.expect[name] ?? null);
    const actual = JSON.stringify(got[name] ?? null);
    if (expected !== actual) found.push(`${name}:\n    expected ${expected}\n    got      ${actual}`);
  }
  return found;
}

/** Runs one case; a thrown JavaScript error is a failure like any other. */
export async function check(engine: Engine, test: Case): Promise<string[]> {
  try {
    return differences(test, await answer(engine, test));
  } catch (error) {
    return [`thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  }
}

if (import.meta.main) {
  const engine = new Engine({ allowEval: true });
  let passed = 0;
  let failed = 0;
  for (const test of readCases(process.argv.slice(2))) {
    const found = await check(engine, test);
    if (found.length === 0) passed++;
    else {
      failed++;
      console.log(`${test.id}\n  ${test.script.replaceAll("\n", "\n  ")}\n  ${found.join("\n  ")}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
