import type { Queryable } from "../../database/client.ts";
import { appKeyFor, openAppKey, unsealed } from "./app-key.ts";
import type { Keyring } from "./keyring.ts";
import type { AppKey } from "./queries.ts";
import { seal } from "./seal.ts";

/** What was sealed with an app's key, as it stands in a JSON column: bytes as base64. */
export interface SealedText {
  readonly nonce: string;
  readonly ciphertext: string;
}

/**
 * Seals a text with the key of an app, so that a new key of the server changes nothing here.
 * @param place where it will stand: it opens with the same text only
 */
export async function sealText(
  sql: Queryable,
  keyring: Keyring,
  appId: string,
  text: string,
  place: string,
): Promise<SealedText> {
  const { nonce, ciphertext } = seal(
    await appKeyFor(sql, keyring, appId),
    Buffer.from(text),
    placeOf(appId, place),
  );
  return {
    nonce: Buffer.from(nonce).toString("base64"),
    ciphertext: Buffer.from(ciphertext).toString("base64"),
  };
}

/** @throws AppError 500 `secret_key_missing`, `secret_unreadable` */
export function openText(keyring: Keyring, key: AppKey, sealed: SealedText, place: string): string {
  const bytes = {
    nonce: Buffer.from(sealed.nonce, "base64"),
    ciphertext: Buffer.from(sealed.ciphertext, "base64"),
  };
  return unsealed(openAppKey(keyring, key), bytes, placeOf(key.app_id, place)).toString("utf8");
}

const placeOf = (appId: string, place: string): string => `picloud/text/1\n${appId}\n${place}`;
