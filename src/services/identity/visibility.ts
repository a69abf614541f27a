import type { Queryable } from "../../database/client.ts";
import type { Principal } from "../../shared/principal.ts";

/**
 * SQL condition for lists over apps: true for those that the caller may know of. The list's counterpart of
 * `effectiveRole`.
 * @param appId the column that holds the app's id: `scripts.app_id`
 */
export function visibleTo(sql: Queryable, who: Principal, appId: string) {
  const column = sql(appId);
  const bound = who.key?.appId ?? null;
  const within = bound === null ? sql`true` : sql`${column} = ${bound}`;
  if (who.instanceRole !== "member") return within;
  // As an array, and not as a join, so that a page is read in the order of an index.
  return sql`(${within} and ${column} = any(array(
    select seen.app_id from app_members seen where seen.user_id = ${who.userId})))`;
}
