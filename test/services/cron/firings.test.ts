import { describe, expect, test } from "bun:test";
import { nextFiring, nextFirings, parseSchedule } from "../../../src/services/cron/index.ts";

const BERLIN = "Europe/Berlin";
const NEW_YORK = "America/New_York";
const LORD_HOWE = "Australia/Lord_Howe";

/**
 * Clocks were set: Berlin 2026-03-29 02:00 (+1) to 03:00 (+2), 2026-10-25 03:00 to 02:00; New York 2026-03-08 02:00 (-5)
 * to 03:00 (-4), 2026-11-01 02:00 to 01:00; Lord Howe 2026-04-05 02:00 (+11) to 01:30 (+10:30), 2026-10-04 02:00 to 02:30.
 * Worked out by hand.
 */
const TABLE: readonly (readonly [
  what: string,
  schedule: string,
  zone: string,
  after: string,
  expected: readonly string[],
])[] = [
  // Nothing happens to clocks.
  [
    "each day at a time",
    "0 30 2 * * *",
    "UTC",
    "2026-03-28T12:00:00Z",
    ["2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"],
  ],
  [
    "half hours off UTC",
    "0 0 9 * * *",
    "Asia/Kolkata",
    "2026-03-28T12:00:00Z",
    ["2026-03-29T03:30:00Z", "2026-03-30T03:30:00Z"],
  ],
  [
    "hours off UTC by a half",
    "0 0 * * * *",
    "Asia/Kolkata",
    "2026-03-28T12:00:00Z",
    ["2026-03-28T12:30:00Z", "2026-03-28T13:30:00Z"],
  ],
  ["strictly after", "0 0 0 * * *", "UTC", "2026-03-28T00:00:00Z", ["2026-03-29T00:00:00Z"]],
  ["a moment within a second", "* * * * * *", "UTC", "2026-03-28T00:00:00.500Z", ["2026-03-28T00:00:01Z"]],
  ["before the epoch's second", "* * * * * *", "UTC", "2026-03-27T23:59:59.999Z", ["2026-03-28T00:00:00Z"]],
  [
    "29 February",
    "0 0 0 29 2 *",
    BERLIN,
    "2026-03-01T00:00:00Z",
    ["2028-02-28T23:00:00Z", "2032-02-28T23:00:00Z"],
  ],
  [
    "either of the days",
    "0 0 0 13 * 5",
    "UTC",
    "2026-11-01T00:00:00Z",
    [
      "2026-11-06T00:00:00Z",
      "2026-11-13T00:00:00Z",
      "2026-11-20T00:00:00Z",
      "2026-11-27T00:00:00Z",
      "2026-12-04T00:00:00Z",
      "2026-12-11T00:00:00Z",
      "2026-12-13T00:00:00Z",
    ],
  ],
  [
    "across summer and winter",
    "0 0 12 1 */6 *",
    BERLIN,
    "2026-01-01T12:00:00Z",
    ["2026-07-01T10:00:00Z", "2027-01-01T11:00:00Z", "2027-07-01T10:00:00Z"],
  ],
  [
    "years",
    "0 0 0 1 1 * 2028,2030",
    "UTC",
    "2026-01-01T00:00:00Z",
    ["2028-01-01T00:00:00Z", "2030-01-01T00:00:00Z"],
  ],

  // A time that does not exist.
  [
    "Berlin, a time in the gap",
    "0 30 2 * * *",
    BERLIN,
    "2026-03-27T12:00:00Z",
    ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
  ],
  [
    "Berlin, the gap's first moment",
    "0 0 2 * * *",
    BERLIN,
    "2026-03-28T12:00:00Z",
    ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
  ],
  [
    "Berlin, the gap's end",
    "0 0 3 * * *",
    BERLIN,
    "2026-03-28T12:00:00Z",
    ["2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"],
  ],
  [
    "Berlin, several in the gap are one",
    "0 10,20,50 2 * * *",
    BERLIN,
    "2026-03-29T00:00:00Z",
    ["2026-03-29T01:00:00Z", "2026-03-30T00:10:00Z"],
  ],
  [
    "Berlin, one in the gap and its end are one",
    "0 0 2,3 * * *",
    BERLIN,
    "2026-03-29T00:00:00Z",
    ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
  ],
  [
    "Berlin, on Sundays only",
    "0 15 2 * * 0",
    BERLIN,
    "2026-03-28T12:00:00Z",
    ["2026-03-29T01:00:00Z", "2026-04-05T00:15:00Z"],
  ],
  [
    "Berlin, that day only, seen from long before",
    "0 15 2 29 3 *",
    BERLIN,
    "2025-06-01T00:00:00Z",
    ["2026-03-29T01:00:00Z", "2027-03-29T00:15:00Z"],
  ],
  [
    "Berlin, steps over the gap",
    "0 */20 * * * *",
    BERLIN,
    "2026-03-29T00:20:00Z",
    ["2026-03-29T00:40:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z"],
  ],
  [
    "Berlin, steps within the gap only",
    "0 */20 2 * * *",
    BERLIN,
    "2026-03-28T01:20:00Z",
    ["2026-03-28T01:40:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
  ],
  [
    "New York, a time in the gap",
    "0 30 2 * * *",
    NEW_YORK,
    "2026-03-07T12:00:00Z",
    ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"],
  ],
  [
    "New York, hours",
    "0 0 * * * *",
    NEW_YORK,
    "2026-03-08T05:30:00Z",
    ["2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"],
  ],
  [
    "Lord Howe, a time in the gap of half an hour",
    "0 15 2 * * *",
    LORD_HOWE,
    "2026-10-02T20:00:00Z",
    ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
  ],
  [
    "Lord Howe, a time after the gap",
    "0 45 2 * * *",
    LORD_HOWE,
    "2026-10-02T20:00:00Z",
    ["2026-10-03T15:45:00Z", "2026-10-04T15:45:00Z"],
  ],

  // A time that occurs twice.
  [
    "Berlin, a time that occurs twice",
    "0 30 2 * * *",
    BERLIN,
    "2026-10-24T12:00:00Z",
    ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
  ],
  ["Berlin, asked between the two", "0 30 2 * * *", BERLIN, "2026-10-25T00:45:00Z", ["2026-10-26T01:30:00Z"]],
  [
    "Berlin, asked within the second round",
    "0 30 2 * * *",
    BERLIN,
    "2026-10-25T01:10:00Z",
    ["2026-10-26T01:30:00Z"],
  ],
  [
    "Berlin, the end of the repetition",
    "0 0 3 * * *",
    BERLIN,
    "2026-10-24T12:00:00Z",
    ["2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"],
  ],
  [
    "Berlin, a list of times",
    "0 0,30 2-3 * * *",
    BERLIN,
    "2026-10-24T12:00:00Z",
    [
      "2026-10-25T00:00:00Z",
      "2026-10-25T00:30:00Z",
      "2026-10-25T02:00:00Z",
      "2026-10-25T02:30:00Z",
      "2026-10-26T01:00:00Z",
    ],
  ],
  [
    "Berlin, that day only, seen from long before",
    "0 15 2 25 10 *",
    BERLIN,
    "2025-12-01T00:00:00Z",
    ["2026-10-25T00:15:00Z", "2027-10-25T00:15:00Z"],
  ],
  [
    "Berlin, steps are real",
    "0 */30 * * * *",
    BERLIN,
    "2026-10-24T23:30:00Z",
    [
      "2026-10-25T00:00:00Z",
      "2026-10-25T00:30:00Z",
      "2026-10-25T01:00:00Z",
      "2026-10-25T01:30:00Z",
      "2026-10-25T02:00:00Z",
    ],
  ],
  [
    "Berlin, steps within the hour that occurs twice",
    "0 */30 2 * * *",
    BERLIN,
    "2026-10-24T12:00:00Z",
    [
      "2026-10-25T00:00:00Z",
      "2026-10-25T00:30:00Z",
      "2026-10-25T01:00:00Z",
      "2026-10-25T01:30:00Z",
      "2026-10-26T01:00:00Z",
    ],
  ],
  [
    "New York, a time that occurs twice",
    "0 30 1 * * *",
    NEW_YORK,
    "2026-10-31T12:00:00Z",
    ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
  ],
  [
    "New York, every hour",
    "0 15 * * * *",
    NEW_YORK,
    "2026-11-01T05:00:00Z",
    ["2026-11-01T05:15:00Z", "2026-11-01T06:15:00Z", "2026-11-01T07:15:00Z"],
  ],
  [
    "Lord Howe, a time that occurs twice",
    "0 45 1 * * *",
    LORD_HOWE,
    "2026-04-03T20:00:00Z",
    ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
  ],
  [
    "Lord Howe, every ten minutes",
    "0 */10 * * * *",
    LORD_HOWE,
    "2026-04-04T14:35:00Z",
    [
      "2026-04-04T14:40:00Z",
      "2026-04-04T14:50:00Z",
      "2026-04-04T15:00:00Z",
      "2026-04-04T15:10:00Z",
      "2026-04-04T15:20:00Z",
      "2026-04-04T15:30:00Z",
    ],
  ],

  // A whole day that does not exist (Samoa crossed the date line: 2011-12-30).
  [
    "Samoa, the day that was left out",
    "0 0 9 * * *",
    "Pacific/Apia",
    "2011-12-29T00:00:00Z",
    ["2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z"],
  ],
];

describe("instants of a schedule", () => {
  for (const [what, schedule, zone, after, expected] of TABLE)
    test(`${what}: ${schedule}`, () => {
      const firings = nextFirings(parseSchedule(schedule, zone), Date.parse(after), expected.length);
      expect(firings.map((at) => new Date(at).toISOString())).toEqual(
        expected.map((at) => new Date(at).toISOString()),
      );
    });

  test("end where the schedule ends", () => {
    expect(nextFiring(parseSchedule("0 0 0 1 1 * 2027", "UTC"), Date.parse("2026-01-01"))).toBe(
      Date.parse("2027-01-01"),
    );
    expect(nextFiring(parseSchedule("0 0 0 1 1 * 2027", "UTC"), Date.parse("2027-01-01"))).toBeNull();
  });

  test("are the same from wherever they are asked for", () => {
    for (const [schedule, zone, from] of [
      ["0 */7 1-3 * * *", BERLIN, "2026-03-28T20:00:00Z"],
      ["0 */7 1-3 * * *", BERLIN, "2026-10-24T20:00:00Z"],
      ["0 5,40 0-4 * * *", LORD_HOWE, "2026-04-04T10:00:00Z"],
      ["0 5,40 0-4 * * *", LORD_HOWE, "2026-10-03T10:00:00Z"],
    ] as const) {
      const parsed = parseSchedule(schedule, zone);
      const start = Date.parse(from);
      const end = start + 12 * 3_600_000;
      const walked = nextFirings(parsed, start, 300).filter((at) => at <= end);
      const sampled = new Set<number>();
      for (let at = start; at <= end; at += 150_000) {
        const next = nextFiring(parsed, at);
        if (next !== null && next <= end) sampled.add(next);
      }
      expect([...sampled]).toEqual(walked);
    }
  });
});
