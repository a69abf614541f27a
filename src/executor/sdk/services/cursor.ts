import { decodeTextCursor } from "../../../services/text-cursor.ts";
import { SdkError } from "../sdk-error.ts";

export { encodeTextCursor as encodeCursor } from "../../../services/text-cursor.ts";

/** @throws SdkError */
export function decodeCursor(cursor: string): string {
  const place = decodeTextCursor(cursor);
  if (place === null) throw new SdkError("cursor is not one that a list has answered");
  return place;
}
