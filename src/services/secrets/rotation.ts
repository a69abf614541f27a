import type { Database, Queryable } from "../../database/client.ts";
import { AppError } from "../../shared/errors.ts";
import { openAppKey, sealAppKey } from "./app-key.ts";
import { keyIds, type Keyring } from "./keyring.ts";
import { resealServerKeys, serverKeyIds } from "./server-key.ts";
import { appKeysNotOf, countsByKey, updateAppKey } from "./queries.ts";

/** App keys that are sealed anew in one transaction. */
const BATCH = 100;

/**
 * That everything sealed can be opened, by the ids of keys.
 * @throws AppError 500 `secret_key_missing` that says which key is missing and what to do
 */
export async function checkKeys(sql: Queryable, keyring: Keyring): Promise<void> {
  const known = new Set(keyIds(keyring));
  const ofApps = (await countsByKey(sql)).filter(({ key_id: id }) => !known.has(id));
  const ofServer = (await serverKeyIds(sql)).filter((id) => !known.has(id));
  const missing = [...new Set([...ofApps.map((row) => row.key_id), ...ofServer])];
  if (missing.length === 0) return;
  const apps = ofApps.reduce((sum, row) => sum + row.apps, 0);
  const what =
    apps > 0 ? `The secrets of ${apps} ${apps === 1 ? "app" : "apps"}` : "What API keys are checked with";
  throw new AppError(
    500,
    "secret_key_missing",
    `${what} ${apps > 0 ? "are" : "is"} sealed with a key that is not here ` +
      `(key id ${missing.join(", ")}; here: ${[...known].join(", ")}). ` +
      "If PICLOUD_SECRET_KEY was changed, put what it was before into PICLOUD_SECRET_KEYS_OLD; if the file secret.key " +
      "was lost, put it back from a backup.",
  );
}

/** How many apps there are by the key that sealed theirs. */
export interface RotationState {
  readonly done: number;
  readonly left: number;
}

export async function rotationState(sql: Queryable, keyring: Keyring): Promise<RotationState> {
  const counts = await countsByKey(sql);
  const sum = (rows: typeof counts): number => rows.reduce((total, row) => total + row.apps, 0);
  return {
    done: sum(counts.filter((row) => row.key_id === keyring.current.id)),
    left: sum(counts.filter((row) => row.key_id !== keyring.current.id)),
  };
}

/**
 * Seals every app's key, and what API keys are checked with, with the server's current key; the secrets themselves stay as they are. Each batch is a
 * transaction, so that it can be stopped and started again at any time, beside a running server as well.
 * @param onBatch told after each batch
 * @returns how many were sealed anew
 * @throws AppError 500 `secret_key_missing`, `secret_unreadable`; the batches before are done
 */
export async function rotateKeys(
  db: Database,
  keyring: Keyring,
  onBatch: (state: RotationState) => void = () => {},
): Promise<number> {
  await checkKeys(db, keyring);
  const ofServer = await db.begin((sql) => resealServerKeys(sql, keyring));
  for (let total = ofServer; ;) {
    const batch = await db.begin(async (sql) => {
      const rows = await appKeysNotOf(sql, keyring.current.id, BATCH);
      for (const row of rows)
        await updateAppKey(sql, sealAppKey(keyring, row.app_id, openAppKey(keyring, row)));
      return rows.length;
    });
    if (batch === 0) return total;
    total += batch;
    onBatch(await rotationState(db, keyring));
  }
}
