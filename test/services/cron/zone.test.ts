import { expect, test } from "bun:test";
import { offsetAt } from "../../../src/services/cron/index.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What `Intl` says in words, such as `GMT-03:30`. */
function told(zone: string, instant: number): number {
  const name = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" })
    .formatToParts(instant)
    .find(({ type }) => type === "timeZoneName")?.value;
  const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name ?? "") ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
}

const zones = [
  "Europe/Berlin",
  "Australia/Lord_Howe",
  "America/St_Johns",
  "Africa/Casablanca",
  "Pacific/Apia",
];

for (const zone of zones) {
  test(`${zone}: is what it is, in whatever order it is asked for`, () => {
    const start = Date.parse("2011-01-01T00:00:00Z");
    const steps = 900;
    const at = (n: number): number => start + n * 11 * HOUR;
    const right = (n: number): number => told(zone, at(n));
    const forwards = Array.from({ length: steps }, (_, n) => n);
    // 541 and 900 have no common divisor: each once.
    for (const order of [forwards, forwards.toReversed(), forwards.map((n) => (n * 541) % steps)])
      for (const n of order) expect([n, offsetAt(zone, at(n))]).toEqual([n, right(n)]);
  });

  test(`${zone}: changes at the second it does, from both sides`, () => {
    for (let day = Date.parse("2011-01-01T00:00:00Z"); day < Date.parse("2013-01-01T00:00:00Z"); day += DAY) {
      if (told(zone, day) === told(zone, day + DAY)) continue;
      for (let at = day; at <= day + DAY; at += HOUR / 2)
        for (const near of [at, at - 1000, at + 1000, at - 1, at])
          expect([near, offsetAt(zone, near)]).toEqual([near, told(zone, near)]);
    }
  });
}
