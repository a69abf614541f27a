import { expect, test } from "bun:test";
import { createThrottle, MAX_FAILURES, WINDOW_MS } from "../../src/services/identity/throttle.ts";

const clockAt = (start: number) => ({ ms: start, now: () => clock.ms, monotonic: () => clock.ms });
let clock = clockAt(0);
const fresh = () => {
  clock = clockAt(1_000_000);
  return createThrottle(clock);
};

/** Seconds to wait; null when the attempt may start. */
function wait(throttle: ReturnType<typeof createThrottle>, subject: string): number | null {
  try {
    throttle.begin(subject).abandoned();
    return null;
  } catch (error) {
    return Number((error as { headers: Record<string, string> }).headers["Retry-After"]);
  }
}

test("the sixth attempt waits until the first failure is five minutes old", () => {
  const throttle = fresh();
  for (let n = 0; n < MAX_FAILURES; n++) {
    throttle.begin("a").failed();
    clock.ms += 10_000;
  }
  expect(wait(throttle, "a")).toBe(250);
  expect(wait(throttle, "b")).toBeNull();
  clock.ms += 249_000;
  expect(wait(throttle, "a")).toBe(1);
  clock.ms += 1_000;
  expect(wait(throttle, "a")).toBeNull();
});

test("a success forgets the failures before it", () => {
  const throttle = fresh();
  for (let n = 0; n < MAX_FAILURES - 1; n++) throttle.begin("a").failed();
  throttle.begin("a").succeeded();
  throttle.begin("a").failed();
  expect(wait(throttle, "a")).toBeNull();
});

test("attempts under way count, so that a burst gets no further than the limit", () => {
  const throttle = fresh();
  const pending = Array.from({ length: MAX_FAILURES }, () => throttle.begin("a"));
  expect(wait(throttle, "a")).not.toBeNull();
  for (const attempt of pending) attempt.abandoned();
  expect(wait(throttle, "a")).toBeNull();
});

test("invented subjects do not fill the memory, and the ones in use are kept", () => {
  const throttle = fresh();
  for (let n = 0; n < MAX_FAILURES; n++) throttle.begin("busy").failed();
  for (let n = 0; n < 20_000; n++) {
    throttle.begin(`invented ${n}`).failed();
    if (n % 1000 === 0) wait(throttle, "busy");
  }
  expect(wait(throttle, "busy")).not.toBeNull();
  expect(WINDOW_MS).toBe(300_000);
});
