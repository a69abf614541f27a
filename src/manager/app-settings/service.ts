import type { Queryable } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { appSettings, DEFAULT_APP_SETTINGS, normaliseList } from "../../services/catalog/index.ts";
import { notFound } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import { lockApp } from "../apps/queries.ts";
import { appTarget, openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { settingsDTO, type AppSettingsDTO, type UpdateSettings } from "./model.ts";
import { readSettings, writeSettings } from "./queries.ts";

export async function settingsOf(
  context: ManagerContext,
  who: Principal,
  app: string,
): Promise<AppSettingsDTO> {
  const { id } = await openApp(context, who, app, "AppRead");
  return read(context.db, id);
}

/** @throws AppError 403, 404, 422 with the field at fault */
export async function changeSettings(
  context: ManagerContext,
  who: Actor,
  app: string,
  input: UpdateSettings,
): Promise<AppSettingsDTO> {
  const target = await openApp(context, who, app, "AppAdmin");
  const change = normaliseSettings(input);
  const after = await context.db.begin(async (sql) => {
    // Of two who change different settings at once, neither undoes the other's.
    if (!(await lockApp(sql, target.id))) throw notFound("App");
    const before = await read(sql, target.id);
    const merged = { ...before, ...change };
    await writeSettings(sql, target.id, differing(merged));
    await recordAudit(sql, who, {
      action: "app.settings",
      appId: target.id,
      target: appTarget(target),
      before,
      after: merged,
    });
    return merged;
  });
  await context.catalogChanged(target.id);
  return after;
}

/** As it is kept: whatever can be written in several ways, in one. @throws AppError 422 with the field at fault */
const normaliseSettings = (change: UpdateSettings): UpdateSettings => ({
  ...change,
  ...(change.cors_origins && { cors_origins: normaliseList("cors_origins", change.cors_origins) }),
  ...(change.outbound_allow && { outbound_allow: normaliseList("outbound_allow", change.outbound_allow) }),
  ...(change.rate_limit && {
    rate_limit: { ...change.rate_limit, key: change.rate_limit.key.toLowerCase() },
  }),
});

async function read(sql: Queryable, appId: string): Promise<AppSettingsDTO> {
  const stored = await readSettings(sql, appId);
  if (stored === undefined) throw notFound("App");
  return settingsDTO(appSettings(stored));
}

const DEFAULTS = settingsDTO(DEFAULT_APP_SETTINGS);

/** Only what differs is stored, so that a better default of a later release reaches the apps that never chose. */
function differing(settings: AppSettingsDTO): Partial<AppSettingsDTO> {
  const isDefault = (name: string, value: unknown) =>
    JSON.stringify(value) === JSON.stringify(DEFAULTS[name as keyof AppSettingsDTO]);
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => !isDefault(name, value)));
}
