import type { Queryable } from "../../database/client.ts";
import { conflict, invalid } from "../../shared/errors.ts";
import type { Path } from "./filter.ts";
import type { ReadyIndex } from "./plan.ts";
import type { Collection } from "./queries.ts";

export type IndexState = "building" | "ready" | "failed" | "dropping";

export interface DocIndex {
  readonly path: Path;
  readonly is_unique: boolean;
  readonly state: IndexState;
  /** Why it failed. */
  readonly error: string | null;
  readonly created_at: Date;
}

/** Indexes of a collection at most (CONTRACT 14.10). */
export const MAX_INDEXES = 8;

export async function listIndexes(sql: Queryable, { appId, collection }: Collection): Promise<DocIndex[]> {
  return sql<DocIndex[]>`
    select path, is_unique, ${shownState(sql)}, error, created_at from doc_indexes
    where app_id = ${appId} and collection = ${collection} and ${isWanted(sql)}
    order by path`;
}

/** Those of several collections. */
export async function indexesOf(
  sql: Queryable,
  appId: string,
  collections: readonly string[],
): Promise<(DocIndex & { readonly collection: string })[]> {
  return sql<(DocIndex & { readonly collection: string })[]>`
    select collection, path, is_unique, ${shownState(sql)}, error, created_at from doc_indexes
    where app_id = ${appId} and collection = any(${collections as string[]}::text[]) and ${isWanted(sql)}
    order by collection, path`;
}

/** One whose entries are still being removed has failed, or is being dropped. */
const shownState = (sql: Queryable) => sql`case state when 'removing' then 'failed' else state end as state`;
const isWanted = (sql: Queryable) => sql`state <> 'dropping' and (state <> 'removing' or error is not null)`;

export async function readyIndexes(sql: Queryable, { appId, collection }: Collection): Promise<ReadyIndex[]> {
  return sql<ReadyIndex[]>`
    select id::text as id, path, is_unique as "isUnique" from doc_indexes
    where app_id = ${appId} and collection = ${collection} and state = 'ready'
    order by path`;
}

/**
 * Asks for an index, which is built afterwards, beside what goes on. One that is there already is left as it is; one that
 * failed is built anew.
 * @throws AppError 409 when there is one that is unique and this is not, or the reverse; 422 when there are too many
 */
export async function requestIndex(
  sql: Queryable,
  { appId, collection }: Collection,
  path: Path,
  isUnique: boolean,
): Promise<void> {
  const rows = await sql`
    insert into doc_indexes as i (app_id, collection, path, is_unique)
    select ${appId}, ${collection}, ${path as string[]}::text[], ${isUnique}
    where (select count(*) from doc_indexes where app_id = ${appId} and collection = ${collection}
             and path <> ${path as string[]}::text[]) < ${MAX_INDEXES}
    on conflict (app_id, collection, path) do update
      set id = default, state = 'building', error = null, is_unique = excluded.is_unique, changed_at = now()
      where i.state = 'failed'
    returning 1`;
  if (rows.length > 0) return;
  const [present] = await sql<DocIndex[]>`
    select path, is_unique, case state when 'removing' then 'dropping' else state end as state, error, created_at
    from doc_indexes
    where app_id = ${appId} and collection = ${collection} and path = ${path as string[]}::text[]`;
  const field = path.join(".");
  if (present === undefined)
    throw invalid("too_many_indexes", `a collection may have ${MAX_INDEXES} indexes`);
  if (present.state === "dropping")
    throw conflict("index_dropping", `the former index on "${field}" is still being removed`);
  if (present.is_unique !== isUnique) {
    const kind = present.is_unique ? "unique" : "not unique";
    throw conflict("index_exists", `there is an index on "${field}" that is ${kind}; drop it first`);
  }
}

/** Asks for an index to be removed. @returns whether there was one */
export async function requestDrop(
  sql: Queryable,
  { appId, collection }: Collection,
  path: Path,
): Promise<boolean> {
  const rows = await sql`
    update doc_indexes set state = 'dropping', changed_at = now()
    where app_id = ${appId} and collection = ${collection} and path = ${path as string[]}::text[]
      and state not in ('dropping', 'removing')
    returning 1`;
  return rows.length > 0;
}
