import type { Queryable } from "./client.ts";

/**
 * Which run a statement belongs to, as the trigger functions that make events read it from the setting `picloud.run`:
 * depth, root execution, user. Null: it causes no events, or its transaction has told already.
 */
export type RunOrigin = string | null;

/**
 * Ends the WHERE clause of a statement that changes data, and is always fulfilled: whoever comes by it has told the run. It
 * reads no column, so the server looks at it once, before it looks at any row. The setting ends with the statement's
 * transaction, and in one statement that is the statement itself: no other one, of whatever run, sees it.
 */
export const toldBy = (sql: Queryable, origin: RunOrigin) =>
  origin === null ? sql`` : sql`and (select set_config('picloud.run', ${origin}, true)) is not null`;
