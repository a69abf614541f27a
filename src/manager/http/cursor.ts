import { Type, type TSchema } from "@sinclair/typebox";
import type { Position } from "../../database/keyset.ts";
import { invalid } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import { strict } from "./module.ts";
import { queryInteger } from "./query-integer.ts";

/** Rows of a page when nothing is asked for, and at most (CONTRACT 2.3). */
export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 200;

/** The query parameters of every list that has pages; to be spread into the schema of its query. */
export const PAGE_QUERY = {
  limit: Type.Optional(
    queryInteger({ minimum: 1, maximum: MAX_PAGE, description: `a whole number from 1 to ${MAX_PAGE}` }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 100, description: "the next_cursor of the page before, as it was given" }),
  ),
};

/** The schema of a page. */
export const pageOf = <T extends TSchema>(item: T) =>
  strict({ items: Type.Array(item), next_cursor: Type.Union([Type.String(), Type.Null()]) });

/** What of a list is wanted. */
export interface PageRequest {
  readonly limit: number;
  /** Null: from the start. */
  readonly after: Position | null;
}

/** @throws AppError 422 `invalid_cursor` */
export const pageRequest = (query: {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}): PageRequest => ({
  limit: query.limit ?? DEFAULT_PAGE,
  after: query.cursor === undefined ? null : decodeCursor(query.cursor),
});

/** A page of rows, of which one more was read than the page holds. @param item makes a row what clients see */
export function page<Row extends { readonly created_us: number | bigint; readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
): { items: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    items: shown.map(item),
    next_cursor:
      last === undefined ? null : encodeCursor({ createdUs: Number(last.created_us), id: last.id }),
  };
}

/** 8 bytes of microseconds, 16 of the id, as base64url: 32 characters that nobody is meant to read. */
export function encodeCursor({ createdUs, id }: Position): string {
  const bytes = Buffer.alloc(24);
  bytes.writeBigInt64BE(BigInt(createdUs));
  bytes.write(id.replaceAll("-", ""), 8, "hex");
  return bytes.toString("base64url");
}

/** @throws AppError 422 `invalid_cursor` */
export function decodeCursor(text: string): Position {
  const bytes = Buffer.from(text, "base64url");
  const createdUs = bytes.length === 24 ? Number(bytes.readBigInt64BE()) : Number.NaN;
  const id = bytes.toString("hex", 8).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  // What is not exactly what `encodeCursor` gave was made up, or damaged on its way.
  if (
    Number.isSafeInteger(createdUs) &&
    createdUs >= 0 &&
    isUuid(id) &&
    encodeCursor({ createdUs, id }) === text
  ) {
    return { createdUs, id };
  }
  throw invalid("invalid_cursor", "cursor is not the next_cursor of an earlier page.", {
    details: { field: "cursor" },
  });
}
