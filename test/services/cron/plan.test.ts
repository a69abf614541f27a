import { describe, expect, test } from "bun:test";
import { parseSchedule, planFirings } from "../../../src/services/cron/index.ts";

const HOURLY = parseSchedule("@hourly", "UTC");
const SECONDLY = parseSchedule("* * * * * *", "UTC");
const at = (time: string): number => Date.parse(`2026-05-01T${time}Z`);
const hours = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => at(`${String(from + index).padStart(2, "0")}:00:00`));

type Policy = Parameters<typeof planFirings>[3];
const policy = (missed: Policy["missed"], startDeadlineSeconds: number | null = null): Policy => ({
  missed,
  startDeadlineSeconds,
});

describe("a firing in time", () => {
  test("is one, whatever the policy", () => {
    for (const missed of ["skip", "once", "all"] as const)
      expect(planFirings(HOURLY, at("03:00:00"), at("03:00:02"), policy(missed))).toEqual({
        firings: [{ at: at("03:00:00"), missed: false }],
        nextAt: at("04:00:00"),
      });
  });
});

describe("firings that were missed", () => {
  const [due, now] = [at("03:00:00"), at("07:30:00")];

  test("skip: are dropped, but for one that is in time", () => {
    expect(planFirings(HOURLY, due, now, policy("skip"))).toEqual({ firings: [], nextAt: at("08:00:00") });
    expect(planFirings(HOURLY, due, at("07:00:01"), policy("skip")).firings).toEqual([
      { at: at("07:00:00"), missed: false },
    ]);
  });

  test("once: are one, which says how many it stands for", () => {
    expect(planFirings(HOURLY, due, now, policy("once"))).toEqual({
      firings: [{ at: at("07:00:00"), missed: true, missedCount: 5 }],
      nextAt: at("08:00:00"),
    });
    expect(planFirings(HOURLY, due, at("07:00:01"), policy("once")).firings).toEqual([
      { at: at("07:00:00"), missed: true, missedCount: 4 },
    ]);
    expect(planFirings(HOURLY, due, at("03:20:00"), policy("once")).firings).toEqual([
      { at: due, missed: true, missedCount: 1 },
    ]);
  });

  test("all: come oldest first, then one that is in time", () => {
    expect(planFirings(HOURLY, due, now, policy("all")).firings).toEqual(
      hours(3, 7).map((each) => ({ at: each, missed: true })),
    );
    expect(planFirings(HOURLY, due, at("07:00:01"), policy("all")).firings).toEqual([
      ...hours(3, 6).map((each) => ({ at: each, missed: true })),
      { at: at("07:00:00"), missed: false },
    ]);
  });

  test("all: are a hundred at most", () => {
    const { firings, nextAt } = planFirings(SECONDLY, due, at("03:10:00"), policy("all"));
    expect(firings).toHaveLength(101);
    expect(firings[0]).toEqual({ at: due, missed: true });
    expect(firings[99]).toEqual({ at: at("03:01:39"), missed: true });
    expect(firings[100]).toEqual({ at: at("03:10:00"), missed: false });
    expect(nextAt).toBe(at("03:10:01"));
  });

  test("are dropped when they are later than the deadline", () => {
    expect(planFirings(HOURLY, due, now, policy("once", 1799)).firings).toEqual([]);
    expect(planFirings(HOURLY, due, now, policy("once", 1800)).firings).toHaveLength(1);
    expect(planFirings(HOURLY, due, now, policy("all", 2 * 3600)).firings).toEqual([
      { at: at("06:00:00"), missed: true },
      { at: at("07:00:00"), missed: true },
    ]);
    expect(planFirings(HOURLY, due, now, policy("all", 60)).firings).toEqual([]);
    expect(planFirings(HOURLY, due, at("03:00:03"), policy("skip", 2)).firings).toEqual([]);
  });

  test("of every second in a year are found without walking through them", () => {
    const year = 365 * 86_400_000;
    expect(planFirings(SECONDLY, due - year, now, policy("once"))).toEqual({
      firings: [{ at: now, missed: true, missedCount: 1000 }],
      nextAt: now + 1000,
    });
  });

  test("leave nothing to come when the schedule has ended", () => {
    const schedule = parseSchedule("0 0 3,4 1 5 * 2026", "UTC");
    expect(planFirings(schedule, due, now, policy("once"))).toEqual({
      firings: [{ at: at("04:00:00"), missed: true, missedCount: 2 }],
      nextAt: null,
    });
  });
});
