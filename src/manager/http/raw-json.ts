import { badRequest, invalid } from "../../shared/errors.ts";
import { exactJson, JsonTextError } from "../../services/json-text.ts";

/** An answer of JSON that is text already, so that its numbers keep all their digits. */
export const rawJson = (json: string, status = 200): Response =>
  new Response(json, { status, headers: { "Content-Type": "application/json" } });

/** An object of members that are JSON text already. */
export const rawObject = (members: Readonly<Record<string, string>>): string =>
  `{${Object.entries(members)
    .map(([name, json]) => `${JSON.stringify(name)}:${json}`)
    .join(",")}}`;

/** A page of items that are JSON text already. */
export const rawPage = (items: readonly string[], nextCursor: string | null): Response =>
  rawJson(rawObject({ items: `[${items.join(",")}]`, next_cursor: JSON.stringify(nextCursor) }));

/**
 * The text of a body, or of a part of one, as it is stored.
 * @param field what it is, for the message
 * @throws AppError 400 for what is no JSON, 422 `invalid_value` for what cannot be stored
 */
export function storable(text: string, field: string, maxBytes: number): string {
  try {
    return exactJson(text, maxBytes);
  } catch (error) {
    throw jsonFault(error, field);
  }
}

/** A fault of a JSON text as clients are told it; anything else as it is. */
export function jsonFault(error: unknown, field: string): unknown {
  if (!(error instanceof JsonTextError)) return error;
  if (error.isMalformed) return badRequest("malformed_json", `The body ${error.message}.`);
  return invalid("invalid_value", `${field} ${error.message}.`, { details: { field } });
}
