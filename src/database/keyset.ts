import type { Queryable } from "./pool.ts";

/** A place in a list that is sorted by (created_at, id), newest first. */
export interface Position {
  /** Microseconds since the epoch, as exact as Postgres keeps time; a Date would round to milliseconds. */
  readonly createdUs: number;
  readonly id: string;
}

/** The column `created_us` of rows from which a `Position` is made. @param table its name or alias in the query */
export const createdUs = (sql: Queryable, table: string) =>
  sql`(extract(epoch from ${sql(`${table}.created_at`)}) * 1000000)::bigint as created_us`;

/** The condition for rows that come after a position: those that are older. */
export const after = (sql: Queryable, table: string, { createdUs: at, id }: Position) => sql`
  (${sql(`${table}.created_at`)}, ${sql(`${table}.id`)}) <
    (timestamptz 'epoch' + ${at}::bigint * interval '1 microsecond', ${id}::uuid)`;
