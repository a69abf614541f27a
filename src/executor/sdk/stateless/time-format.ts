import { SdkError } from "../sdk-error.ts";

const two = (value: number): string => String(value).padStart(2, "0");
const three = (value: number): string => String(value).padStart(3, "0");
const hour12 = (hour: number): number => hour % 12 || 12;

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const dayName = (at: Temporal.ZonedDateTime): string => DAYS[at.dayOfWeek - 1] ?? "";
const monthName = (at: Temporal.ZonedDateTime): string => MONTHS[at.month - 1] ?? "";
const year = (value: number): string =>
  value < 0 ? `-${String(-value).padStart(4, "0")}` : String(value).padStart(4, "0");

/** Conversions of strftime (POSIX), and %L and %f for fractions of a second. */
const CONVERSIONS: Readonly<Record<string, (at: Temporal.ZonedDateTime) => string>> = {
  a: (at) => dayName(at).slice(0, 3),
  A: dayName,
  b: (at) => monthName(at).slice(0, 3),
  B: monthName,
  d: (at) => two(at.day),
  D: (at) => `${two(at.month)}/${two(at.day)}/${two(at.year % 100)}`,
  e: (at) => String(at.day).padStart(2, " "),
  f: (at) => `${three(at.millisecond)}000000`,
  F: (at) => `${year(at.year)}-${two(at.month)}-${two(at.day)}`,
  G: (at) => year(at.yearOfWeek ?? at.year),
  H: (at) => two(at.hour),
  I: (at) => two(hour12(at.hour)),
  j: (at) => three(at.dayOfYear),
  k: (at) => String(at.hour).padStart(2, " "),
  l: (at) => String(hour12(at.hour)).padStart(2, " "),
  L: (at) => three(at.millisecond),
  m: (at) => two(at.month),
  M: (at) => two(at.minute),
  n: () => "\n",
  p: (at) => (at.hour < 12 ? "AM" : "PM"),
  P: (at) => (at.hour < 12 ? "am" : "pm"),
  R: (at) => `${two(at.hour)}:${two(at.minute)}`,
  s: (at) => String(Math.floor(at.epochMilliseconds / 1000)),
  S: (at) => two(at.second),
  t: () => "\t",
  T: (at) => `${two(at.hour)}:${two(at.minute)}:${two(at.second)}`,
  u: (at) => String(at.dayOfWeek),
  V: (at) => two(at.weekOfYear ?? 0),
  w: (at) => String(at.dayOfWeek % 7),
  y: (at) => two(((at.year % 100) + 100) % 100),
  Y: (at) => year(at.year),
  z: (at) => at.offset.replace(":", "").slice(0, 5),
  Z: (at) => at.timeZoneId,
  "%": () => "%",
};

/** Whole formats that have a name. */
const NAMED: Readonly<Record<string, (at: Temporal.ZonedDateTime) => string>> = {
  iso: (at) =>
    at
      .toString({ timeZoneName: "never", offset: "auto", smallestUnit: "millisecond" })
      .replace(/\+00:00$/, "Z"),
  http: (at) => new Date(at.epochMilliseconds).toUTCString(),
};

/**
 * An instant as text.
 * @param format conversions of strftime, or one of the words `iso` (RFC 3339) and `http` (RFC 9110)
 * @throws SdkError for an unknown conversion or time zone
 */
export function formatTime(ms: number, format: string, zone: string): string {
  let at: Temporal.ZonedDateTime;
  try {
    at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
  } catch {
    throw new SdkError(`timezone must be an IANA name such as "Europe/Berlin", not "${zone.slice(0, 64)}"`);
  }
  const named = Object.hasOwn(NAMED, format) ? NAMED[format] : undefined;
  if (named !== undefined) return named(at);
  return format.replace(/%(:z|.?)/gsu, (all, letter: string) => {
    if (letter === ":z") return at.offset.slice(0, 6);
    const conversion = Object.hasOwn(CONVERSIONS, letter) ? CONVERSIONS[letter] : undefined;
    if (conversion === undefined) throw new SdkError(`format holds the unknown conversion "${all}"`);
    return conversion(at);
  });
}
