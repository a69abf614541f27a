import type { Queryable } from "../../database/client.ts";
import { toldBy, type RunOrigin } from "../../database/run-origin.ts";

/** Bytes of a value as JSON (CONTRACT 3.6). */
export const MAX_VALUE_BYTES = 64 * 1024;
/** A hundred years: what lasts longer needs no end. */
export const MAX_TTL_SECONDS = 3_155_760_000;

/** One place for a value. `appId` comes from the run or the credential, never from what a script passes. */
export interface KvPlace {
  readonly appId: string;
  readonly collection: string;
  readonly key: string;
}

const unexpired = (sql: Queryable) => sql`(expires_at is null or expires_at > now())`;

/** The value as JSON text; null: there is none. */
export async function getValue(sql: Queryable, place: KvPlace): Promise<string | null> {
  const [row] = await sql<{ value: string }[]>`
    select value::text as value from kv_entries
    where app_id = ${place.appId} and collection = ${place.collection} and key = ${place.key}
      and (expires_at is null or expires_at > now())`;
  return row?.value ?? null;
}

/** Keys and values (JSON text) of those that are there, in byte order. */
export async function getValues(
  sql: Queryable,
  place: Omit<KvPlace, "key">,
  keys: readonly string[],
): Promise<{ readonly key: string; readonly value: string }[]> {
  return sql<{ key: string; value: string }[]>`
    select key, value::text as value from kv_entries
    where app_id = ${place.appId} and collection = ${place.collection} and key = any(${keys as string[]}::text[])
      and ${unexpired(sql)}
    order by key`;
}

export async function hasKey(sql: Queryable, place: KvPlace): Promise<boolean> {
  const rows = await sql`
    select from kv_entries
    where app_id = ${place.appId} and collection = ${place.collection} and key = ${place.key} and ${unexpired(sql)}`;
  return rows.length > 0;
}

/** @param value JSON text @param ttlSeconds null: stays */
export async function setValue(
  sql: Queryable,
  place: KvPlace,
  value: string,
  ttlSeconds: number | null,
  origin: RunOrigin = null,
): Promise<void> {
  await sql`
    insert into kv_entries as e (app_id, collection, key, value, expires_at)
    select ${place.appId}::uuid, ${place.collection}, ${place.key}, ${value}::text::jsonb,
      now() + make_interval(secs => ${ttlSeconds}::double precision)
    where true ${toldBy(sql, origin)}
    on conflict (app_id, collection, key) do update
      set value = excluded.value, expires_at = excluded.expires_at, updated_at = now(),
        created_at = case when e.expires_at <= now() then now() else e.created_at end`;
}

/** Writes where nothing is yet, or null. @returns whether it wrote */
export async function setIfAbsent(
  sql: Queryable,
  place: KvPlace,
  value: string,
  ttlSeconds: number | null,
  origin: RunOrigin = null,
): Promise<boolean> {
  const rows = await sql`
    insert into kv_entries as e (app_id, collection, key, value, expires_at)
    select ${place.appId}::uuid, ${place.collection}, ${place.key}, ${value}::text::jsonb,
      now() + make_interval(secs => ${ttlSeconds}::double precision)
    where true ${toldBy(sql, origin)}
    on conflict (app_id, collection, key) do update
      set value = excluded.value, expires_at = excluded.expires_at, updated_at = now(), created_at = now()
      where e.expires_at <= now() or e.value = 'null'
    returning 1`;
  return rows.length > 0;
}

/** Writes where a value equal to `expected` (JSON text) is. @returns whether it wrote */
export async function setIfEqual(
  sql: Queryable,
  place: KvPlace,
  value: string,
  expected: string,
  ttlSeconds: number | null,
  origin: RunOrigin = null,
): Promise<boolean> {
  const rows = await sql`
    update kv_entries
    set value = ${value}::text::jsonb, updated_at = now(),
      expires_at = now() + make_interval(secs => ${ttlSeconds}::double precision)
    where app_id = ${place.appId} and collection = ${place.collection} and key = ${place.key}
      and value = ${expected}::text::jsonb and ${unexpired(sql)} ${toldBy(sql, origin)}
    returning 1`;
  return rows.length > 0;
}

/** Adds to an integer, of which a missing one is 0. Undefined: what is there is no integer, or the sum is no i64. */
export async function addTo(
  sql: Queryable,
  place: KvPlace,
  by: bigint,
  origin: RunOrigin = null,
): Promise<bigint | undefined> {
  const [row] = await sql<{ value: string }[]>`
    insert into kv_entries as e (app_id, collection, key, value)
    select ${place.appId}::uuid, ${place.collection}, ${place.key}, to_jsonb(${String(by)}::text::numeric)
    where true ${toldBy(sql, origin)}
    on conflict (app_id, collection, key) do update
      set updated_at = now(),
        expires_at = case when e.expires_at <= now() then null else e.expires_at end,
        created_at = case when e.expires_at <= now() then now() else e.created_at end,
        value = case when e.expires_at <= now() then excluded.value
          else to_jsonb((e.value #>> '{}')::numeric + (excluded.value #>> '{}')::numeric) end
      where e.expires_at <= now()
        or case when jsonb_typeof(e.value) = 'number' and scale((e.value #>> '{}')::numeric) = 0
             then (e.value #>> '{}')::numeric + (excluded.value #>> '{}')::numeric
               between -9223372036854775808 and 9223372036854775807
             else false end
    returning e.value::text as value`;
  return row === undefined ? undefined : BigInt(row.value);
}

/** @returns whether there was one */
export async function deleteKey(sql: Queryable, place: KvPlace, origin: RunOrigin = null): Promise<boolean> {
  const rows = await sql<{ present: boolean }[]>`
    delete from kv_entries
    where app_id = ${place.appId} and collection = ${place.collection} and key = ${place.key} ${toldBy(sql, origin)}
    returning ${unexpired(sql)} as present`;
  return rows[0]?.present ?? false;
}

/** Last code point; 64 of them are longer than any key that begins with a prefix goes on. */
const BEYOND = "\u{10ffff}".repeat(64);

/** The keys that begin with a prefix, as a range of the index. */
export const withPrefix = (sql: Queryable, prefix: string) =>
  prefix === "" ? sql`` : sql`and key >= ${prefix} and key <= ${prefix + BEYOND}`;

export interface KvPage {
  /** Empty: all keys. */
  readonly prefix: string;
  /** Keys after this one; null: from the first. */
  readonly after: string | null;
  readonly limit: number;
}

/** A page of entries in the byte order of their keys. @returns values as JSON text; null unless asked for */
export async function listEntries(
  sql: Queryable,
  place: Omit<KvPlace, "key">,
  { prefix, after, limit }: KvPage,
  withValues: boolean,
): Promise<{ readonly key: string; readonly value: string | null }[]> {
  return sql<{ key: string; value: string | null }[]>`
    select key, ${withValues ? sql`value::text` : sql`null`} as value from kv_entries
    where app_id = ${place.appId} and collection = ${place.collection} and ${unexpired(sql)}
      ${withPrefix(sql, prefix)}
      ${after === null ? sql`` : sql`and key > ${after}`}
    order by key
    limit ${limit}`;
}

/** Removes what has expired, so many at most. @returns how many */
export async function deleteExpired(sql: Queryable, limit: number): Promise<number> {
  const rows = await sql`
    delete from kv_entries
    where ctid = any(array(select ctid from kv_entries where expires_at <= now() limit ${limit} for update skip locked))
    returning 1`;
  return rows.length;
}

/** When the next entry expires; null: none will. */
export async function nextExpiry(sql: Queryable): Promise<Date | null> {
  const [row] = await sql<{ at: Date | null }[]>`select min(expires_at) as at from kv_entries`;
  return row?.at ?? null;
}
