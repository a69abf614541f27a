import { randomBytes } from "node:crypto";
import type { Queryable } from "../../database/client.ts";
import { AppError } from "../../shared/errors.ts";
import { unsealed } from "./app-key.ts";
import { keyNamed, type Keyring } from "./keyring.ts";
import { seal } from "./seal.ts";

/** What the key is for. */
export type ServerKeyName = "api-keys";

/** In `instance_settings`, under `sealed:NAME`; bytes as base64. */
interface SealedKey {
  readonly key_id: string;
  readonly nonce: string;
  readonly ciphertext: string;
}

const PREFIX = "sealed:";

/** A random key of the whole instance, kept sealed: what it made stays good when the server's own key is changed. */
export async function serverKey(sql: Queryable, keyring: Keyring, name: ServerKeyName): Promise<Uint8Array> {
  const known = await findServerKey(sql, keyring, name);
  if (known !== null) return known;
  // Two that make it at once get the same.
  await sql`
    insert into instance_settings (key, value)
    values (${PREFIX + name}, ${sql.json({ ...sealed(keyring, name, randomBytes(32)) })})
    on conflict (key) do nothing`;
  const made = await findServerKey(sql, keyring, name);
  if (made === null) throw new Error("a key of the server just made is not there");
  return made;
}

/** Null: it was never needed. @throws AppError 500 `secret_key_missing`, `secret_unreadable` */
export async function findServerKey(
  sql: Queryable,
  keyring: Keyring,
  name: ServerKeyName,
): Promise<Uint8Array | null> {
  const [row] = await sql<{ value: SealedKey }[]>`
    select value from instance_settings where key = ${PREFIX + name}`;
  return row === undefined ? null : unsealedKey(keyring, name, row.value);
}

/** Ids of the server's keys that sealed them. */
export async function serverKeyIds(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select distinct value->>'key_id' as id from instance_settings where key like ${`${PREFIX}%`}`;
  return rows.map((row) => row.id);
}

/** Seals them with the current key. @returns how many were sealed with another one */
export async function resealServerKeys(sql: Queryable, keyring: Keyring): Promise<number> {
  const rows = await sql<{ key: string; value: SealedKey }[]>`
    select key, value from instance_settings
    where key like ${`${PREFIX}%`} and value->>'key_id' <> ${keyring.current.id}
    order by key for update`;
  for (const { key, value } of rows) {
    const name = key.slice(PREFIX.length);
    const fresh = sealed(keyring, name, unsealedKey(keyring, name, value));
    await sql`update instance_settings set value = ${sql.json({ ...fresh })}, updated_at = now() where key = ${key}`;
  }
  return rows.length;
}

function sealed({ current }: Keyring, name: string, key: Uint8Array): SealedKey {
  const { nonce, ciphertext } = seal(current.key, key, placeOf(name));
  return {
    key_id: current.id,
    nonce: Buffer.from(nonce).toString("base64"),
    ciphertext: Buffer.from(ciphertext).toString("base64"),
  };
}

function unsealedKey(keyring: Keyring, name: string, row: SealedKey): Uint8Array {
  const sealing = keyNamed(keyring, row.key_id);
  if (sealing === undefined) {
    throw new AppError(
      500,
      "secret_key_missing",
      `The key for ${name} is sealed with a key that this server does not have (key id ${row.key_id}).`,
    );
  }
  const bytes = {
    nonce: Buffer.from(row.nonce, "base64"),
    ciphertext: Buffer.from(row.ciphertext, "base64"),
  };
  return unsealed(sealing.key, bytes, placeOf(name));
}

const placeOf = (name: string): string => `picloud/server-key/1\n${name}`;
