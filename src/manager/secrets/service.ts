import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { listSecrets, removeSecret, writeSecret, type SecretDTO } from "../../services/secrets/index.ts";
import { notFound } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import type { SetSecret } from "./model.ts";

/** Names are for everybody who may read the app, values for nobody. */
export async function secretNames(
  context: ManagerContext,
  who: Principal,
  app: string,
): Promise<SecretDTO[]> {
  const { id } = await openApp(context, who, app, "AppSecretsRead");
  return listSecrets(context.db, id);
}

/** @throws AppError 422 `secret_too_large` */
export async function setSecret(
  context: ManagerContext,
  who: Actor,
  app: string,
  { name, value }: SetSecret,
): Promise<{ readonly created: boolean; readonly secret: SecretDTO }> {
  const { id: appId } = await openApp(context, who, app, "AppSecretsWrite");
  return context.db.begin(async (sql) => {
    const written = await writeSecret(sql, context.keyring, {
      appId,
      name,
      json: JSON.stringify(value),
      maxBytes: context.config.secretMaxValueBytes,
    });
    await recordAudit(sql, who, {
      action: "secret.set",
      appId,
      target: { kind: "secret", id: name, name },
      ...(!written.created && { before: { name } }),
      after: { name },
      // That it changed, and nothing about what it was: not even a hash.
      changed: ["value"],
    });
    return written;
  });
}

/** @throws AppError 404 */
export async function deleteSecret(
  context: ManagerContext,
  who: Actor,
  app: string,
  name: string,
): Promise<void> {
  const { id: appId } = await openApp(context, who, app, "AppSecretsWrite");
  await context.db.begin(async (sql) => {
    if (!(await removeSecret(sql, appId, name))) throw notFound("Secret");
    await recordAudit(sql, who, {
      action: "secret.delete",
      appId,
      target: { kind: "secret", id: name, name },
      before: { name },
    });
  });
}
