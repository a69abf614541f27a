import { describe, expect, test } from "bun:test";
import { sentBetween, type Look } from "../../src/cli/idle-proof/database.ts";
import { usedBetween, type Usage } from "../../src/cli/idle-proof/processes.ts";
import { secondsIn } from "../../src/cli/idle-proof/server.ts";

describe("what was sent to a database between two looks", () => {
  const FIRST: Look = {
    at: "2026-05-01 03:00:00+00",
    transactions: 100,
    sessions: 10,
    walBytes: 5000,
    checkpoint: "0/1",
    begun: 0,
    others: 0,
  };
  const sent = (after: Partial<Look>, counted = false, before: Partial<Look> = {}) =>
    sentBetween({ ...FIRST, ...before }, { ...FIRST, ...before, ...after }, counted).statements;

  test("is nothing when only autovacuum was there", () => {
    expect(sent({})).toBe(0);
    expect(sent({ transactions: 107 })).toBe(0);
  });

  test("is what closed connections counted, without the transaction of connecting", () => {
    expect(sent({ transactions: 106, sessions: 12 })).toBe(4);
    // A connection that asked nothing is one too many all the same.
    expect(sent({ transactions: 101, sessions: 11 })).toBe(1);
  });

  test("is at least one for each open connection that was given a statement, counted yet or not", () => {
    expect(sent({ begun: 2 })).toBe(2);
    expect(sent({ begun: 1, transactions: 130 })).toBe(30);
  });

  test("is without the look itself where that is counted", () => {
    expect(sent({ transactions: 102, sessions: 11 }, true)).toBe(0);
    expect(sent({ transactions: 105, sessions: 12 }, true)).toBe(2);
  });

  test("is what is known of PiCloud's connections where others work too", () => {
    expect(sent({ transactions: 900, sessions: 50 }, true, { others: 1 })).toBe(0);
    expect(sent({ transactions: 900, begun: 1 }, true, { others: 1 })).toBe(1);
  });
});

describe("what processes used between two looks", () => {
  const usage = (
    threads: readonly (readonly [id: number, cpuNs: number, contextSwitches: number])[],
    processes: readonly (readonly [pid: number, own: number, ended: number])[],
  ): Usage => ({
    threads: new Map(threads.map(([id, cpuNs, contextSwitches]) => [id, { cpuNs, contextSwitches }])),
    processes: new Map(processes.map(([pid, own, ended]) => [pid, { own, ended }])),
  });

  test("counts threads that began meanwhile from zero", () => {
    const before = usage([[1, 5e6, 10]], [[1, 0, 0]]);
    const after = usage(
      [
        [1, 6e6, 12],
        [2, 3e6, 4],
      ],
      [[1, 1, 0]],
    );
    expect(usedBetween(before, after)).toEqual({ cpuMs: 4, contextSwitches: 6 });
  });

  test("counts threads that ended by the ticks of their process", () => {
    const before = usage([[1, 5e6, 10]], [[1, 10, 0]]);
    expect(usedBetween(before, usage([[1, 5e6, 10]], [[1, 25, 0]])).cpuMs).toBe(150);
  });

  test("counts children that came and went, and of those that were there only what they did since", () => {
    const before = usage(
      [],
      [
        [1, 0, 100],
        [2, 30, 0],
      ],
    );
    expect(usedBetween(before, usage([], [[1, 0, 135]])).cpuMs).toBe(50);
  });
});

test("durations are seconds, or have a unit", () => {
  expect(["60", "20s", "1m", "1h", "5"].map(secondsIn)).toEqual([60, 20, 60, 3600, 5]);
  for (const text of ["4", "61m", "1.5m", "-5s", "soon", "", "20 s"])
    expect(() => secondsIn(text)).toThrow("from 5s to 1h");
});
