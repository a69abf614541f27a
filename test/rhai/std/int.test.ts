import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RhaiError } from "../../../src/rhai/runtime/errors.ts";
import * as int from "../../../src/rhai/runtime/int.ts";
import { failureOf } from "./context.ts";

const MIN = int.INT_MIN;
const MAX = int.INT_MAX;
const RUNS = { numRuns: 3000 };

/** Integers of all sizes, with those around the borders of i32, of safe integers and of i64 more often. */
const anyInt = fc
  .oneof(
    fc.bigInt({ min: MIN, max: MAX }),
    fc.integer({ min: -100, max: 100 }).map(BigInt),
    fc.integer().map(BigInt),
    fc
      .tuple(
        fc.constantFrom(0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, MAX, -(2n ** 53n), MIN),
        fc.integer({ min: -3, max: 3 }),
      )
      .map(([border, offset]) => clamp(border + BigInt(offset))),
  )
  .map(int.normalizeInt);

function clamp(value: bigint): bigint {
  return value < MIN ? MIN : value > MAX ? MAX : value;
}

function isCanonical(value: int.Int): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
  return value >= MIN && value <= MAX && !Number.isSafeInteger(Number(value));
}

/** The exact result, or what the operation throws. */
function attempt(operation: () => int.Int): bigint | string {
  try {
    const result = operation();
    if (!isCanonical(result)) return `not canonical: ${typeof result} ${result}`;
    return BigInt(result);
  } catch (error) {
    return error instanceof RhaiError ? error.kind : String(error);
  }
}

function checked(value: bigint): bigint | string {
  return value < MIN || value > MAX ? "ErrorArithmetic" : value;
}

describe("integers", () => {
  const exact: readonly [
    string,
    (a: int.Int, b: int.Int) => int.Int,
    (a: bigint, b: bigint) => bigint | string,
  ][] = [
    ["add", int.add, (a, b) => checked(a + b)],
    ["sub", int.sub, (a, b) => checked(a - b)],
    ["mul", int.mul, (a, b) => checked(a * b)],
    ["div", int.div, (a, b) => (b === 0n ? "ErrorArithmetic" : checked(a / b))],
    ["rem", int.rem, (a, b) => (b === 0n || (a === MIN && b === -1n) ? "ErrorArithmetic" : a % b)],
    ["and", int.and, (a, b) => a & b],
    ["or", int.or, (a, b) => a | b],
    ["xor", int.xor, (a, b) => a ^ b],
  ];
  for (const [name, ours, reference] of exact) {
    test(`${name} agrees with exact arithmetic, within 64 bits`, () => {
      fc.assert(
        fc.property(anyInt, anyInt, (a, b) => {
          expect(attempt(() => ours(a, b))).toBe(reference(BigInt(a), BigInt(b)));
        }),
        RUNS,
      );
    });
  }

  test("pow agrees with exact arithmetic, within 64 bits", () => {
    fc.assert(
      fc.property(anyInt, fc.integer({ min: 0, max: 70 }), (a, b) => {
        expect(attempt(() => int.pow(a, b))).toBe(checked(BigInt(a) ** BigInt(b)));
      }),
      RUNS,
    );
  });

  test("shifts drop what leaves 64 bits, keep the sign, and turn round for negative counts", () => {
    const left = (a: bigint, count: bigint): bigint => (count > 63n ? 0n : BigInt.asIntN(64, a << count));
    const right = (a: bigint, count: bigint): bigint => a >> (count > 63n ? 63n : count);
    fc.assert(
      fc.property(anyInt, fc.oneof(fc.integer({ min: -70, max: 70 }), anyInt), (a, count) => {
        const [x, n] = [BigInt(a), BigInt(count)];
        expect(attempt(() => int.shl(a, count))).toBe(n < 0n ? right(x, -n) : left(x, n));
        expect(attempt(() => int.shr(a, count))).toBe(n < 0n ? left(x, -n) : right(x, n));
      }),
      RUNS,
    );
  });

  test("negation and absolute value overflow only at the smallest integer", () => {
    fc.assert(
      fc.property(anyInt, (a) => {
        const x = BigInt(a);
        expect(attempt(() => int.neg(a))).toBe(checked(-x));
        expect(attempt(() => int.abs(a))).toBe(checked(x < 0n ? -x : x));
        expect(int.sign(a)).toBe(x > 0n ? 1 : x < 0n ? -1 : 0);
      }),
      RUNS,
    );
  });

  test("a float gives an integer when its whole part fits into 64 bits", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.double({ min: -1e20, max: 1e20 })), (value) => {
        const whole = Number.isFinite(value) ? BigInt(Math.trunc(value)) : MAX + 1n;
        const result = int.intFromFloat(value);
        expect(result === null ? null : BigInt(result)).toBe(whole < MIN || whole > MAX ? null : whole);
      }),
      RUNS,
    );
  });

  test("errors carry the official texts and no position", () => {
    expect(failureOf(() => int.add(MAX, 1))).toBe("Addition overflow: 9223372036854775807 + 1");
    expect(failureOf(() => int.sub(MIN, 1))).toBe("Subtraction overflow: -9223372036854775808 - 1");
    expect(failureOf(() => int.mul(MAX, 2))).toBe("Multiplication overflow: 9223372036854775807 * 2");
    expect(failureOf(() => int.div(5, 0))).toBe("Division by zero: 5 / 0");
    expect(failureOf(() => int.div(MIN, -1))).toBe("Division overflow: -9223372036854775808 / -1");
    expect(failureOf(() => int.rem(5, 0))).toBe("Modulo division by zero or overflow: 5 % 0");
    expect(failureOf(() => int.pow(10, 19))).toBe("Exponential overflow: 10 ** 19");
    expect(failureOf(() => int.pow(1, 4294967296))).toBe("Exponential overflow: 1 ** 4294967296");
    expect(failureOf(() => int.pow(2, -1))).toBe("Integer raised to a negative power: 2 ** -1");
    expect(failureOf(() => int.neg(MIN))).toBe("Negation overflow: --9223372036854775808");
    expect(failureOf(() => int.abs(MIN))).toBe("Negation overflow: --9223372036854775808");
  });
});
