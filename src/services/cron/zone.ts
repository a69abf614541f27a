import { invalid } from "../../shared/errors.ts";

/** A moment at which a zone's clocks are set. */
export interface ClockChange {
  /** The first instant with the new offset, in milliseconds since the epoch. */
  readonly at: number;
  /** Local time minus UTC, in milliseconds. */
  readonly before: number;
  readonly after: number;
}

const DAY_MS = 24 * 3_600_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * A zone's name as it is kept: as given, but for upper and lower case.
 * @throws AppError 422 `invalid_timezone` when it is not a name of the IANA time zone database
 */
export function parseTimezone(name: string): string {
  // `Intl` takes offsets such as +01:00 too; those are no zones.
  if (/^[A-Za-z]/.test(name) && name.length <= 64) {
    try {
      const known = formatOf(name).resolvedOptions().timeZone;
      // An alias (Asia/Kolkata) stays what its author knows it by.
      return known.toLowerCase() === name.toLowerCase() ? known : name;
    } catch {
      // Told below.
    }
  }
  throw invalid(
    "invalid_timezone",
    `"${name.slice(0, 64)}" is not a time zone: give a name of the IANA database, such as UTC or Europe/Berlin.`,
    { details: { field: "timezone" } },
  );
}

/** A time, both ends included, in which a zone's clocks are not set. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** Of each zone the one that was asked for last: schedules are walked through, and to ask `Intl` takes long. */
const stretches = new Map<string, Stretch>();

/** Local time minus UTC at an instant, in milliseconds. */
export function offsetAt(zone: string, instant: number): number {
  if (zone === "UTC") return 0;
  const known = stretches.get(zone);
  if (known !== undefined && known.from <= instant && instant <= known.to) return known.offset;
  const offset = askedOffset(zone, instant);
  stretches.set(zone, stretchAround(zone, instant, offset, known));
  return offset;
}

/** As far as is known: two instants within a day have the same offset all the time between, if they have the same one. */
function stretchAround(zone: string, instant: number, offset: number, known: Stretch | undefined): Stretch {
  const isNear = known !== undefined && instant >= known.from - DAY_MS && instant <= known.to + DAY_MS;
  const before = isNear && known.offset === offset ? known : { from: instant, to: instant };
  const isForwards = instant >= before.to;
  const ahead = isForwards ? instant + DAY_MS : instant - DAY_MS;
  const end = askedOffset(zone, ahead) === offset ? ahead : instant;
  return isForwards ? { from: before.from, to: end, offset } : { from: end, to: before.to, offset };
}

function askedOffset(zone: string, instant: number): number {
  const fields: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(instant)) fields[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

/** The first change of a zone's clocks after `from`, `to` included. No zone has two within a day. */
export function firstChange(zone: string, from: number, to: number): ClockChange | null {
  const before = offsetAt(zone, from);
  for (let low = from; low < to; low += DAY_MS) {
    const high = Math.min(low + DAY_MS, to);
    const after = offsetAt(zone, high);
    if (after !== before) return { at: changeBetween(zone, low, high, before), before, after };
  }
  return null;
}

/** To the second, as all changes are. The offset at `low` is `before`, and another at `high`. */
function changeBetween(zone: string, low: number, high: number, before: number): number {
  let [first, last] = [Math.floor(low / 1000), Math.floor(high / 1000)];
  while (last - first > 1) {
    const middle = Math.floor((first + last) / 2);
    if (askedOffset(zone, middle * 1000) === before) first = middle;
    else last = middle;
  }
  return last * 1000;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const key = zone.toLowerCase();
  const known = formats.get(key);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(key, format);
  return format;
}
