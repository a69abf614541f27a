import { expect, test } from "bun:test";
import { backoffMs, DEFAULT_JITTER, type RetryPolicy } from "../../../src/services/events/index.ts";

const waits = (backoff: RetryPolicy["backoff"], random = 0.5, jitter = DEFAULT_JITTER): number[] =>
  [1, 2, 3, 4].map((attempts) => backoffMs({ backoff, baseMs: 1000 }, attempts, random, jitter));

test("waits double, grow by the first one, or stay", () => {
  expect(waits("exponential")).toEqual([1000, 2000, 4000, 8000]);
  expect(waits("linear")).toEqual([1000, 2000, 3000, 4000]);
  expect(waits("constant")).toEqual([1000, 1000, 1000, 1000]);
});

test("they differ by the jitter either way, and without one not at all", () => {
  expect(waits("constant", 0)[0]).toBe(800);
  expect(waits("constant", 1)[0]).toBe(1200);
  expect(waits("constant", 0, 0.5)[0]).toBe(500);
  expect(waits("constant", 1, 0)[0]).toBe(1000);
});

test("they are an hour at most, before the jitter", () => {
  for (const backoff of ["exponential", "linear", "constant"] as const) {
    const policy = { backoff, baseMs: 3_600_000 };
    expect(backoffMs(policy, 100, 0.5, 0.2)).toBe(3_600_000);
    expect(backoffMs(policy, 100, 1, 0.2)).toBe(4_320_000);
  }
});
