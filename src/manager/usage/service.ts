import { appSettings } from "../../services/catalog/index.ts";
import { appUsage, type AppUsage } from "../../services/usage/index.ts";
import { notFound } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import { readSettings } from "../app-settings/queries.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";

/** @throws AppError 403, 404 */
export async function usageOf(
  context: ManagerContext,
  who: Principal,
  app: string,
): Promise<AppUsage & { readonly bytes: number; readonly quota_bytes: number | null }> {
  const { id } = await openApp(context, who, app, "AppRead");
  const settings = await readSettings(context.db, id);
  if (settings === undefined) throw notFound("App");
  const usage = await appUsage(context.db, id);
  return {
    bytes: usage.kv.bytes + usage.docs.bytes,
    quota_bytes: appSettings(settings).quotaBytes,
    ...usage,
  };
}
