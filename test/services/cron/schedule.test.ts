import { describe, expect, test } from "bun:test";
import { parseCron, parseSchedule } from "../../../src/services/cron/index.ts";
import { AppError } from "../../../src/shared/errors.ts";

const refusal = (work: () => unknown): AppError => {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it was taken");
};

describe("a schedule", () => {
  test("has a normal form", () => {
    for (const [text, normal] of [
      ["0 30 2 * * *", "0 30 2 * * *"],
      ["  0  30\t2 * *  mon-fri ", "0 30 2 * * MON-FRI"],
      ["*/5 * * * *", "0 */5 * * * *"],
      ["0 0 0 1 jan ? 2030", "0 0 0 1 JAN * 2030"],
      ["0 0 0 1 1 * *", "0 0 0 1 1 *"],
      ["0 0 9 * March,june Monday-friday", "0 0 9 * MAR,JUN MON-FRI"],
      ["0/15 5/20,50 * 2/10 */2 1/2", "0-59/15 5-59/20,50 * 2-31/10 */2 1-6/2"],
      ["@daily", "0 0 0 * * *"],
      ["@MIDNIGHT", "0 0 0 * * *"],
      ["@hourly", "0 0 * * * *"],
      ["@weekly", "0 0 0 * * 0"],
      ["@monthly", "0 0 0 1 * *"],
      ["@yearly", "0 0 0 1 1 *"],
      ["@annually", "0 0 0 1 1 *"],
    ] as const)
      expect(parseSchedule(text, "UTC").text).toBe(normal);
  });

  test("that cannot be read is refused with what is wrong", () => {
    for (const [text, told] of [
      ["", "six fields"],
      ["* * * *", "six fields"],
      ["* * * * * * * *", "six fields"],
      ["@reboot", "@hourly"],
      ["60 * * * * *", "60 is no second of a schedule: those are 0 to 59."],
      ["0 0 24 * * *", "24 is no hour"],
      ["0 0 0 32 * *", "32 is no day of the month"],
      ["0 0 0 1-40 * *", "40 is no day of the month"],
      ["0 0 0 * 13 *", "13 is no month"],
      ["0 0 0 * 0 *", "0 is no month"],
      ["0 0 0 * * 8", "8 is no day of the week"],
      ["0 ? * * * *", "minute"],
      ["0 */0 * * * *", "0"],
      ["0 0 0 * FOO *", "cannot be read"],
      ["0 0 0 * * MONDAYS", "cannot be read"],
      ["0 0 JUNE * * *", "cannot be read"],
      ["0 1,,2 * * * *", "empty"],
      ["0 0 0 30 2 *", "never fires"],
      [`0 ${"1,".repeat(200)}1 * * * *`, "256"],
    ] as const) {
      const error = refusal(() => parseSchedule(text, "UTC"));
      expect([error.status, error.code, error.details["field"]]).toEqual([
        422,
        "invalid_schedule",
        "schedule",
      ]);
      expect(error.message).toContain(told);
    }
  });

  test("needs a zone that exists, and keeps the name its author knows", () => {
    expect(parseSchedule("@daily", "europe/BERLIN").timezone).toBe("Europe/Berlin");
    expect(parseSchedule("@daily", "Asia/Kolkata").timezone).toBe("Asia/Kolkata");
    for (const zone of ["Mars/Olympus", "+02:00", "Europe", "", "UTC+1"]) {
      const error = refusal(() => parseSchedule("@daily", zone));
      expect([error.status, error.code, error.details["field"]]).toEqual([
        422,
        "invalid_timezone",
        "timezone",
      ]);
    }
  });
});

describe("the fields of a cron trigger", () => {
  test("have defaults", () => {
    expect(parseCron({ schedule: "@daily" }).details).toEqual({
      schedule: "0 0 0 * * *",
      timezone: "UTC",
      missed: "once",
      overlap: "allow",
      start_deadline_seconds: null,
    });
  });

  test("are refused by name", () => {
    const schedule = "@daily";
    for (const [input, field] of [
      [{}, "schedule"],
      [{ schedule: 5 }, "schedule"],
      [{ schedule, timezone: 1 }, "timezone"],
      [{ schedule, missed: "never" }, "missed"],
      [{ schedule, overlap: "" }, "overlap"],
      [{ schedule, start_deadline_seconds: 0 }, "start_deadline_seconds"],
      [{ schedule, start_deadline_seconds: 1.5 }, "start_deadline_seconds"],
    ] as const) {
      const error = refusal(() => parseCron(input));
      expect([error.status, error.details["field"]]).toEqual([422, field]);
    }
  });
});
