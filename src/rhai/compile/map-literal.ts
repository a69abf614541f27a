import { parseJson } from "../runtime/json.ts";
import type { NativeContext } from "../runtime/native.ts";
import type { Value } from "../runtime/values.ts";

/** The object that a JSON text holds, as `parse_json` reads it. */
export function parseMapLiteral(text: string, _context: NativeContext): Value {
  return parseJson(text);
}
