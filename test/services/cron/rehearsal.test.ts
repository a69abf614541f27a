import { expect, test } from "bun:test";
import { parseCron, rehearse, type CronInput, type Outage } from "../../../src/services/cron/index.ts";

const HOUR = 3_600_000;

/** What is rehearsed: first instant, runs, notes. */
function told(
  input: CronInput,
  from: string,
  hours: number,
  more: { readonly durationMs?: number; readonly outages?: readonly (readonly [string, string])[] } = {},
): unknown[] {
  const { schedule, policy } = parseCron(input);
  const start = Date.parse(from);
  const outages: Outage[] = (more.outages ?? []).map(([a, b]) => ({
    from: Date.parse(a),
    to: Date.parse(b),
  }));
  return rehearse({
    schedule,
    policy,
    durationMs: more.durationMs ?? null,
    from: start,
    to: start + hours * HOUR,
    outages,
  }).map(({ first, runs, isMore, notes }) => [
    new Date(first).toISOString().slice(0, 16),
    isMore ? `over ${runs}` : runs,
    notes.join("; "),
  ]);
}

test("shows each firing, and what setting the clocks does to it", () => {
  const daily = { schedule: "0 30 2 * * *", timezone: "Europe/Berlin" };
  expect(told(daily, "2026-03-28T00:00:00Z", 72)).toEqual([
    ["2026-03-28T01:30", 1, ""],
    ["2026-03-29T01:00", 1, "clocks go forward 60 min: 02:30:00 does not exist"],
    ["2026-03-30T00:30", 1, ""],
  ]);
  expect(told(daily, "2026-10-24T22:00:00Z", 30)).toEqual([
    ["2026-10-25T00:30", 1, "clocks go back 60 min: first time only"],
    ["2026-10-26T01:30", 1, ""],
  ]);
});

test("makes one row of a day with many, and counts what is remarkable", () => {
  expect(
    told({ schedule: "0 */30 * * * *", timezone: "Australia/Lord_Howe" }, "2026-04-03T13:00:00Z", 48),
  ).toEqual([
    ["2026-04-03T13:00", 48, ""],
    ["2026-04-04T13:00", 49, "clocks go back 30 min: first time; clocks went back 30 min: second time"],
  ]);
  expect(told({ schedule: "* * * * * *" }, "2026-05-01T00:00:00Z", 47)).toEqual([
    ["2026-05-01T00:00", "over 1500", ""],
    ["2026-05-02T00:00", "over 1500", ""],
  ]);
});

test("shows runs that overlap, as the trigger wishes", () => {
  const from = "2026-05-01T00:00:00Z";
  const rows = (overlap: string) =>
    told({ schedule: "0 0 * * * *", overlap }, from, 2, { durationMs: 1.5 * HOUR }).map((row) =>
      (row as unknown[]).slice(1),
    );
  expect(rows("allow")).toEqual([
    [1, ""],
    [1, "overlaps the run before"],
    [1, "overlaps the run before"],
  ]);
  expect(rows("skip")).toEqual([
    [1, ""],
    [0, "skipped, as the run before has not ended"],
    [1, ""],
  ]);
  expect(rows("queue")).toEqual([
    [1, ""],
    [1, "waits for the run before"],
    [1, "waits for the run before"],
  ]);
});

test("shows what an outage leads to", () => {
  const outages = [["2026-05-01T01:30:00Z", "2026-05-01T05:30:00Z"]] as const;
  const rows = (input: object) =>
    told({ schedule: "0 0 */2 * * *", ...input }, "2026-05-01T00:00:00Z", 6, { outages });
  const [before, after] = [
    ["2026-05-01T00:00", 1, ""],
    ["2026-05-01T06:00", 1, ""],
  ];
  const back = "2026-05-01T05:30";
  expect(rows({})).toEqual([before, [back, 1, "2 missed (once): 1 on return"], after]);
  expect(rows({ missed: "all" })).toEqual([before, [back, 2, "2 missed (all): 2 on return"], after]);
  expect(rows({ missed: "skip" })).toEqual([before, [back, 0, "2 missed (skip): dropped"], after]);
  expect(rows({ start_deadline_seconds: 60 })).toEqual([
    before,
    [back, 0, "2 missed (once): dropped"],
    after,
  ]);
});
