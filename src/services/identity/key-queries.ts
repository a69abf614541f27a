import type { Queryable } from "../../database/client.ts";
import type { Scope } from "../../shared/principal.ts";
import type { User } from "./queries.ts";

/** A row of `api_keys`, without what the text could be recognised by. */
export interface ApiKey {
  readonly id: string;
  readonly user_id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly app_id: string | null;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date | null;
}

const columns = (sql: Queryable) =>
  sql`id, user_id, name, prefix, scopes, app_id, created_at, last_used_at, expires_at`;

/** The oldest first. */
export async function keysOf(sql: Queryable, userId: string): Promise<ApiKey[]> {
  return sql<ApiKey[]>`
    select ${columns(sql)} from api_keys where user_id = ${userId} order by created_at, id`;
}

export async function insertKey(
  sql: Queryable,
  key: Omit<ApiKey, "last_used_at"> & { readonly tokenHmac: Uint8Array },
): Promise<ApiKey> {
  const [row] = await sql<ApiKey[]>`
    insert into api_keys (id, user_id, name, prefix, token_hmac, scopes, app_id, created_at, expires_at)
    values (${key.id}, ${key.user_id}, ${key.name}, ${key.prefix}, ${key.tokenHmac}, ${[...key.scopes]},
      ${key.app_id}, ${key.created_at}, ${key.expires_at})
    returning ${columns(sql)}`;
  if (row === undefined) throw new Error("insert into api_keys returned no row");
  return row;
}

/** Undefined: the user has no such key. */
export async function deleteKey(sql: Queryable, userId: string, id: string): Promise<ApiKey | undefined> {
  const [row] = await sql<ApiKey[]>`
    delete from api_keys where id = ${id} and user_id = ${userId} returning ${columns(sql)}`;
  return row;
}

/** For a user who is deactivated. Keys do not come back with the user. */
export async function expireKeysOf(sql: Queryable, userId: string): Promise<void> {
  await sql`
    update api_keys set expires_at = now()
    where user_id = ${userId} and (expires_at is null or expires_at > now())`;
}

export interface KeyAndUser {
  readonly user: User;
  readonly key: Pick<ApiKey, "id" | "scopes" | "app_id" | "last_used_at">;
}

interface KeyRow extends User {
  readonly key_id: string;
  readonly scopes: readonly Scope[];
  readonly key_app_id: string | null;
  readonly last_used_at: Date | null;
}

/** The key whose text has this HMAC, and its user, when the one has not expired and the other is active. */
export async function usableKey(
  sql: Queryable,
  tokenHmac: Uint8Array,
  now: Date,
): Promise<KeyAndUser | undefined> {
  const [row] = await sql<KeyRow[]>`
    select users.*, k.id as key_id, k.scopes, k.app_id as key_app_id, k.last_used_at
    from api_keys k join users on users.id = k.user_id
    where k.token_hmac = ${tokenHmac} and (k.expires_at is null or k.expires_at > ${now}) and users.is_active`;
  if (row === undefined) return undefined;
  const { key_id: id, scopes, key_app_id, last_used_at } = row;
  return { user: row, key: { id, scopes, app_id: key_app_id, last_used_at } };
}

export async function noteKeyUse(sql: Queryable, id: string, now: Date): Promise<void> {
  await sql`update api_keys set last_used_at = greatest(last_used_at, ${now}) where id = ${id}`;
}
