import { invalid } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { Script } from "./queries.ts";

/** The last script of a page: scripts are listed by app, then by name. */
export type ListPosition = Pick<Script, "app_id" | "name">;

/** Text that nobody is meant to read. */
export const encodePosition = ({ app_id, name }: ListPosition): string =>
  Buffer.from(`${app_id}/${name}`).toString("base64url");

/** @throws AppError 422 `invalid_cursor` */
export function decodePosition(cursor: string): ListPosition {
  const [app_id = "", name = ""] = Buffer.from(cursor, "base64url").toString().split("/");
  if (isUuid(app_id) && encodePosition({ app_id, name }) === cursor && !name.includes("\0"))
    return { app_id, name };
  throw invalid("invalid_cursor", "cursor is not the X-Next-Cursor of an earlier page.", {
    details: { field: "cursor" },
  });
}
