import type { Queryable, Transaction } from "../../database/client.ts";
import { invalid, notFound } from "../../shared/errors.ts";
import { appKeyFor, openAppKey, unsealed } from "./app-key.ts";
import type { Keyring } from "./keyring.ts";
import { isSecretName, type SecretDTO } from "./model.ts";
import { deleteSecret, holdApp, sealedSecret, secretsOf, upsertSecret, type SecretRow } from "./queries.ts";
import { seal } from "./seal.ts";

/** Bytes that a value may have (CONTRACT 4.5), unless PICLOUD_SECRET_MAX_VALUE_BYTES says otherwise. */
export const MAX_SECRET_BYTES = 65_536;

/** Names of an app's secrets, in order. */
export const listSecrets = async (sql: Queryable, appId: string): Promise<SecretDTO[]> =>
  (await secretsOf(sql, appId)).map(secretDTO);

/**
 * Sets a secret. Whoever may do that has been asked; the caller writes the audit log, where that is called for.
 * @param value as JSON text, so that it comes back with the type that it had
 * @throws AppError 404 when the app is gone, 422 `invalid_secret_name`, `secret_too_large`
 */
export async function writeSecret(
  sql: Transaction,
  keyring: Keyring,
  secret: { readonly appId: string; readonly name: string; readonly json: string; readonly maxBytes: number },
): Promise<{ readonly created: boolean; readonly secret: SecretDTO }> {
  const { appId, name, json, maxBytes } = secret;
  if (!isSecretName(name)) {
    throw invalid(
      "invalid_secret_name",
      "The name of a secret has 1 to 128 letters, digits, _, . and -, the first of them a letter or _.",
      { details: { field: "name" } },
    );
  }
  const size = sizeOf(json);
  if (size > maxBytes) {
    throw invalid("secret_too_large", `The value has ${size} bytes; ${maxBytes} are allowed.`, {
      details: { field: "value", size, limit: maxBytes },
    });
  }
  if (!(await holdApp(sql, appId))) throw notFound("App");
  const key = await appKeyFor(sql, keyring, appId);
  const row = await upsertSecret(sql, { appId, name, ...seal(key, Buffer.from(json), placeOf(appId, name)) });
  return { created: row.created, secret: secretDTO(row) };
}

/** Whether there was such a secret. */
export const removeSecret = (sql: Queryable, appId: string, name: string): Promise<boolean> =>
  isSecretName(name) ? deleteSecret(sql, appId, name) : Promise.resolve(false);

/**
 * The value of a secret as JSON text; null when there is none. For scripts of the app and for nobody else.
 * @throws AppError 500 when it cannot be unsealed
 */
export async function readSecret(
  sql: Queryable,
  keyring: Keyring,
  appId: string,
  name: string,
): Promise<string | null> {
  const row = isSecretName(name) ? await sealedSecret(sql, appId, name) : undefined;
  if (row === undefined) return null;
  return unsealed(openAppKey(keyring, row.key), row.secret, placeOf(appId, name)).toString("utf8");
}

/** A text counts as it is, everything else as JSON. */
function sizeOf(json: string): number {
  const value: unknown = json.startsWith('"') ? JSON.parse(json) : undefined;
  return Buffer.byteLength(typeof value === "string" ? value : json);
}

/** A row that is moved to another app, or given another name, does not open there. */
const placeOf = (appId: string, name: string): string => `picloud/secret/1\n${appId}\n${name}`;

const secretDTO = ({ name, updated_at }: SecretRow): SecretDTO => ({
  name,
  updated_at: updated_at.toISOString(),
});
