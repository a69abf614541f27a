import type { Queryable } from "../../database/client.ts";
import { visibleTo } from "../../services/identity/index.ts";
import type { AppRole, Principal } from "../../shared/principal.ts";

/** A row of `apps`, with what the membership table grants the asking user in it. */
export interface App {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly paused: boolean;
  /** Null: not paused, or without an end. A pause that is over may still stand here. */
  readonly paused_until: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly granted: AppRole | null;
}

const columns = (sql: Queryable) => sql`
  apps.*, (apps.paused_at is not null and (apps.paused_until is null or apps.paused_until > now())) as paused`;

/** What names an app; each already known to have the shape of one. */
export type AppKey = { readonly id: string } | { readonly slug: string } | { readonly formerSlug: string };

export async function findApp(sql: Queryable, key: AppKey, who: Principal): Promise<App | undefined> {
  const condition =
    "id" in key
      ? sql`apps.id = ${key.id}`
      : "slug" in key
        ? sql`apps.slug = ${key.slug}`
        : sql`apps.id = (select h.app_id from app_slug_history h where h.slug = ${key.formerSlug})`;
  const [app] = await sql<App[]>`
    select ${columns(sql)}, app_members.role as granted
    from apps left join app_members on app_members.app_id = apps.id and app_members.user_id = ${who.userId}
    where ${condition}`;
  return app;
}

/** The apps that the caller may know of. */
export async function listApps(sql: Queryable, who: Principal): Promise<App[]> {
  return sql<App[]>`
    select ${columns(sql)}, app_members.role as granted
    from apps left join app_members on app_members.app_id = apps.id and app_members.user_id = ${who.userId}
    where ${visibleTo(sql, who, "apps.id")}
    order by apps.slug`;
}

export async function insertApp(
  sql: Queryable,
  app: { readonly id: string; readonly slug: string; readonly name: string; readonly description: string },
): Promise<App> {
  const [row] = await sql<App[]>`
    insert into apps (id, slug, name, description)
    values (${app.id}, ${app.slug}, ${app.name}, ${app.description})
    returning ${columns(sql)}, null as granted`;
  if (row === undefined) throw new Error("insert into apps returned no row");
  return row;
}

export async function updateApp(
  sql: Queryable,
  app: { readonly id: string; readonly slug: string; readonly name: string; readonly description: string },
): Promise<App | undefined> {
  const [row] = await sql<App[]>`
    update apps
    set slug = ${app.slug}, name = ${app.name}, description = ${app.description},
        updated_at = now(), catalog_version = catalog_version + 1
    where id = ${app.id}
    returning ${columns(sql)}, null as granted`;
  return row;
}

/** Pauses an app, also one that is paused, or resumes it. @param until null: without an end */
export async function setPause(
  sql: Queryable,
  id: string,
  paused: boolean,
  until: Date | null,
): Promise<App | undefined> {
  const [row] = await sql<App[]>`
    update apps
    set paused_at = case when ${paused} then now() end, paused_until = ${until}, updated_at = now(),
      catalog_version = catalog_version + 1
    where id = ${id}
    returning ${columns(sql)}, null as granted`;
  return row;
}

/**
 * Lets one transaction at a time change who has which slug: a slug is in `apps` or in the history, or free, and no
 * constraint spans the two. To be called before anything else is locked.
 */
export async function lockSlugs(sql: Queryable): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('picloud slugs'))`;
}

export async function insertFormerSlug(sql: Queryable, slug: string, appId: string): Promise<void> {
  await sql`insert into app_slug_history (slug, app_id) values (${slug}, ${appId})`;
}

export async function deleteFormerSlug(sql: Queryable, slug: string): Promise<void> {
  await sql`delete from app_slug_history where slug = ${slug}`;
}

/**
 * Holds every other change of this app's scripts, routes and domains back until the transaction ends, so that what is
 * checked stays true until it is written. False: the app does not exist (any more).
 */
export async function lockApp(sql: Queryable, appId: string): Promise<boolean> {
  const rows = await sql`select 1 from apps where id = ${appId} for no key update`;
  return rows.length === 1;
}

/** Tells the data plane, at commit, that it must read the app again. */
export async function touchCatalog(sql: Queryable, appId: string): Promise<void> {
  await sql`update apps set catalog_version = catalog_version + 1 where id = ${appId}`;
}

/** Locks an app and tells the data plane: for changes that are made in any case. */
export async function lockAndTouch(sql: Queryable, appId: string): Promise<boolean> {
  const rows =
    await sql`update apps set catalog_version = catalog_version + 1 where id = ${appId} returning 1`;
  return rows.length === 1;
}

export async function countScripts(sql: Queryable, appId: string): Promise<number> {
  const [row] = await sql<
    { count: number }[]
  >`select count(*)::int as count from scripts where app_id = ${appId}`;
  return row?.count ?? 0;
}

export async function deleteApp(sql: Queryable, appId: string): Promise<void> {
  await sql`delete from apps where id = ${appId}`;
}
