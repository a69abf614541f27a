import { Cron } from "croner";
import { invalid } from "../../shared/errors.ts";
import { parseTimezone } from "./zone.ts";

/** When a trigger fires. */
export interface Schedule {
  /** Six fields, seconds first; a seventh is years. */
  readonly text: string;
  /** A name of the IANA database. */
  readonly timezone: string;
  /** Seconds, minutes and hours are numbers, ranges and lists of such: no `*` and no step. */
  readonly isFixed: boolean;
  /**
   * The next local time that is meant, strictly after another. Both as if local time were UTC, in milliseconds, where
   * every day has 24 hours.
   */
  readonly nextLocal: (after: number) => number | null;
}

const SHORTCUTS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
  "@monthly": "0 0 0 1 * *",
  "@weekly": "0 0 0 * * 0",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@hourly": "0 0 * * * *",
};

const FIELDS = [
  { name: "second", low: 0, high: 59 },
  { name: "minute", low: 0, high: 59 },
  { name: "hour", low: 0, high: 23 },
  { name: "day of the month", low: 1, high: 31 },
  { name: "month", low: 1, high: 12 },
  { name: "day of the week", low: 0, high: 7 },
  { name: "year", low: 1, high: 9999 },
] as const;

/** Longer ones serve nobody. */
const MAX_CHARACTERS = 256;

/**
 * Reads a schedule and writes it in its normal form: `0 30 2 * * *`.
 * @param text six fields with seconds first, five without seconds, seven with years, or a shortcut such as `@daily`
 * @param timezone a name of the IANA database
 * @throws AppError 422 `invalid_schedule` or `invalid_timezone`, with the field
 */
export function parseSchedule(text: string, timezone: string): Schedule {
  const zone = parseTimezone(timezone);
  const fields = normalFields(text);
  const isFixed = fields.slice(0, 3).every((field) => !/[*/]/.test(field));
  const normal = fields.join(" ");
  let pattern: Cron;
  try {
    pattern = new Cron(normal, { mode: "6-or-7-parts", utcOffset: 0, paused: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalidSchedule(`The schedule "${normal}" cannot be read: ${why.replace(/^CronPattern: /, "")}`);
  }
  const nextLocal = (after: number): number | null => pattern.nextRun(new Date(after))?.getTime() ?? null;
  if (nextLocal(0) === null)
    throw invalidSchedule(`The schedule "${normal}" never fires: there is no such day.`);
  return { text: normal, timezone: zone, isFixed, nextLocal };
}

function normalFields(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed.length > MAX_CHARACTERS)
    throw invalidSchedule(`A schedule has at most ${MAX_CHARACTERS} characters.`);
  if (trimmed.startsWith("@")) {
    const meant = SHORTCUTS[trimmed.toLowerCase()];
    if (meant !== undefined) return meant.split(" ");
    throw invalidSchedule(
      `"${trimmed}" is not a shortcut for a schedule; there are ${Object.keys(SHORTCUTS).join(", ")}.`,
    );
  }
  const fields = trimmed.toUpperCase().split(/\s+/);
  if (fields.length === 5) fields.unshift("0");
  if (fields.length === 7 && fields[6] === "*") fields.pop();
  if (fields.length < 6 || fields.length > 7)
    throw invalidSchedule(
      "A schedule has six fields: second, minute, hour, day of the month, month, day of the week.",
    );
  return fields.map((field, index) => normalField(field, index));
}

function normalField(field: string, index: number): string {
  const meant = FIELDS[index];
  if (meant === undefined) return field;
  // Of days it says that the other field of days decides; anywhere else it would mean "when this was read".
  if (field === "?" && (index === 3 || index === 5)) return "*";
  if (field.includes("?"))
    throw invalidSchedule(`"?" stands for a day only, not for the ${meant.name}: write "*".`);
  for (const [, number = ""] of field.matchAll(/(?<![/#\w])(\d+)/g))
    if (Number(number) < meant.low || Number(number) > meant.high)
      throw invalidSchedule(
        `${number} is no ${meant.name} of a schedule: those are ${meant.low} to ${meant.high}.`,
      );
  const named = index === 4 || index === 5 ? field.replace(/[A-Z]{4,}/g, shortName) : field;
  // `5/15` is what others write for `5-59/15`. Sunday is no 7 where it would come twice.
  const high = index === 5 ? 6 : meant.high;
  return named.replace(/(?<=^|,)(\d+)(?=\/)/g, `$1-${high}`);
}

/** Of days and months, as some write them; the usual three letters are known anyway. */
const LONG_NAMES = new Set(
  (
    "SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY " +
    "JANUARY FEBRUARY MARCH APRIL JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER"
  ).split(" "),
);

const shortName = (name: string): string => (LONG_NAMES.has(name) ? name.slice(0, 3) : name);

const invalidSchedule = (message: string) =>
  invalid("invalid_schedule", message, { details: { field: "schedule" } });
