import type { After, FoundDoc, Query } from "../../../services/docs/index.ts";
import { isUuid } from "../../../shared/ids.ts";
import { SdkError } from "../sdk-error.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";

/** A cursor: what the next page begins after. It holds values of the app's own documents, and names what it is sorted by. */
export function cursorOf(query: Query, { keys, id }: FoundDoc): string {
  return encodeCursor(JSON.stringify([sortText(query), keys, id]));
}

const sortText = ({ sort }: Query): string =>
  sort.map(({ path, descending }) => `${descending ? "-" : "+"}${path.join(".")}`).join(" ");

/** @throws SdkError for one of another order, or none at all */
export function afterOf(query: Query): After | null {
  if (query.cursor === null) return null;
  const foreign = new SdkError("$cursor is not one that page has answered for this $sort");
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeCursor(query.cursor));
  } catch {
    throw foreign;
  }
  if (!Array.isArray(parsed)) throw foreign;
  const [sort, keys, id] = parsed as unknown[];
  const isKeys = Array.isArray(keys) && keys.length === query.sort.length && keys.every(isJson);
  if (sort !== sortText(query) || !isKeys || typeof id !== "string" || !isUuid(id)) throw foreign;
  return { keys: keys as string[], id };
}

function isJson(key: unknown): boolean {
  if (typeof key !== "string" || key.includes("\\u0000")) return false;
  try {
    JSON.parse(key);
    return true;
  } catch {
    return false;
  }
}
