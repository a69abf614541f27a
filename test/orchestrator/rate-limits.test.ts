import { describe, expect, test } from "bun:test";
import { RateLimits, type Rate } from "../../src/orchestrator/rate-limits.ts";
import { AppError } from "../../src/shared/errors.ts";

/** Time that stands still until it is moved. */
function start() {
  let now = 1_000_000;
  const limits = new RateLimits({ now: () => now, monotonic: () => now });
  return {
    limits,
    advance: (ms: number) => void (now += ms),
    /** The refusal; null: let through. */
    ask(name: string, rate: Rate): AppError | null {
      try {
        limits.take(name, rate);
        return null;
      } catch (error) {
        if (error instanceof AppError) return error;
        throw error;
      }
    },
  };
}

describe("a rate limit", () => {
  test("lets so many through, tells what is left, and says when to come back", () => {
    const { limits, advance, ask } = start();
    const rate = { requests: 2, windowSeconds: 10 };
    expect(limits.take("a", rate)).toEqual({
      "RateLimit-Limit": "2",
      "RateLimit-Remaining": "1",
      "RateLimit-Reset": "10",
    });
    advance(4000);
    expect(limits.take("a", rate)).toMatchObject({ "RateLimit-Remaining": "0", "RateLimit-Reset": "6" });
    const refusal = ask("a", rate);
    expect(refusal).toMatchObject({
      status: 429,
      code: "rate_limited",
      headers: {
        "Retry-After": "6",
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "6",
      },
    });
    expect(limits.rejected).toBe(1);
  });

  test("that turns a request away uses nothing up of another limit", () => {
    const { limits, advance } = start();
    const shared = { name: "app", rate: { requests: 3, windowSeconds: 10 } };
    const own = (caller: string) => ({ name: caller, rate: { requests: 1, windowSeconds: 60 } });
    expect(limits.takeAll([shared, own("a")])).toMatchObject({ "RateLimit-Limit": "1" });
    for (let i = 0; i < 20; i++)
      expect(() => limits.takeAll([shared, own("a")])).toThrow("1 are taken in 60 s");
    limits.takeAll([shared, own("b")]);
    limits.takeAll([shared, own("c")]);
    expect(() => limits.takeAll([shared, own("d")])).toThrow("3 are taken in 10 s");
    advance(10_000);
    // Not counted when the app's limit turned it away.
    limits.takeAll([shared, own("d")]);
    expect(limits.takeAll([])).toEqual({});
    expect(limits.rejected).toBe(21);
  });

  test("is exact in every window, wherever it begins", () => {
    const { advance, ask } = start();
    const rate = { requests: 100, windowSeconds: 1 };
    const passed: number[] = [];
    for (let ms = 0; ms < 5000; ms += 3) {
      if (ask("a", rate) === null) passed.push(ms);
      advance(3);
    }
    for (let from = 0; from < 4000; from += 7) {
      expect(passed.filter((ms) => ms >= from && ms < from + 1000).length).toBeLessThanOrEqual(100);
    }
    // And it does not let fewer through than it may.
    expect(passed.length).toBeGreaterThanOrEqual(500);
  });

  test("does not count who was turned away, and counts subjects apart", () => {
    const { advance, ask } = start();
    const rate = { requests: 1, windowSeconds: 1 };
    expect(ask("a", rate)).toBeNull();
    advance(900);
    for (let i = 0; i < 5; i++) expect(ask("a", rate)).not.toBeNull();
    expect(ask("b", rate)).toBeNull();
    advance(100);
    expect(ask("a", rate)).toBeNull();
  });

  test("follows a limit that was changed", () => {
    const { ask } = start();
    for (let i = 0; i < 5; i++) expect(ask("a", { requests: 5, windowSeconds: 60 })).toBeNull();
    expect(ask("a", { requests: 3, windowSeconds: 60 })).not.toBeNull();
    expect(ask("a", { requests: 6, windowSeconds: 60 })).toBeNull();
  });

  test("remembers a bounded number of subjects, those that were heard of last", () => {
    const { ask } = start();
    const rate = { requests: 1, windowSeconds: 3600 };
    for (let i = 0; i < 120_000; i++) ask(`s${i}`, rate);
    expect(ask("s119999", rate)).not.toBeNull();
    expect(ask("s0", rate)).toBeNull();
  });
});
