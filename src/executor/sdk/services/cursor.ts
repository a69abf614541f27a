import { SdkError } from "../sdk-error.ts";

/** A place in a list as an opaque text. Whatever it holds, a list only ever shows the run's own app. */
export const encodeCursor = (place: string): string => Buffer.from(place, "utf8").toString("base64url");

/** @throws SdkError */
export function decodeCursor(cursor: string): string {
  const place = Buffer.from(cursor, "base64url").toString("utf8");
  if (encodeCursor(place) !== cursor || place.includes("\0") || place === "") {
    throw new SdkError("cursor is not one that a list has answered");
  }
  return place;
}
