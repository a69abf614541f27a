import type { Queryable } from "../../database/client.ts";
import type { DispatchMode, HostKind, PathKind, RoutePattern } from "../../services/routes/index.ts";
import type { AppRole, Principal } from "../../shared/principal.ts";
import type { RateLimit, RouteSettings } from "./model.ts";

/** A row of `routes`, with the name of its script. */
export interface Route extends RouteSettings {
  readonly app_id: string;
  readonly id: string;
  readonly script_id: string;
  readonly script_name: string;
  readonly host_kind: HostKind;
  readonly host: string;
  readonly host_param_name: string | null;
  readonly path_kind: PathKind;
  readonly path: string;
  readonly method: string | null;
  readonly dispatch_mode: DispatchMode;
  readonly created_at: Date;
}

/** All routes of an app, the oldest first. */
export async function routesOfApp(sql: Queryable, appId: string): Promise<Route[]> {
  return sql<Route[]>`
    select routes.*, scripts.name as script_name
    from routes join scripts on scripts.app_id = routes.app_id and scripts.id = routes.script_id
    where routes.app_id = ${appId}
    order by routes.created_at, routes.id`;
}

export async function routesOfScript(sql: Queryable, appId: string, scriptId: string): Promise<Route[]> {
  return sql<Route[]>`
    select routes.*, scripts.name as script_name
    from routes join scripts on scripts.app_id = routes.app_id and scripts.id = routes.script_id
    where routes.app_id = ${appId} and routes.script_id = ${scriptId}
    order by routes.created_at, routes.id`;
}

/** Routes of several scripts, of one app or of several. */
export async function routesOfScripts(
  sql: Queryable,
  scripts: readonly { readonly app_id: string; readonly id: string }[],
): Promise<Route[]> {
  const appIds = [...new Set(scripts.map((script) => script.app_id))];
  const ids = scripts.map((script) => script.id);
  return sql<Route[]>`
    select routes.*, scripts.name as script_name
    from routes join scripts on scripts.app_id = routes.app_id and scripts.id = routes.script_id
    where routes.app_id = any(${appIds}::uuid[]) and routes.script_id = any(${ids}::uuid[])
    order by routes.created_at, routes.id`;
}

/**
 * Routes of an app that matter to new bindings: those of the script that is saved, and those that could stand in the way
 * of new paths. An app may have thousands; only these few are read.
 * @param script its id, or its name when it may not exist yet; null: none
 */
export async function routesAround(
  sql: Queryable,
  appId: string,
  script: { readonly id: string } | { readonly name: string } | null,
  wanted: readonly Pick<RoutePattern, "path" | "pathKind">[],
): Promise<Route[]> {
  const own = (): Promise<Route[]> =>
    script === null
      ? Promise.resolve([])
      : sql<Route[]>`
          select routes.*, scripts.name as script_name
          from scripts join routes on routes.app_id = scripts.app_id and routes.script_id = scripts.id
          where scripts.app_id = ${appId}
            and ${"id" in script ? sql`scripts.id = ${script.id}` : sql`scripts.name = ${script.name}`}
          order by routes.created_at, routes.id`;
  if (wanted.length === 0) return own();
  const [mine, samePath, rivals] = await Promise.all([
    own(),
    routesOfPaths(
      sql,
      appId,
      wanted.map(({ path }) => path),
    ),
    paramRivals(
      sql,
      appId,
      wanted.filter(({ pathKind }) => pathKind === "param").map(({ path }) => path),
    ),
  ]);
  return [...new Map([...mine, ...samePath, ...rivals].map((route) => [route.id, route])).values()];
}

async function routesOfPaths(sql: Queryable, appId: string, paths: readonly string[]): Promise<Route[]> {
  return sql<Route[]>`
    select routes.*, scripts.name as script_name
    from routes join scripts on scripts.app_id = routes.app_id and scripts.id = routes.script_id
    where routes.app_id = ${appId} and routes.path = any(${paths as string[]}::text[])`;
}

/**
 * Two param paths may collide without being equal; what begins with another literal cannot. Where either begins with a
 * parameter, all of its length are read.
 */
async function paramRivals(sql: Queryable, appId: string, paths: readonly string[]): Promise<Route[]> {
  if (paths.length === 0) return [];
  const first = paths.map((path) => path.split("/")[1] ?? "");
  const open = first.some((segment) => segment.startsWith(":"));
  return sql<Route[]>`
    select routes.*, scripts.name as script_name
    from routes join scripts on scripts.app_id = routes.app_id and scripts.id = routes.script_id
    where routes.app_id = ${appId} and routes.path_kind = 'param'
      and (${open} or split_part(routes.path, '/', 2) = any(${first}::text[])
        or split_part(routes.path, '/', 2) like ':%')
      and length(routes.path) - length(replace(routes.path, '/', ''))
        = any(${paths.map((path) => path.split("/").length - 1)}::int[])`;
}

/** A route, with what the membership table grants the asking user in its app. */
export async function findRoute(
  sql: Queryable,
  id: string,
  who: Principal,
): Promise<(Route & { readonly granted: AppRole | null }) | undefined> {
  const [route] = await sql<(Route & { readonly granted: AppRole | null })[]>`
    select routes.*, scripts.name as script_name, app_members.role as granted
    from routes
    join scripts on scripts.app_id = routes.app_id and scripts.id = routes.script_id
    left join app_members on app_members.app_id = routes.app_id and app_members.user_id = ${who.userId}
    where routes.id = ${id}`;
  return route;
}

export async function insertRoute(
  sql: Queryable,
  route: {
    readonly appId: string;
    readonly id: string;
    readonly scriptId: string;
    readonly pattern: RoutePattern;
    readonly settings: RouteSettings;
  },
): Promise<void> {
  const { pattern, settings } = route;
  await sql`
    insert into routes (app_id, id, script_id, host_kind, host, host_param_name, path_kind, path, method,
      dispatch_mode, enabled, rate_limit, idempotent)
    values (${route.appId}, ${route.id}, ${route.scriptId}, ${pattern.hostKind}, ${pattern.host},
      ${pattern.hostParamName}, ${pattern.pathKind}, ${pattern.path}, ${pattern.method}, ${pattern.dispatchMode},
      ${settings.enabled}, ${jsonOrNull(sql, settings.rate_limit)}, ${settings.idempotent})`;
}

export async function updateRoute(
  sql: Queryable,
  route: {
    readonly appId: string;
    readonly id: string;
    readonly pattern: RoutePattern;
    readonly settings: RouteSettings;
  },
): Promise<void> {
  const { pattern, settings } = route;
  await sql`
    update routes
    set host_kind = ${pattern.hostKind}, host = ${pattern.host}, host_param_name = ${pattern.hostParamName},
        path_kind = ${pattern.pathKind}, path = ${pattern.path}, method = ${pattern.method},
        dispatch_mode = ${pattern.dispatchMode}, enabled = ${settings.enabled},
        rate_limit = ${jsonOrNull(sql, settings.rate_limit)}, idempotent = ${settings.idempotent}
    where app_id = ${route.appId} and id = ${route.id}`;
}

export async function setDispatchMode(
  sql: Queryable,
  appId: string,
  id: string,
  mode: DispatchMode,
): Promise<void> {
  await sql`update routes set dispatch_mode = ${mode} where app_id = ${appId} and id = ${id}`;
}

export async function deleteRoute(sql: Queryable, appId: string, id: string): Promise<void> {
  await sql`
    with answers as (delete from idempotency_keys where app_id = ${appId} and scope_id = ${id})
    delete from routes where app_id = ${appId} and id = ${id}`;
}

const jsonOrNull = (sql: Queryable, limit: RateLimit | null) => (limit === null ? null : sql.json(limit));
