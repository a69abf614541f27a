import { VALUE_TOO_LONG } from "../../database/constraint-errors.ts";
import type { Queryable, Database } from "../../database/client.ts";
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
    select path, is_unique, state, error, created_at from doc_indexes
    where app_id = ${appId} and collection = ${collection} and state <> 'dropping'
    order by path`;
}

/** Those of several collections. */
export async function indexesOf(
  sql: Queryable,
  appId: string,
  collections: readonly string[],
): Promise<(DocIndex & { readonly collection: string })[]> {
  return sql<(DocIndex & { readonly collection: string })[]>`
    select collection, path, is_unique, state, error, created_at from doc_indexes
    where app_id = ${appId} and collection = any(${collections as string[]}::text[]) and state <> 'dropping'
    order by collection, path`;
}

export async function readyIndexes(sql: Queryable, { appId, collection }: Collection): Promise<ReadyIndex[]> {
  return sql<ReadyIndex[]>`
    select path, is_unique as "isUnique" from doc_indexes
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
      set state = 'building', error = null, is_unique = excluded.is_unique, changed_at = now()
      where i.state = 'failed'
    returning 1`;
  if (rows.length > 0) return;
  const [present] = await sql<DocIndex[]>`
    select path, is_unique, state, error, created_at from doc_indexes
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
    where app_id = ${appId} and collection = ${collection} and path = ${path as string[]}::text[] and state <> 'dropping'
    returning 1`;
  return rows.length > 0;
}

interface Unfinished extends Collection {
  readonly path: string[];
  readonly is_unique: boolean;
  readonly state: IndexState;
}

/** A statement that chose an index before it was dropped may go on for this long: until then it is kept up. */
export const DROP_AFTER_SECONDS = 10;

/** Documents read at once. */
const BATCH = 2000;

/**
 * Builds what was asked for and removes what is not wanted any more, in small transactions. Should two processes be at it,
 * they do the same work twice, to the same end.
 * @param isStopping true leaves the rest for later
 * @param onStep told after each index, with what it is now
 */
export async function finishIndexes(
  db: Database,
  isStopping: () => boolean = () => false,
  onStep: (index: {
    readonly appId: string;
    readonly collection: string;
    readonly field: string;
    readonly state: IndexState | "dropped";
  }) => void = () => {},
): Promise<void> {
  const unfinished = await db<Unfinished[]>`
    select app_id as "appId", collection, path, is_unique, state from doc_indexes
    where state = 'building' or state = 'dropping' and changed_at <= now() - make_interval(secs => ${DROP_AFTER_SECONDS})`;
  for (const index of unfinished) {
    const state = index.state === "building" ? await build(db, index, isStopping) : await drop(db, index);
    if (isStopping()) return;
    onStep({ appId: index.appId, collection: index.collection, field: index.path.join("."), state });
  }
}

/** Whether there is an index that is still to be built or dropped. */
export async function hasUnfinished(db: Database): Promise<boolean> {
  const rows = await db`select from doc_indexes where state in ('building', 'dropping') limit 1`;
  return rows.length > 0;
}

async function build(db: Database, index: Unfinished, isStopping: () => boolean): Promise<IndexState> {
  const { appId, collection, path } = index;
  try {
    // Whoever was writing when the index was asked for may not have known of it: they are waited for.
    await db.begin(async (sql) => {
      await sql`set local lock_timeout = '10s'`;
      await sql`lock table docs in share mode`;
    });
    for (let last: string | null = null; ;) {
      const rows: { last: string | null }[] = await db<{ last: string | null }[]>`
        with batch as (
          select id, data from docs
          where app_id = ${appId} and collection = ${collection} ${last === null ? db`` : db`and id > ${last}`}
          order by id limit ${BATCH} for share
        ), entered as (
          insert into doc_index_entries (app_id, collection, path, doc_id, value, is_unique)
          select ${appId}, ${collection}, ${path}::text[], id, doc_index_value(data, ${path}::text[]), ${index.is_unique}
          from batch
          on conflict (app_id, collection, doc_id, path) do update
            set value = excluded.value, is_unique = excluded.is_unique
        )
        select max(id::text)::uuid as last from batch`;
      last = rows[0]?.last ?? null;
      if (last === null) break;
      if (isStopping()) return "building";
    }
    await db`analyze doc_index_entries`;
  } catch (error) {
    const reason = buildError(error);
    if (reason === null) throw error;
    await setState(db, index, "failed", reason);
    await removeEntries(db, index);
    return "failed";
  }
  await setState(db, index, "ready", null);
  return "ready";
}

async function drop(db: Database, index: Unfinished): Promise<"dropped"> {
  await removeEntries(db, index);
  await db`
    delete from doc_indexes
    where app_id = ${index.appId} and collection = ${index.collection} and path = ${index.path}::text[] and state = 'dropping'`;
  return "dropped";
}

async function removeEntries(db: Database, { appId, collection, path }: Unfinished): Promise<void> {
  for (;;) {
    const rows = await db`
      delete from doc_index_entries where ctid = any(array(
        select ctid from doc_index_entries
        where app_id = ${appId} and collection = ${collection} and path = ${path}::text[] limit ${BATCH}))
      returning 1`;
    if (rows.length < BATCH) return;
  }
}

const setState = async (
  db: Database,
  { appId, collection, path }: Unfinished,
  state: IndexState,
  error: string | null,
): Promise<void> => {
  await db`
    update doc_indexes set state = ${state}, error = ${error}, changed_at = now()
    where app_id = ${appId} and collection = ${collection} and path = ${path}::text[] and state = 'building'`;
};

/** What the owner of the data can do something about; null: a fault that has to be tried again. */
function buildError(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  if (error.code === "23505") return "two documents have the same value";
  if (error.code === VALUE_TOO_LONG) return "a document has a value of more than 1024 bytes";
  return null;
}
