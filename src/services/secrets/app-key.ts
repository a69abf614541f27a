import { randomBytes } from "node:crypto";
import type { Queryable } from "../../database/client.ts";
import { AppError } from "../../shared/errors.ts";
import { keyNamed, type Keyring } from "./keyring.ts";
import { appKeyOf, insertAppKey, type AppKey } from "./queries.ts";
import { open, seal } from "./seal.ts";

const KEY_BYTES = 32;

/** The key of an app's secrets; made when there is none yet. Two that make it at once get the same. */
export async function appKeyFor(sql: Queryable, keyring: Keyring, appId: string): Promise<Uint8Array> {
  const known = await appKeyOf(sql, appId);
  if (known !== undefined) return openAppKey(keyring, known);
  await insertAppKey(sql, sealAppKey(keyring, appId, randomBytes(KEY_BYTES)));
  const row = await appKeyOf(sql, appId);
  if (row === undefined) throw new Error("the key of an app just made is not there");
  return openAppKey(keyring, row);
}

export function sealAppKey({ current }: Keyring, appId: string, key: Uint8Array): AppKey {
  return { app_id: appId, key_id: current.id, ...seal(current.key, key, placeOf(appId)) };
}

/** @throws AppError 500 `secret_key_missing`, `secret_unreadable` */
export function openAppKey(keyring: Keyring, row: AppKey): Uint8Array {
  const sealing = keyNamed(keyring, row.key_id);
  if (sealing === undefined) {
    throw new AppError(
      500,
      "secret_key_missing",
      `The secrets of this app are sealed with a key that this server does not have (key id ${row.key_id}).`,
    );
  }
  return unsealed(sealing.key, row, placeOf(row.app_id));
}

/** @throws AppError 500 `secret_unreadable`, without a word about what it is */
export function unsealed(key: Uint8Array, sealed: Parameters<typeof open>[1], place: string): Buffer {
  try {
    return open(key, sealed, place);
  } catch (cause) {
    throw new AppError(
      500,
      "secret_unreadable",
      "A secret cannot be unsealed: its row in the database was changed, or belongs elsewhere. Set it again.",
      { cause },
    );
  }
}

const placeOf = (appId: string): string => `picloud/app-key/1\n${appId}`;
