import { Type } from "@sinclair/typebox";
import { nameFault } from "../../shared/data-names.ts";
import { decodeTextCursor } from "../../services/text-cursor.ts";
import { invalid } from "../../shared/errors.ts";
import { PAGE_QUERY } from "./cursor.ts";

/** The query of lists whose place is a name. */
export const NAME_PAGE_QUERY = {
  ...PAGE_QUERY,
  cursor: Type.Optional(
    Type.String({ maxLength: 400, description: "the next_cursor of the page before, as it was given" }),
  ),
};

/** @throws AppError 422 `invalid_name` unless a collection or a key may be called that */
export function checkName(field: string, name: string): void {
  const fault = nameFault(name);
  if (fault !== null) throw invalid("invalid_name", `${field} ${fault}.`, { details: { field } });
}

/** The place that a cursor names; null: from the first. @throws AppError 422 `invalid_cursor` */
export function placeOf(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const place = decodeTextCursor(cursor);
  if (place !== null) return place;
  throw invalidCursor();
}

export const invalidCursor = () =>
  invalid("invalid_cursor", "cursor is not the next_cursor of an earlier page.", {
    details: { field: "cursor" },
  });
