import { recordAudit, type Actor } from "../../services/audit/index.ts";
import type { Queryable } from "../../database/client.ts";
import { announceCron } from "../../services/cron/index.ts";
import { announceEvents } from "../../services/events/index.ts";
import {
  demand,
  demandInstance,
  effectiveRole,
  type AppCapability,
  type Membership,
} from "../../services/identity/index.ts";
import { AppError, conflict, invalid, notFound } from "../../shared/errors.ts";
import { isUuid, newId } from "../../shared/ids.ts";
import type { AppRole, Principal } from "../../shared/principal.ts";
import type { ManagerContext } from "../context.ts";
import { instantOf } from "../http/instant.ts";
import type { AppDTO, AppWithRole, CreateApp, PauseApp, UpdateApp } from "./model.ts";
import {
  countScripts,
  deleteApp,
  findApp,
  insertApp,
  insertFormerSlug,
  listApps,
  lockApp,
  lockSlugs,
  setPause,
  updateApp,
  type App,
} from "./queries.ts";
import { checkSlug, isSlug, takeSlug } from "./slugs.ts";

/** The app that is always there. */
export const DEFAULT_APP = "default";

/**
 * The app that a path names, when the caller has a capability in it.
 * @throws AppError 404 when it does not exist or the caller may not know that it does, 403 when the role is too low
 */
export async function openApp(
  context: Pick<ManagerContext, "db">,
  who: Principal,
  idOrSlug: string,
  capability: AppCapability,
): Promise<App & { readonly role: AppRole }> {
  const app = await lookUp(context, who, idOrSlug);
  if (app === undefined) throw notFound("App");
  return { ...app, role: demand(who, membership(app), capability, "App") };
}

/** Like `openApp`, for what asks nothing but that the caller knows of the app. @throws AppError 404 */
export async function openVisibleApp(
  context: Pick<ManagerContext, "db">,
  who: Principal,
  idOrSlug: string,
): Promise<App> {
  const app = await lookUp(context, who, idOrSlug);
  if (app === undefined || effectiveRole(who, membership(app)) === null) throw notFound("App");
  return app;
}

async function lookUp(
  { db }: Pick<ManagerContext, "db">,
  who: Principal,
  idOrSlug: string,
): Promise<App | undefined> {
  if (isUuid(idOrSlug)) return findApp(db, { id: idOrSlug }, who);
  if (!isSlug(idOrSlug)) return undefined;
  return (await findApp(db, { slug: idOrSlug }, who)) ?? (await findApp(db, { formerSlug: idOrSlug }, who));
}

export async function visibleApps(context: ManagerContext, who: Principal): Promise<AppDTO[]> {
  return (await listApps(context.db, who)).map(appDTO);
}

/** @throws AppError 403, 409 `slug_taken`, `slug_historic`, 422 `slug_reserved` */
export async function createApp(context: ManagerContext, who: Actor, input: CreateApp): Promise<AppWithRole> {
  demandInstance(who, "InstanceCreateApp");
  checkSlug(input.slug);
  const app = await context.db.begin(async (sql) => {
    await lockSlugs(sql);
    await takeSlug(sql, who, input.slug, null, input.force_takeover === true);
    const made = await insertApp(sql, {
      id: newId(),
      slug: input.slug,
      name: input.name,
      description: input.description ?? "",
    });
    await recordAudit(sql, who, {
      action: "app.create",
      appId: made.id,
      target: appTarget(made),
      after: appDTO(made),
    });
    return made;
  });
  await context.catalogChanged(app.id);
  return withRole(app, who);
}

/** @throws AppError 403, 404, 409 `slug_taken`, `slug_historic`, `app_is_default`, 422 `slug_reserved` */
export async function changeApp(
  context: ManagerContext,
  who: Actor,
  idOrSlug: string,
  input: UpdateApp,
): Promise<AppWithRole> {
  const { id } = await openApp(context, who, idOrSlug, "AppAdmin");
  const until = pauseEnd(input.paused_until, "paused_until");
  const app = await context.db.begin(async (sql) => {
    if (input.slug !== undefined) await lockSlugs(sql);
    if (!(await lockApp(sql, id))) throw notFound("App");
    const before = await findApp(sql, { id }, who);
    if (before === undefined) throw notFound("App");
    const slug = input.slug ?? before.slug;
    if (slug !== before.slug) {
      checkSlug(slug);
      refuseForStandingApp(context, before, "renamed");
      await takeSlug(sql, who, slug, id, input.force_takeover === true);
    }
    const updated = await updateApp(sql, {
      id,
      slug,
      name: input.name ?? before.name,
      description: input.description ?? before.description,
    });
    const saved = until === undefined ? updated : await writePause(sql, id, until !== null, until);
    if (saved === undefined) throw notFound("App");
    if (slug !== before.slug) await insertFormerSlug(sql, before.slug, id);
    await recordAudit(sql, who, {
      action: "app.update",
      appId: id,
      target: appTarget(saved),
      before: appDTO(before),
      after: appDTO(saved),
    });
    return { ...saved, granted: before.granted };
  });
  await context.catalogChanged(id);
  if (until !== undefined) wakeDelivery(context);
  return withRole(app, who);
}

/**
 * Nothing of the app runs from then on but what its members try themselves: requests get 503, events wait.
 * @throws AppError 403, 404, 422 `invalid_time` for a time that is none, or past
 */
export async function pauseApp(
  context: ManagerContext,
  who: Actor,
  idOrSlug: string,
  input: PauseApp,
): Promise<AppWithRole> {
  const app = await openApp(context, who, idOrSlug, "AppAdmin");
  return changePause(context, who, app, true, pauseEnd(input.until, "until") ?? null);
}

/** @throws AppError 422 `invalid_time` */
function pauseEnd(text: string | null | undefined, field: string): Date | null | undefined {
  const until = text === null ? null : instantOf(text, field);
  if (until === null || until === undefined || until.getTime() > Date.now()) return until;
  throw invalid("invalid_time", `${field}: this time is past; a pause ends in the future.`, {
    details: { field },
  });
}

/** Everything that waited is delivered. One that is not paused stays so. @throws AppError 403, 404 */
export async function resumeApp(context: ManagerContext, who: Actor, idOrSlug: string): Promise<AppWithRole> {
  return changePause(context, who, await openApp(context, who, idOrSlug, "AppAdmin"), false, null);
}

async function changePause(
  context: ManagerContext,
  who: Actor,
  { id, granted }: App,
  paused: boolean,
  until: Date | null,
): Promise<AppWithRole> {
  const app = await context.db.begin(async (sql) => {
    const saved = await writePause(sql, id, paused, until);
    if (saved === undefined) throw notFound("App");
    await recordAudit(sql, who, {
      action: paused ? "app.pause" : "app.resume",
      appId: id,
      target: appTarget(saved),
      after: appDTO(saved),
      ...(until !== null && { changed: [`until ${until.toISOString()}`] }),
    });
    return { ...saved, granted };
  });
  await context.catalogChanged(id);
  wakeDelivery(context);
  return withRole(app, who);
}

async function writePause(
  sql: Queryable,
  id: string,
  paused: boolean,
  until: Date | null,
): Promise<App | undefined> {
  await announceCron(sql);
  await announceEvents(sql);
  return setPause(sql, id, paused, until);
}

/** Timers are for what was due before. */
function wakeDelivery({ data }: ManagerContext): void {
  data.eventsCaused();
  data.cronChanged();
}

/** Deletes an app with everything in it. @throws AppError 409 `app_not_empty` unless `force` */
export async function removeApp(
  context: ManagerContext,
  who: Actor,
  idOrSlug: string,
  force: boolean,
): Promise<void> {
  const app = await openApp(context, who, idOrSlug, "AppAdmin");
  refuseForStandingApp(context, app, "deleted");
  await context.db.begin(async (sql) => {
    if (!(await lockApp(sql, app.id))) throw notFound("App");
    const scripts = force ? 0 : await countScripts(sql, app.id);
    if (scripts > 0) {
      throw conflict(
        "app_not_empty",
        `The app still has ${scripts} script(s); delete them first, or send ?force=true.`,
        {
          details: { script_count: scripts },
        },
      );
    }
    await deleteApp(sql, app.id);
    await recordAudit(sql, who, {
      action: "app.delete",
      appId: app.id,
      target: appTarget(app),
      before: appDTO(app),
    });
  });
  await context.catalogChanged(app.id);
}

/** `default`, and the app that answers for unclaimed hosts, are found by their slug and must stay. */
function refuseForStandingApp(context: ManagerContext, app: App, what: string): void {
  if (app.slug !== DEFAULT_APP && app.slug !== context.config.fallbackApp) return;
  throw new AppError(
    409,
    "app_is_default",
    `The app ${app.slug} answers for hosts that no app claims; it cannot be ${what}.`,
  );
}

export const appTarget = (app: Pick<App, "id" | "slug">) => ({ kind: "app", id: app.id, name: app.slug });

const membership = ({ id, granted }: App): Membership => ({ app_id: id, granted });

/** The API's shape of an app. */
export const appDTO = (app: App): AppDTO => ({
  id: app.id,
  slug: app.slug,
  name: app.name,
  description: app.description,
  paused: app.paused,
  paused_until: (app.paused && app.paused_until?.toISOString()) || null,
  created_at: app.created_at.toISOString(),
  updated_at: app.updated_at.toISOString(),
});

export function withRole(app: App, who: Principal): AppWithRole {
  const role = effectiveRole(who, membership(app));
  if (role === null) throw notFound("App");
  return { ...appDTO(app), my_role: role };
}
