import { Type } from "@sinclair/typebox";
import { invalid } from "../../shared/errors.ts";
import { parseInstant } from "../../shared/instant.ts";

/** A point in time in a query, as RFC 3339: `2026-11-21T09:30:00Z`. */
export const Instant = Type.String({
  maxLength: 40,
  description: "a time as RFC 3339, such as 2026-11-21T09:30:00Z",
});

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
