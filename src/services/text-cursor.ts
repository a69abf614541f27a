/** A place in a list as an opaque text. Whatever it holds, a list only ever shows the app that it was asked for. */
export const encodeTextCursor = (place: string): string => Buffer.from(place, "utf8").toString("base64url");

/** Null: it is not one that `encodeTextCursor` has made. */
export function decodeTextCursor(cursor: string): string | null {
  const place = Buffer.from(cursor, "base64url").toString("utf8");
  return encodeTextCursor(place) !== cursor || place.includes("\0") || place === "" ? null : place;
}
