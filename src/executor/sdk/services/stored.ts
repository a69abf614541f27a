import { JsonError, parseJson, toJson, type Value } from "../../../rhai/index.ts";
import { SdkError } from "../sdk-error.ts";

/**
 * A value as the JSON text that goes into the database.
 * @param maxBytes of UTF-8
 * @throws SdkError for what JSON, or jsonb, cannot hold
 */
export function toStored(what: string, value: Value, maxBytes: number): string {
  let json: string;
  try {
    json = toJson(value, maxBytes);
  } catch (error) {
    if (error instanceof JsonError) throw new SdkError(`${what} cannot be stored: ${error.message}`);
    throw error;
  }
  if (json.length * 3 > maxBytes && Buffer.byteLength(json) > maxBytes) {
    throw new SdkError(`${what} is larger than ${maxBytes} bytes as JSON`);
  }
  // jsonb has no NUL. An even number of backslashes before it would make it text.
  if (json.includes("\\u0000") && /(?<!\\)(?:\\\\)*\\u0000/.test(json)) {
    throw new SdkError(`${what} cannot be stored: it holds a NUL character`);
  }
  return json;
}

/** The value of a JSON text from the database. */
export const fromStored = (json: string | null): Value => (json === null ? undefined : parseJson(json));
