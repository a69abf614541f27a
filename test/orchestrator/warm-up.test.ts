import { expect, test } from "bun:test";
import { createWarmUp } from "../../src/orchestrator/warm-up.ts";

function clocked(most: number) {
  let at = 0;
  const warmUp = createWarmUp(most, () => at);
  return { warmUp, pass: (ms: number) => void (at += ms) };
}

test("begins with a few, and each that ends makes room for one more", () => {
  const { warmUp } = clocked(8);
  expect(warmUp.allowed(0)).toBe(2);
  for (let run = 0; run < 10; run++) warmUp.ended();
  expect(warmUp.allowed(5)).toBe(8);
  expect(warmUp.moreInMs()).toBeNull();
});

test("makes room with time, too, when no run ends, so that long ones keep nobody waiting", () => {
  const { warmUp, pass } = clocked(32);
  warmUp.allowed(0);
  const rooms = Array.from({ length: 11 }, () => {
    pass(warmUp.moreInMs() ?? 0);
    return warmUp.allowed(2);
  });
  expect(rooms).toEqual([3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 32]);
});

test("begins anew after a rest in which the workers ended, and not after a shorter one", () => {
  const { warmUp, pass } = clocked(8);
  for (let run = 0; run < 10; run++) warmUp.ended();
  pass(1000);
  expect(warmUp.allowed(0)).toBe(8);
  pass(6000);
  expect(warmUp.allowed(0)).toBe(2);
});

test("never allows more than there are slots", () => {
  expect(clocked(1).warmUp.allowed(0)).toBe(1);
});
