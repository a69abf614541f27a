import { expect, setDefaultTimeout, test } from "bun:test";
import { folderWith, picloud } from "./support/picloud.ts";

setDefaultTimeout(60_000);

const folder = folderWith({});
const rehearse = (...args: readonly string[]) => picloud(folder, ["rehearse", ...args]);

test("shows when a schedule fires, without a server", async () => {
  const { stdout, stderr, exit } = await rehearse(
    "--schedule",
    "30 2 * * *",
    "--timezone",
    "Europe/Berlin",
    "--from",
    "2026-03-28T12:00:00Z",
    "--days",
    "2",
  );
  expect([exit, stderr]).toEqual([0, ""]);
  expect(stdout).toBe(
    [
      "first\tlast\tlocal\truns\tscript\tschedule\tnote",
      "2026-03-29T01:00:00.000Z\t2026-03-29T01:00:00.000Z\tSun 2026-03-29 03:00:00 +02:00\t1\t\t0 30 2 * * * Europe/Berlin\tclocks go forward 60 min: 02:30:00 does not exist",
      "2026-03-30T00:30:00.000Z\t2026-03-30T00:30:00.000Z\tMon 2026-03-30 02:30:00 +02:00\t1\t\t0 30 2 * * * Europe/Berlin\t",
      "",
    ].join("\n"),
  );
});

test("tells what is wrong", async () => {
  for (const [args, told] of [
    [["--schedule", "0 61 * * * *"], "61 is no minute"],
    [["--schedule", "@daily", "--timezone", "Mars"], "not a time zone"],
    [["--schedule", "@daily", "--days", "400"], "366 days"],
    [["--schedule", "@daily", "--from", "soon"], "must be a time"],
    [["--schedule", "@daily", "--down", "2026-03-28T12:00:00Z/2026-03-28T11:00:00Z"], "the earlier first"],
    [["--timezone", "UTC"], "--schedule"],
    [[], "Not logged in"],
  ] as const) {
    const { stdout, stderr, exit } = await rehearse(...args);
    expect(stdout).toBe("");
    expect(stderr).toContain(told);
    expect(exit).not.toBe(0);
  }
});
