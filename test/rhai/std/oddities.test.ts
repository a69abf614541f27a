import { describe, expect, test } from "bun:test";
import { toDebugValue } from "../../../src/rhai/runtime/format.ts";
import { Engine } from "../../../src/rhai/index.ts";

/** Answers of the official interpreter that nobody would guess; found by comparing random scripts. */
const CASES: readonly [script: string, answer: string][] = [
  ["0.0 / 0.0 == 0", "true"],
  ["0.0 / 0.0 <= 0.0", "true"],
  ["0.0 / 0.0 == 1", "false"],
  ['"" - "ffz"', '"ffz"'],
  ["\"\" - 'f'", '""'],
  ['let x = ""; x -= "ABC"; x', '"ABC"'],
  ['let x = ""; x.remove("ABC"); x', '""'],
  ["blob(1, 75) == 'K'", "! Function not found: == (blob, char) (line 1, position 13)"],
  ["'K' == blob(1, 75)", "false"],
  ["[blob(1, 75)] == ['K']", "false"],
  ["123456.789 - 1e15", "-999999999876543.3"],
  ["9999999827969.0 / 64", "156249997312.01563"],
  ["28576434420.16402.fraction()", "0.16402053833007813"],
  ["1.1 ** 10", "2.5937424601000023"],
  ["1.0000001 ** 1000", "1.0001000049952247"],
  ["1e13.to_degrees()", "572957795130823.3"],
  ["let x = -100; x[5..=9223372036854775807]", "-4"],
  ["let x = -4; x[0..9223372036854775807]", "-4"],
  ["throw ['x', 'a']", "! Runtime error: ['x', 'a'] (line 1, position 1)"],
  ["let r = (); for b in blob(1, 200) { r = b; } r >> 100", "1"],
  [
    "[1..3, 0..1].order()",
    "! Function not found: elements of core::ops::range::Range<i64> cannot be sorted (line 1, position 14)",
  ],
  ['"abcdef".sub_string(4..=1)', '"e"'],
  ["[5, 5.0, \"a\", 'a'].dedup()", "()"],
  ["let a = [2, 2, 1, 1]; a.sort(|x, y| x <= y); a", "[1, 1, 2, 2]"],
];

describe("oddities of the official interpreter", () => {
  const engine = new Engine({});
  for (const [script, answer] of CASES) {
    test(`${script} answers ${answer}`, async () => {
      const compiled = engine.compile(script);
      if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
      const result = await compiled.script.run({});
      expect(result.ok ? toDebugValue(result.value) : `! ${result.error.message}`).toBe(answer);
    });
  }
});
