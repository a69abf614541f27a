import type { Queryable } from "../../database/client.ts";
import type { Sealed } from "./seal.ts";

/** A row of `app_keys`. */
export interface AppKey extends Sealed {
  readonly app_id: string;
  /** Of the server's key that sealed it. */
  readonly key_id: string;
}

export interface SecretRow {
  readonly name: string;
  readonly updated_at: Date;
}

export async function appKeyOf(sql: Queryable, appId: string): Promise<AppKey | undefined> {
  const [row] = await sql<AppKey[]>`
    select app_id, key_id, nonce, ciphertext from app_keys where app_id = ${appId}`;
  return row;
}

/** Leaves a key that is there already as it is. */
export async function insertAppKey(sql: Queryable, key: AppKey): Promise<void> {
  await sql`
    insert into app_keys (app_id, key_id, nonce, ciphertext)
    values (${key.app_id}, ${key.key_id}, ${key.nonce}, ${key.ciphertext})
    on conflict (app_id) do nothing`;
}

/** App keys that other keys than this one sealed; others that do the same pass over them. */
export async function appKeysNotOf(sql: Queryable, keyId: string, limit: number): Promise<AppKey[]> {
  return sql<AppKey[]>`
    select app_id, key_id, nonce, ciphertext from app_keys where key_id <> ${keyId}
    order by app_id limit ${limit} for update skip locked`;
}

export async function updateAppKey(sql: Queryable, key: AppKey): Promise<void> {
  await sql`
    update app_keys set key_id = ${key.key_id}, nonce = ${key.nonce}, ciphertext = ${key.ciphertext}
    where app_id = ${key.app_id}`;
}

/** How many app keys each key of the server has sealed. */
export async function countsByKey(sql: Queryable): Promise<{ key_id: string; apps: number }[]> {
  return sql`select key_id, count(*)::int as apps from app_keys group by key_id order by key_id`;
}

/** Keeps an app from being deleted until the transaction ends. False: there is none. */
export async function holdApp(sql: Queryable, appId: string): Promise<boolean> {
  const rows = await sql`select 1 from apps where id = ${appId} for key share`;
  return rows.length === 1;
}

export async function secretsOf(sql: Queryable, appId: string): Promise<SecretRow[]> {
  return sql<
    SecretRow[]
  >`select name, updated_at from secrets where app_id = ${appId} order by name collate "C"`;
}

export async function upsertSecret(
  sql: Queryable,
  secret: Sealed & { readonly appId: string; readonly name: string },
): Promise<SecretRow & { readonly created: boolean }> {
  const [row] = await sql<(SecretRow & { readonly created: boolean })[]>`
    insert into secrets (app_id, name, nonce, ciphertext)
    values (${secret.appId}, ${secret.name}, ${secret.nonce}, ${secret.ciphertext})
    on conflict (app_id, name) do update
      set nonce = excluded.nonce, ciphertext = excluded.ciphertext, updated_at = now()
    returning name, updated_at, (xmax = 0) as created`;
  if (row === undefined) throw new Error("an upsert into secrets returned no row");
  return row;
}

export async function deleteSecret(sql: Queryable, appId: string, name: string): Promise<boolean> {
  const rows = await sql`delete from secrets where app_id = ${appId} and name = ${name} returning 1`;
  return rows.length === 1;
}

/** A secret with the key of its app, both sealed. */
export async function sealedSecret(
  sql: Queryable,
  appId: string,
  name: string,
): Promise<{ readonly secret: Sealed; readonly key: AppKey } | undefined> {
  const [row] = await sql<(AppKey & { readonly s_nonce: Uint8Array; readonly s_ciphertext: Uint8Array })[]>`
    select app_keys.app_id, app_keys.key_id, app_keys.nonce, app_keys.ciphertext,
      secrets.nonce as s_nonce, secrets.ciphertext as s_ciphertext
    from secrets join app_keys on app_keys.app_id = secrets.app_id
    where secrets.app_id = ${appId} and secrets.name = ${name}`;
  return row && { secret: { nonce: row.s_nonce, ciphertext: row.s_ciphertext }, key: row };
}
