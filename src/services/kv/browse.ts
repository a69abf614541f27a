import type { Queryable } from "../../database/client.ts";
import { withPrefix, type KvPlace } from "./queries.ts";

/** An entry as those who look after the data see it; `value` is JSON text. */
export interface KvEntry {
  readonly key: string;
  readonly value: string;
  readonly expires_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export async function getEntry(sql: Queryable, place: KvPlace): Promise<KvEntry | undefined> {
  const [row] = await sql<KvEntry[]>`
    select key, value::text as value, expires_at, created_at, updated_at from kv_entries
    where app_id = ${place.appId} and collection = ${place.collection} and key = ${place.key}
      and (expires_at is null or expires_at > now())`;
  return row;
}

/** Which entries are wanted. */
export interface EntryPage {
  /** Empty: all keys. */
  readonly prefix: string;
  /** Keys after this one; null: from the first. */
  readonly after: string | null;
  readonly limit: number;
  /** Of keys and values together; one entry is answered whatever its size. */
  readonly maxBytes: number;
}

/** Entries in the byte order of their keys. `more`: there may be others after them. */
export async function pageOfEntries(
  sql: Queryable,
  place: Omit<KvPlace, "key">,
  { prefix, after, limit, maxBytes }: EntryPage,
): Promise<{ readonly entries: KvEntry[]; readonly more: boolean }> {
  const rows = await sql<(KvEntry & { readonly fits: boolean })[]>`
    select key, case when fits then value::text end as value, expires_at, created_at, updated_at, fits
    from (
      select *, row_number() over (order by key) = 1
        or row_number() over (order by key) <= ${limit} and sum(bytes) over (order by key) <= ${maxBytes} as fits
      from (
        select * from kv_entries
        where app_id = ${place.appId} and collection = ${place.collection}
          and (expires_at is null or expires_at > now())
          ${withPrefix(sql, prefix)}
          ${after === null ? sql`` : sql`and key > ${after}`}
        order by key limit ${limit + 1}
      ) candidate
    ) page
    order by key`;
  const entries = rows.filter(({ fits }) => fits);
  return { entries, more: entries.length < rows.length };
}

/** An entry to be written, whatever is there. */
export interface KvImport {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  readonly expires_at: string | null;
  /** Null: now. */
  readonly created_at: string | null;
  readonly updated_at: string | null;
}

/** @param entries of which no two have one key */
export async function writeEntries(
  sql: Queryable,
  { appId, collection }: Omit<KvPlace, "key">,
  entries: readonly KvImport[],
): Promise<void> {
  const column = (name: keyof KvImport) => entries.map((entry) => entry[name]) as string[];
  await sql`
    insert into kv_entries as e (app_id, collection, key, value, expires_at, created_at, updated_at)
    select ${appId}, ${collection}, key, value::jsonb, expires_at::timestamptz,
      coalesce(created_at::timestamptz, now()), coalesce(updated_at::timestamptz, now())
    from unnest(${column("key")}::text[], ${column("value")}::text[], ${column("expires_at")}::text[],
      ${column("created_at")}::text[], ${column("updated_at")}::text[])
      as given (key, value, expires_at, created_at, updated_at)
    on conflict (app_id, collection, key) do update
      set value = excluded.value, expires_at = excluded.expires_at, created_at = excluded.created_at,
        updated_at = excluded.updated_at`;
}
