import { createHash, createHmac } from "node:crypto";

/** A key that seals the keys of apps. */
export interface SealingKey {
  /** Names it beside what it sealed; tells nothing about it. */
  readonly id: string;
  /** 32 bytes, derived from a secret key of the server. */
  readonly key: Uint8Array;
}

/** The server's keys: what is sealed from now on, and what was before. A plain object, so that a Worker can have it. */
export interface Keyring {
  readonly current: SealingKey;
  readonly old: readonly SealingKey[];
}

/**
 * @param secretKey 32 bytes: PICLOUD_SECRET_KEY, or what is in `secret.key`
 * @param oldKeys what it was before: PICLOUD_SECRET_KEYS_OLD
 */
export const createKeyring = (secretKey: Uint8Array, oldKeys: readonly Uint8Array[] = []): Keyring => ({
  current: sealingKey(secretKey),
  old: oldKeys.map(sealingKey),
});

/** The key of that id. */
export const keyNamed = ({ current, old }: Keyring, id: string): SealingKey | undefined =>
  [current, ...old].find((key) => key.id === id);

export const keyIds = ({ current, old }: Keyring): string[] => [current, ...old].map(({ id }) => id);

/** The server's key has several uses, each with a key of its own derived from it. */
function sealingKey(secretKey: Uint8Array): SealingKey {
  const key = createHmac("sha256", secretKey).update("picloud/app-keys/1").digest();
  return { id: createHash("sha256").update("picloud/key-id/1").update(key).digest("hex").slice(0, 16), key };
}
