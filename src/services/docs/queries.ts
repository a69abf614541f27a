import type { Queryable } from "../../database/client.ts";
import { toldBy, type RunOrigin } from "../../database/run-origin.ts";

/** A collection of an app. `appId` comes from the run or the credential, never from what a script passes. */
export interface Collection {
  readonly appId: string;
  readonly collection: string;
}

/** Bytes of a document's data as JSON (CONTRACT 4.2). */
export const MAX_DOC_BYTES = 256 * 1024;

/** A document; `data` is JSON text, so that its numbers stay exact. */
export interface Doc {
  readonly id: string;
  readonly data: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** @param data JSON text of an object */
export async function insertDoc(
  sql: Queryable,
  { appId, collection }: Collection,
  id: string,
  data: string,
  origin: RunOrigin = null,
): Promise<void> {
  await sql`
    insert into docs (app_id, collection, id, data)
    select ${appId}::uuid, ${collection}, ${id}::uuid, ${data}::text::jsonb
    where true ${toldBy(sql, origin)}`;
}

export async function getDoc(
  sql: Queryable,
  { appId, collection }: Collection,
  id: string,
): Promise<Doc | undefined> {
  const [row] = await sql<Doc[]>`
    select id, data::text as data, created_at, updated_at from docs
    where app_id = ${appId} and collection = ${collection} and id = ${id}`;
  return row;
}

/** Replaces the data. @returns whether there was such a document */
export async function replaceDoc(
  sql: Queryable,
  { appId, collection }: Collection,
  id: string,
  data: string,
  origin: RunOrigin = null,
): Promise<boolean> {
  const rows = await sql`
    update docs set data = ${data}::text::jsonb, updated_at = now()
    where app_id = ${appId} and collection = ${collection} and id = ${id} ${toldBy(sql, origin)}
    returning 1`;
  return rows.length > 0;
}

/**
 * Merges fields into the data, at the top level; null removes none, it is a value.
 * @returns the bytes of the new data as JSON; undefined: there is no such document
 */
export async function mergeDoc(
  sql: Queryable,
  { appId, collection }: Collection,
  id: string,
  fields: string,
  maxBytes: number,
  origin: RunOrigin = null,
): Promise<"merged" | "too large" | "missing"> {
  const [row] = await sql<{ merged: boolean }[]>`
    with old as (
      select data || ${fields}::text::jsonb as data from docs
      where app_id = ${appId} and collection = ${collection} and id = ${id} ${toldBy(sql, origin)} for update
    ), changed as (
      update docs set data = old.data, updated_at = now() from old
      where app_id = ${appId} and collection = ${collection} and id = ${id} and octet_length(old.data::text) <= ${maxBytes}
      returning 1
    )
    select exists(select from changed) as merged from old`;
  return row === undefined ? "missing" : row.merged ? "merged" : "too large";
}

/** @returns whether there was such a document */
export async function deleteDoc(
  sql: Queryable,
  { appId, collection }: Collection,
  id: string,
  origin: RunOrigin = null,
): Promise<boolean> {
  const rows = await sql`
    delete from docs
    where app_id = ${appId} and collection = ${collection} and id = ${id} ${toldBy(sql, origin)}
    returning 1`;
  return rows.length > 0;
}

/** A page by id, which is the order in which they were made. @param after null: from the first */
export async function listDocs(
  sql: Queryable,
  { appId, collection }: Collection,
  after: string | null,
  limit: number,
): Promise<Doc[]> {
  return sql<Doc[]>`
    select id, data::text as data, created_at, updated_at from docs
    where app_id = ${appId} and collection = ${collection} ${after === null ? sql`` : sql`and id > ${after}`}
    order by id limit ${limit}`;
}
