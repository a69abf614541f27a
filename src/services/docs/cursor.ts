import { invalid } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import { exactJson } from "../json-text.ts";
import { decodeTextCursor, encodeTextCursor } from "../text-cursor.ts";
import type { Query } from "./filter.ts";
import type { FoundDoc } from "./find.ts";
import { MAX_DOC_BYTES } from "./queries.ts";
import type { After } from "./sql.ts";

/** A cursor: what the next page begins after. It holds values of the app's own documents, and names what it is sorted by. */
export function cursorOf(query: Query, { keys, id }: FoundDoc): string {
  return encodeTextCursor(JSON.stringify([sortText(query), keys, id]));
}

const sortText = ({ sort }: Query): string =>
  sort.map(({ path, descending }) => `${descending ? "-" : "+"}${path.join(".")}`).join(" ");

/** @throws AppError 422 for one of another order, or none at all */
export function afterOf(query: Query): After | null {
  if (query.cursor === null) return null;
  const foreign = invalid("invalid_cursor", "$cursor is not one that page has answered for this $sort");
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeTextCursor(query.cursor) ?? "");
  } catch {
    throw foreign;
  }
  if (!Array.isArray(parsed)) throw foreign;
  const [sort, keys, id] = parsed as unknown[];
  const isKeys = Array.isArray(keys) && keys.length === query.sort.length && keys.every(isJson);
  if (sort !== sortText(query) || !isKeys || typeof id !== "string" || !isUuid(id)) throw foreign;
  return { keys: keys as string[], id };
}

/** Not every JSON text is one that the database can compare. */
function isJson(key: unknown): boolean {
  try {
    return typeof key === "string" && exactJson(key, MAX_DOC_BYTES) !== "";
  } catch {
    return false;
  }
}
