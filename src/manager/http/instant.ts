import { Type } from "@sinclair/typebox";
import { invalid } from "../../shared/errors.ts";

/** A point in time in a query, as RFC 3339: `2026-11-21T09:30:00Z`. */
export const Instant = Type.String({
  maxLength: 40,
  description: "a time as RFC 3339, such as 2026-11-21T09:30:00Z",
});

const SHAPE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/;

/** A time as RFC 3339; null for what is none, or only looks like one, such as a 31st of April. */
export function parseInstant(text: string): Date | null {
  if (!SHAPE.test(text)) return null;
  const time = new Date(text);
  // JavaScript takes the 31st of April for the 1st of May.
  const date = text.slice(0, 10);
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(time.getTime()) || Number.isNaN(day.getTime())) return null;
  return day.toISOString().startsWith(date) ? time : null;
}

/**
 * The time that a query parameter names; undefined stays undefined.
 * @param field its name, for the message
 * @throws AppError 422 `invalid_time`
 */
export function instantOf(text: string | undefined, field: string): Date | undefined {
  if (text === undefined) return undefined;
  const time = parseInstant(text);
  if (time !== null) return time;
  // An unescaped plus in a query is a space.
  const hint = text.includes(" ") ? " (a + must be written as %2B)" : "";
  throw invalid("invalid_time", `${field} is not a time as RFC 3339, such as 2026-11-21T09:30:00Z${hint}.`, {
    details: { field },
  });
}
