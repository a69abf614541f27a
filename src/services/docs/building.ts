import type { Database } from "../../database/client.ts";
import { VALUE_TOO_LONG } from "../../database/constraint-errors.ts";
import type { IndexState } from "./indexes.ts";
import type { Collection } from "./queries.ts";
import { olderWritersGone } from "./older-writers.ts";

/** removing: it is not kept up any more, and its entries go. */
type BuildState = IndexState | "removing";

interface Unfinished extends Collection {
  readonly id: string;
  readonly path: string[];
  readonly is_unique: boolean;
  readonly state: BuildState;
  readonly error: string | null;
}

/** A statement that chose an index before it was dropped may go on for this long: until then it is kept up. */
export const DROP_AFTER_SECONDS = 10;

/** Whoever changes a document of a batch waits until the batch is written: it should take about so long. */
const BATCH_MS = 150;
const FIRST_BATCH = 1000;
const MIN_BATCH = 100;
const MAX_BATCH = 20_000;
/** A batch waits for a writer so long at most, then it is tried again: less than PostgreSQL waits to look for deadlocks. */
const LOCK_TIMEOUT_MS = 200;
const LOCK_RETRY_MS = 50;

/** Entries removed at once. */
const REMOVED = 5000;

/** What a step is told of: an index and what it is now. */
export type IndexStep = Readonly<Record<"appId" | "collection" | "field", string>> & {
  readonly state: BuildState | "dropped";
};

/**
 * Builds what was asked for and removes what is not wanted any more, in small transactions. Should two processes be at it,
 * they do the same work twice, to the same end.
 * @param isStopping true leaves the rest for later
 * @param onStep told after each index
 */
export async function finishIndexes(
  db: Database,
  isStopping: () => boolean = () => false,
  onStep: (step: IndexStep) => void = () => {},
): Promise<void> {
  const unfinished = await db<Unfinished[]>`
    select app_id as "appId", collection, id::text as id, path, is_unique, state, error from doc_indexes
    where state in ('building', 'removing')
      or state = 'dropping' and changed_at <= now() - make_interval(secs => ${DROP_AFTER_SECONDS})
    order by id`;
  for (const index of unfinished) {
    const state =
      index.state === "building" ? await build(db, index, isStopping) : await remove(db, index, isStopping);
    if (isStopping()) return;
    onStep({ appId: index.appId, collection: index.collection, field: index.path.join("."), state });
  }
}

/** Whether there is an index that is still to be built or dropped. */
export async function hasUnfinished(db: Database): Promise<boolean> {
  const rows = await db`
    select from doc_indexes where state in ('building', 'dropping', 'removing') limit 1`;
  return rows.length > 0;
}

/**
 * Every writer since the index was asked for has kept its own entries, and left a mark (`is_gone`) for each value that it took
 * away. So documents are read without a lock, as they were a moment ago: what is there already, entry or mark, is newer.
 */
async function build(
  db: Database,
  index: Unfinished,
  isStopping: () => boolean,
): Promise<BuildState | "dropped"> {
  // Whoever was writing when the index was asked for may not have known of it.
  await olderWritersGone(db, isStopping);
  let entered: number;
  try {
    entered = await enterAll(db, index, isStopping);
  } catch (error) {
    const reason = buildError(error);
    if (reason === null) throw error;
    await setState(db, index, "building", "removing", reason);
    return remove(db, { ...index, error: reason }, isStopping);
  }
  // A transaction that began before the last entry was written does not see it, and must not be told to use the index.
  await olderWritersGone(db, isStopping);
  if (isStopping()) return "building";
  await tidyAfter(db, entered);
  await setState(db, index, "building", "ready", null);
  await olderWritersGone(db, isStopping);
  await db`delete from doc_index_entries where app_id = ${index.appId} and index_id = ${index.id} and is_gone`;
  return "ready";
}

/** @returns how many documents were read */
async function enterAll(db: Database, index: Unfinished, isStopping: () => boolean): Promise<number> {
  let after = "00000000-0000-0000-0000-000000000000";
  let limit = FIRST_BATCH;
  let entered = 0;
  while (!isStopping()) {
    const begun = performance.now();
    const batch = await enterBatch(db, index, after, limit, true).catch((error: unknown) => {
      if (codeOf(error) !== UNIQUE_VIOLATION) throw error;
      return enterBatch(db, index, after, limit, false);
    });
    if (batch === "locked") {
      limit = Math.max(MIN_BATCH, limit >> 2);
      await Bun.sleep(LOCK_RETRY_MS);
      continue;
    }
    entered += batch.count;
    if (batch.last === null) break;
    after = batch.last;
    const factor = BATCH_MS / (performance.now() - begun);
    limit = Math.round(Math.min(MAX_BATCH, Math.max(MIN_BATCH, limit * Math.min(2, factor))));
  }
  return entered;
}

/**
 * Enters the documents after one. `last` is null when there are no more, or the index is not wanted any more.
 * @param allNew none of them is entered yet: not to look for them saves a quarter of the work. If one is, nothing is entered.
 */
async function enterBatch(
  db: Database,
  { appId, collection, id, path, is_unique }: Unfinished,
  after: string,
  limit: number,
  allNew: boolean,
): Promise<{ readonly last: string | null; readonly count: number } | "locked"> {
  try {
    return await db.begin(async (sql) => {
      await sql`select set_config('lock_timeout', ${`${LOCK_TIMEOUT_MS}ms`}, true)`;
      // The index's row is held, so that neither it nor the app is deleted meanwhile. In the order of the values, neighbours
      // are written one after the other.
      const [row] = await sql<{ last: string | null; count: number }[]>`
        with wanted as materialized (
          select from doc_indexes where app_id = ${appId} and id = ${id} and state = 'building' for key share
        ), batch as materialized (
          select id, doc_key(data, ${path}::text[]) as value from docs
          where app_id = ${appId} and collection = ${collection} and id > ${after} and exists (select from wanted)
          order by id limit ${limit}
        ), entered as (
          insert into doc_index_entries (app_id, index_id, value, doc_id, is_unique)
          select ${appId}, ${id},
            case when octet_length(value::text) <= 1024 then value else refuse_doc_index_value(${path}::text[]) end, id,
            ${is_unique} and jsonb_typeof(value) in ('string', 'number', 'boolean')
          from batch order by value, id
          ${allNew ? sql`` : sql`on conflict (app_id, index_id, value, doc_id) do nothing`}
        )
        select (select id from batch order by id desc limit 1) as last, (select count(*)::integer from batch) as count`;
      return row ?? { last: null, count: 0 };
    });
  } catch (error) {
    if (codeOf(error) === LOCK_NOT_AVAILABLE) return "locked";
    throw error;
  }
}

/**
 * When a tenth of the entries are new, what the server would do by itself some minutes later: its figures are renewed, and it
 * notes that all may see them, so that queries need not look at each entry outside of the index.
 */
async function tidyAfter(db: Database, entered: number): Promise<void> {
  const [table] = await db<{ rows: number }[]>`
    select reltuples::float8 as rows from pg_class where oid = 'doc_index_entries'::regclass`;
  if (entered * 10 < (table?.rows ?? 0)) return;
  await db`vacuum (analyze, truncate false) doc_index_entries`.catch((error: unknown) => {
    // The table is so large that it takes longer than a statement may: left to the server.
    if (codeOf(error) !== CANCELED) throw error;
  });
}

/** Removes the entries of an index that failed, or is not wanted any more. */
async function remove(
  db: Database,
  index: Unfinished,
  isStopping: () => boolean,
): Promise<BuildState | "dropped"> {
  if (index.state === "dropping") await setState(db, index, "dropping", "removing", null);
  // Whoever is writing may still keep it up.
  await olderWritersGone(db, isStopping);
  for (let removed = REMOVED; removed === REMOVED;) {
    if (isStopping()) return "removing";
    const { count } = await db`
      delete from doc_index_entries where ctid = any(array(
        select ctid from doc_index_entries
        where app_id = ${index.appId} and index_id = ${index.id} limit ${REMOVED}))`;
    removed = count;
  }
  if (index.error !== null) {
    await setState(db, index, "removing", "failed", index.error);
    return "failed";
  }
  await db`delete from doc_indexes where app_id = ${index.appId} and id = ${index.id} and state = 'removing'`;
  return "dropped";
}

const setState = async (
  db: Database,
  { appId, id }: Unfinished,
  from: BuildState,
  to: BuildState,
  error: string | null,
): Promise<void> => {
  await db`
    update doc_indexes set state = ${to}, error = ${error}, changed_at = now()
    where app_id = ${appId} and id = ${id} and state = ${from}`;
};

/** SQLSTATE of a lock that was not to be had in time. */
const LOCK_NOT_AVAILABLE = "55P03";
const UNIQUE_VIOLATION = "23505";
const CANCELED = "57014";

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : null);

/** What the owner of the data can do something about; null: a fault that has to be tried again. */
function buildError(error: unknown): string | null {
  switch (codeOf(error)) {
    case UNIQUE_VIOLATION:
      return "two documents have the same value";
    case VALUE_TOO_LONG:
      return "a document has a value of more than 1024 bytes";
    default:
      return null;
  }
}
