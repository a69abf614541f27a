import type { Queryable } from "../../database/client.ts";

/** What data_usage counts. */
export type DataKind = "kv" | "docs";

/** Entries of kv that have expired count until they are removed. */
export interface CollectionUsage {
  readonly collection: string;
  readonly entries: number;
  readonly bytes: number;
}

export interface UsagePage {
  /** Collections after this one, in byte order; null: from the first. */
  readonly after: string | null;
  readonly limit: number;
}

/** The collections of an app that are not empty. However much is in them, a row or some are read of each. */
export async function listUsage(
  sql: Queryable,
  appId: string,
  kind: DataKind,
  { after, limit }: UsagePage,
): Promise<CollectionUsage[]> {
  return sql<CollectionUsage[]>`
    select collection, sum(entries)::bigint as entries, sum(bytes)::bigint as bytes from data_usage
    where app_id = ${appId} and kind = ${kind} and collection > ${after ?? ""}
    group by collection having sum(entries) > 0
    order by collection limit ${limit}`;
}

export interface KindUsage {
  readonly collections: number;
  readonly entries: number;
  readonly bytes: number;
}

export type AppUsage = Readonly<Record<DataKind, KindUsage>>;

export async function appUsage(sql: Queryable, appId: string): Promise<AppUsage> {
  const rows = await sql<(KindUsage & { readonly kind: DataKind })[]>`
    select kind, count(*) filter (where entries > 0)::integer as collections,
      sum(entries)::bigint as entries, sum(bytes)::bigint as bytes
    from (
      select kind, collection, sum(entries) as entries, sum(bytes) as bytes from data_usage
      where app_id = ${appId} group by kind, collection
    ) one
    group by kind`;
  const of = (kind: DataKind): KindUsage => {
    const { collections = 0, entries = 0, bytes = 0 } = rows.find((row) => row.kind === kind) ?? {};
    return { collections, entries, bytes };
  };
  return { kv: of("kv"), docs: of("docs") };
}

/**
 * Removes the counters of collections that are empty: of so many at most. Rows that somebody is writing to are left alone:
 * those that are held add up to nothing, or nothing is removed.
 * @returns how many collections
 */
export async function deleteEmptyUsage(sql: Queryable, limit: number): Promise<number> {
  const rows = await sql`
    with empty as (
      select app_id, kind, collection from data_usage
      group by app_id, kind, collection having sum(entries) = 0 and sum(bytes) = 0
      limit ${limit}
    ), held as (
      select app_id, kind, collection, shard, entries, bytes from data_usage
      where (app_id, kind, collection) in (select app_id, kind, collection from empty)
      for update skip locked
    ), gone as (
      select app_id, kind, collection from held
      group by app_id, kind, collection having sum(entries) = 0 and sum(bytes) = 0
    ), deleted as (
      delete from data_usage u using held h, gone g
      where (h.app_id, h.kind, h.collection) = (g.app_id, g.kind, g.collection)
        and (u.app_id, u.kind, u.collection, u.shard) = (h.app_id, h.kind, h.collection, h.shard)
    )
    select 1 from gone`;
  return rows.length;
}
