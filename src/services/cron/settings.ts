import { invalid } from "../../shared/errors.ts";
import { MISSED_POLICIES, OVERLAP_POLICIES, type FiringPolicy } from "./plan.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

/** What a cron trigger keeps in `details`. */
export interface CronDetails {
  readonly schedule: string;
  readonly timezone: string;
  readonly missed: FiringPolicy["missed"];
  readonly overlap: FiringPolicy["overlap"];
  readonly start_deadline_seconds: number | null;
}

/** As somebody gave it: what is absent has its default. */
export interface CronInput {
  readonly schedule?: unknown;
  readonly timezone?: unknown;
  readonly missed?: unknown;
  readonly overlap?: unknown;
  readonly start_deadline_seconds?: unknown;
}

/** A cron trigger's fields, read. */
export interface Cron {
  readonly details: CronDetails;
  readonly schedule: Schedule;
  readonly policy: FiringPolicy;
}

const MOST_DEADLINE_SECONDS = 366 * 86_400;

/**
 * Reads the fields of a cron trigger; `details` has them in their normal form, as they are kept.
 * @throws AppError 422 `invalid_schedule`, `invalid_timezone` or `invalid_trigger`, with the field
 */
export function parseCron(input: CronInput): Cron {
  const schedule = parseSchedule(text(input.schedule, "schedule"), text(input.timezone ?? "UTC", "timezone"));
  const policy: FiringPolicy = {
    missed: oneOf(MISSED_POLICIES, input.missed ?? "once", "missed"),
    overlap: oneOf(OVERLAP_POLICIES, input.overlap ?? "allow", "overlap"),
    startDeadlineSeconds: deadline(input.start_deadline_seconds ?? null),
  };
  const details: CronDetails = {
    schedule: schedule.text,
    timezone: schedule.timezone,
    missed: policy.missed,
    overlap: policy.overlap,
    start_deadline_seconds: policy.startDeadlineSeconds,
  };
  return { details, schedule, policy };
}

function text(value: unknown, field: keyof CronInput): string {
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw refused(field, `A cron trigger needs its ${field} as a text.`);
}

function oneOf<T extends string>(values: readonly T[], value: unknown, field: keyof CronInput): T {
  const found = values.find((each) => each === value);
  if (found !== undefined) return found;
  throw refused(field, `${field} is one of ${values.join(", ")}.`);
}

function deadline(value: unknown): number | null {
  if (value === null) return null;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST_DEADLINE_SECONDS)
    return value;
  throw refused(
    "start_deadline_seconds",
    `start_deadline_seconds is a whole number of seconds from 1 to ${MOST_DEADLINE_SECONDS}, or null.`,
  );
}

const refused = (field: keyof CronInput, message: string) =>
  invalid("invalid_trigger", message, { details: { field } });
