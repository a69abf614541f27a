import { compileRoutes, normaliseHost, parseRoute } from "../../services/routes/index.ts";
import { demand } from "../../services/identity/index.ts";
import { invalid, notFound } from "../../shared/errors.ts";
import { isUuid, newId } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { lockAndTouch } from "../apps/queries.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { domainsOf } from "../domains/queries.ts";
import { openScript } from "../scripts/access.ts";
import {
  conflictDTO,
  NEW_ROUTE,
  normalised,
  patternOf,
  routeDTO,
  settingsOf,
  type CheckBody,
  type MatchBody,
} from "./model.ts";
import type { RouteBody, RouteDTO, RoutePatch } from "./model.ts";
import {
  deleteRoute,
  findRoute,
  insertRoute,
  routesOfApp,
  routesOfScript,
  updateRoute,
  type Route,
} from "./queries.ts";
import { checkHostClaimed, checkRoutable, rivalOf, routeConflict } from "./rules.ts";

export async function listRoutes(
  context: ManagerContext,
  who: Principal,
  scriptId: string,
): Promise<RouteDTO[]> {
  const script = await openScript(context, who, scriptId, "AppRead");
  return (await routesOfScript(context.db, script.app_id, script.id)).map(routeDTO);
}

export async function addRoute(
  context: ManagerContext,
  who: Principal,
  scriptId: string,
  input: RouteBody,
): Promise<RouteDTO> {
  const script = await openScript(context, who, scriptId, "AppWriteRoute");
  const pattern = parseRoute(input);
  const id = newId();
  const route = await context.db.begin(async (sql) => {
    const [present, routes, claims, current] = await Promise.all([
      lockAndTouch(sql, script.app_id),
      routesOfApp(sql, script.app_id),
      domainsOf(sql, script.app_id),
      sql<{ kind: "endpoint" | "module"; name: string }[]>`
        select kind, name from scripts where app_id = ${script.app_id} and id = ${script.id}`,
    ]);
    const [target] = current;
    if (!present || target === undefined) throw notFound("Script");
    checkRoutable(target);
    checkHostClaimed(pattern, claims);
    const rival = rivalOf(pattern, routes);
    if (rival !== undefined) throw routeConflict(rival);
    await insertRoute(sql, {
      appId: script.app_id,
      id,
      scriptId: script.id,
      pattern,
      settings: settingsOf(input, NEW_ROUTE),
    });
    return find(await routesOfScript(sql, script.app_id, script.id), id);
  });
  await context.catalogChanged(script.app_id);
  return routeDTO(route);
}

export async function changeRoute(
  context: ManagerContext,
  who: Principal,
  routeId: string,
  input: RoutePatch,
): Promise<RouteDTO> {
  const { app_id: appId, id } = await openRoute(context, who, routeId);
  const route = await context.db.begin(async (sql) => {
    const [present, routes, claims] = await Promise.all([
      lockAndTouch(sql, appId),
      routesOfApp(sql, appId),
      domainsOf(sql, appId),
    ]);
    const before = routes.find((row) => row.id === id);
    if (!present || before === undefined) throw notFound("Route");
    const pattern = parseRoute(merged(before, input));
    checkHostClaimed(pattern, claims);
    const rival = rivalOf(pattern, routes, id);
    if (rival !== undefined) throw routeConflict(rival);
    await updateRoute(sql, { appId, id, pattern, settings: settingsOf(input, before) });
    return find(await routesOfScript(sql, appId, before.script_id), id);
  });
  await context.catalogChanged(appId);
  return routeDTO(route);
}

export async function removeRoute(context: ManagerContext, who: Principal, routeId: string): Promise<void> {
  const { app_id: appId, id } = await openRoute(context, who, routeId);
  await context.db.begin(async (sql) => {
    await lockAndTouch(sql, appId);
    await deleteRoute(sql, appId, id);
  });
  await context.catalogChanged(appId);
}

/** Whether a binding could be made, without making it. @throws AppError 422 when it is not valid at all */
export async function checkRoute(context: ManagerContext, who: Principal, input: CheckBody) {
  const app = await openApp(context, who, input.app_id, "AppRead");
  const pattern = parseRoute(input);
  const [routes, claims] = await Promise.all([
    routesOfApp(context.db, app.id),
    domainsOf(context.db, app.id),
  ]);
  checkHostClaimed(pattern, claims);
  const rival = rivalOf(pattern, routes);
  const answer = { ok: rival === undefined, normalized: normalised(pattern) };
  return rival === undefined ? answer : { ...answer, conflict: conflictDTO(rival) };
}

/** Which route of an app would answer a URL. */
export async function matchRoute(context: ManagerContext, who: Principal, input: MatchBody) {
  const app = await openApp(context, who, input.app_id, "AppRead");
  const { host, path } = readUrl(input.url);
  const routes = (await routesOfApp(context.db, app.id)).filter((route) => route.enabled);
  const table = compileRoutes(routes.map((row) => ({ ...patternOf(row), row })));
  const found = table.match((input.method ?? "GET").toUpperCase(), host, path);
  if (found === null) return { matched: false, params: {} };
  return {
    matched: true,
    route: routeDTO(found.route.row),
    script_id: found.route.row.script_id,
    params: { ...found.params },
  };
}

async function openRoute(context: ManagerContext, who: Principal, routeId: string): Promise<Route> {
  const route = isUuid(routeId) ? await findRoute(context.db, routeId, who) : undefined;
  if (route === undefined) throw notFound("Route");
  demand(who, route, "AppWriteRoute", "Route");
  return route;
}

/** A given path or host is read anew; one that is not given keeps its kind. */
function merged(before: Route, input: RoutePatch) {
  const host =
    input.host === undefined && input.host_kind === undefined
      ? { host_kind: before.host_kind, host: before.host }
      : { host_kind: input.host_kind, host: input.host ?? (input.host_kind === "any" ? "" : before.host) };
  const isWildcard = host.host_kind === "wildcard" || host.host.startsWith("*.") || host.host.startsWith("{");
  const keptName = isWildcard && !host.host.startsWith("{") ? before.host_param_name : null;
  return {
    ...host,
    host_param_name: input.host_param_name === undefined ? keptName : input.host_param_name,
    path: input.path ?? before.path,
    path_kind: input.path_kind ?? (input.path === undefined ? before.path_kind : undefined),
    method: input.method === undefined ? before.method : input.method,
    dispatch_mode: input.dispatch_mode ?? before.dispatch_mode,
  };
}

function readUrl(text: string): { readonly host: string; readonly path: string } {
  if (text.startsWith("/")) return { host: "", path: text.replace(/[?#].*$/s, "") };
  const url = /^https?:\/\/([^/?#]+)([^?#]*)/i.exec(text);
  if (url === null) {
    throw invalid(
      "invalid_url",
      "url is neither a path (/hello) nor an address (https://example.com/hello).",
      {
        details: { field: "url" },
      },
    );
  }
  return { host: normaliseHost(url[1] ?? ""), path: url[2] || "/" };
}

function find(routes: readonly Route[], id: string): Route {
  const route = routes.find((row) => row.id === id);
  if (route === undefined) throw new Error("a route just written is not there");
  return route;
}
