import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Engine, type EngineOptions, format, type RunOptions, toDebugValue } from "../../src/rhai/index.ts";
import { innermost } from "../../src/rhai/runtime/faults.ts";
import { INT_MAX, INT_MIN } from "../../src/rhai/runtime/int.ts";
import { program } from "./programs.ts";

/** `RHAI_FUZZ=100000 bun test properties` runs longer; each run has other programs when `RHAI_SEED` differs. */
const COUNT = Number(process.env["RHAI_FUZZ"] ?? 300);
const SEED = Number(process.env["RHAI_SEED"] ?? 5);
const LONG = 1000 * 60 * 60;

/** Bounds what a program may do, in a way that the layout of its text and the form of its code do not change. */
const SIZES = { maxStringSize: 50_000, maxArraySize: 5_000, maxMapSize: 2_000 };

/** All that a run shows: what it prints, how it ends. */
async function outcome(engine: Engine, source: string, options: RunOptions): Promise<string> {
  const compiled = engine.compile(source, { limits: options.limits ?? {} });
  if (!compiled.ok) return `refused: ${compiled.diagnostics[0]?.message}`;
  const output: string[] = [];
  const result = await compiled.script.run({ ...options, print: (text) => output.push(text) });
  if (!result.ok && result.fault !== undefined) throw result.fault;
  const end = result.ok ? toDebugValue(result.value) : `${result.error.kind}: ${result.error.message}`;
  return [...output, end].join("\n").replaceAll(/anon\$[0-9a-f]+/g, "anon");
}

const withoutPlaces = (text: string): string =>
  text.replaceAll(/ \(line \d+, position \d+\)|"(line|position)": \d+/g, "");

const engineOf = (options: EngineOptions = {}): Engine => new Engine({ allowEval: true, ...options });

async function holds(check: (source: string) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(program, check), { numRuns: COUNT, seed: SEED });
}

describe("a generated program does the same", () => {
  const plain = engineOf();
  const run = (source: string): Promise<string> => outcome(plain, source, { limits: SIZES });

  test(
    "when its functions are compiled as suspending ones",
    async () => {
      const suspending = engineOf({ forceSuspension: true });
      await holds(async (source) =>
        expect(await outcome(suspending, source, { limits: SIZES })).toBe(await run(source)),
      );
    },
    LONG,
  );

  test(
    "after formatting, which a second time changes nothing",
    async () => {
      let refused = 0;
      await holds(async (source) => {
        const formatted = format(source);
        if (!formatted.ok) {
          refused += 1;
          return;
        }
        expect(format(formatted.text)).toEqual(formatted);
        expect(withoutPlaces(await run(formatted.text))).toBe(withoutPlaces(await run(source)));
      });
      // Such as a literal where it can only be wrong; most programs must be taken for this to mean anything.
      expect(refused).toBeLessThan(COUNT / 4);
    },
    LONG,
  );

  test(
    "with metering on and off",
    async () => {
      const limits = { ...SIZES, maxOperations: 1_000_000_000, maxVariables: 1000, maxMemory: 2 ** 31 };
      await holds(async (source) => {
        const metered = outcome(plain, source, {
          limits,
          deadline: performance.now() + 60_000,
          cancelled: () => false,
        });
        expect(await metered).toBe(await run(source));
      });
    },
    LONG,
  );
});

/** An expression over integers, and its exact value; a text is the kind of the error that it ends in. */
interface Formula {
  readonly source: string;
  readonly value: bigint | "ErrorArithmetic";
}

const border = fc.constantFrom(0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, -(2n ** 53n), INT_MAX, INT_MIN);

const integer: fc.Arbitrary<bigint> = fc
  .oneof(
    fc.integer({ min: -100, max: 100 }).map(BigInt),
    fc.bigInt({ min: INT_MIN, max: INT_MAX }),
    fc.tuple(border, fc.integer({ min: -3, max: 3 })).map(([at, offset]) => at + BigInt(offset)),
  )
  .map((value) => BigInt.asIntN(64, value));

const checked = (value: bigint): bigint | "ErrorArithmetic" =>
  value < INT_MIN || value > INT_MAX ? "ErrorArithmetic" : value;

type Exact = (a: bigint, b: bigint) => bigint | "ErrorArithmetic";

const OPERATORS: Readonly<Record<string, Exact>> = {
  "+": (a, b) => checked(a + b),
  "-": (a, b) => checked(a - b),
  "*": (a, b) => checked(a * b),
  "/": (a, b) => (b === 0n ? "ErrorArithmetic" : checked(a / b)),
  "%": (a, b) => (b === 0n || (a === INT_MIN && b === -1n) ? "ErrorArithmetic" : a % b),
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
};

const formula: fc.Memo<Formula> = fc.memo((depth) => {
  const literal = integer.map((value) => ({ source: value < 0n ? `(${value})` : String(value), value }));
  if (depth <= 1) return literal;
  const inner = (): fc.Arbitrary<Formula> => formula(depth - 1);
  const negated = inner().map(({ source, value }) => ({
    source: `-(${source})`,
    value: typeof value === "bigint" ? checked(-value) : value,
  }));
  const combined = fc
    .tuple(fc.constantFrom(...Object.keys(OPERATORS)), inner(), inner())
    .map(([op, a, b]): Formula => {
      const source = `(${a.source} ${op} ${b.source})`;
      if (typeof a.value !== "bigint") return { source, value: a.value };
      if (typeof b.value !== "bigint") return { source, value: b.value };
      return { source, value: OPERATORS[op]?.(a.value, b.value) ?? "ErrorArithmetic" };
    });
  return fc.oneof(
    { weight: 1, arbitrary: literal },
    { weight: 1, arbitrary: negated },
    { weight: 6, arbitrary: combined },
  );
});

/** The same formula as literals, through variables, as arguments, and step by step with assignment operators. */
const FORMS: readonly ((source: string) => string)[] = [
  (source) => source,
  (source) => `fn id(x) { x } ${source.replaceAll(/\d+/g, "id($&)")}`,
  (source) => `let r = 0; for i in 0..2 { let z = i - i; r = ${source.replaceAll(/\d+/g, "($& + z)")}; } r`,
  (source) => `let f = |z| ${source.replaceAll(/\d+/g, "($& + z)")}; f.call(0)`,
];

test(
  "integer expressions agree with exact arithmetic, overflows included",
  () => {
    const engine = engineOf();
    fc.assert(
      fc.property(formula(4), fc.constantFrom(...FORMS), ({ source, value }, form) => {
        // The smallest integer has no literal of its own: its digits alone are too large.
        const text = form(source.replaceAll(/\(-9223372036854775808\)/g, "(-9223372036854775807 - 1)"));
        const compiled = engine.compile(text);
        if (!compiled.ok) throw new Error(`${text}: ${compiled.diagnostics[0]?.message}`);
        const result = compiled.script.run();
        if (result instanceof Promise) throw new Error("suspended");
        if (result.ok) expect([text, String(result.value)]).toEqual([text, String(value)]);
        else expect([text, innermost(result.error).kind as string]).toEqual([text, String(value)]);
      }),
      { numRuns: COUNT * 4, seed: SEED },
    );
  },
  LONG,
);

test(
  "comparisons, shifts and powers agree with exact arithmetic",
  () => {
    const engine = engineOf();
    const compiled = engine.compile(
      "fn all(a, b, n) { [a < b, a <= b, a > b, a >= b, a == b, a != b, a << n, a >> n, if a < 100 && a > -100 { a ** n } else { 0 }] }",
    );
    if (!compiled.ok) throw new Error("does not compile");
    const toInt = (value: bigint): number | bigint => {
      const small = Number(value);
      return Number.isSafeInteger(small) ? small : value;
    };
    fc.assert(
      fc.property(integer, integer, fc.integer({ min: 0, max: 9 }), (a, b, n) => {
        const shift = BigInt(n);
        const power = a < 100n && a > -100n ? a ** shift : 0n;
        const expected = [
          a < b,
          a <= b,
          a > b,
          a >= b,
          a === b,
          a !== b,
          BigInt.asIntN(64, a << shift),
          a >> shift,
          power,
        ];
        const result = compiled.script.call("all", [toInt(a), toInt(b), n]);
        if (result instanceof Promise || !result.ok) throw new Error("failed");
        expect(toDebugValue(result.value)).toBe(`[${expected.join(", ")}]`);
      }),
      { numRuns: COUNT, seed: SEED },
    );
  },
  LONG,
);
