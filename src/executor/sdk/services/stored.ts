import { JsonError, parseJson, toJson, type Value } from "../../../rhai/index.ts";
import { holdsNul } from "../../../services/json-text.ts";
import { SdkError } from "../sdk-error.ts";

/**
 * A value as the JSON text that goes into the database.
 * @param maxBytes of UTF-8
 * @throws SdkError for what JSON, or jsonb, cannot hold
 */
export function toStored(what: string, value: Value, maxBytes: number): string {
  let json: string;
  try {
    // Far enough beyond the limit that what is a little too large is told so.
    json = toJson(value, maxBytes * 4);
  } catch (error) {
    if (error instanceof JsonError) throw new SdkError(`${what} cannot be stored: ${error.message}`);
    throw error;
  }
  if (json.length * 3 > maxBytes && Buffer.byteLength(json) > maxBytes) {
    throw new SdkError(`${what} is larger than ${maxBytes} bytes as JSON`);
  }
  if (holdsNul(json)) {
    throw new SdkError(`${what} cannot be stored: it holds a NUL character`);
  }
  return json;
}

/** The value of a JSON text from the database. */
export const fromStored = (json: string | null): Value => (json === null ? undefined : parseJson(json));
