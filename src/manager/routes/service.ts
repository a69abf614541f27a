import { normaliseHost, parseRoute } from "../../services/routes/index.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { demand } from "../../services/identity/index.ts";
import { invalid, notFound } from "../../shared/errors.ts";
import { isUuid, newId } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { lockAndTouch } from "../apps/queries.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { domainsOf } from "../domains/queries.ts";
import { openScript } from "../scripts/access.ts";
import { scriptById } from "../scripts/queries.ts";
import {
  auditedRoute,
  conflictDTO,
  NEW_ROUTE,
  normalised,
  patternOf,
  routeDTO,
  routeTarget,
  settingsOf,
  type CheckBody,
  type MatchBody,
} from "./model.ts";
import type { RouteBody, RouteDTO, RoutePatch } from "./model.ts";
import {
  deleteRoute,
  findRoute,
  insertRoute,
  routesAround,
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
  who: Actor,
  scriptId: string,
  input: RouteBody,
): Promise<RouteDTO> {
  const { app_id: appId, ...script } = await openScript(context, who, scriptId, "AppWriteRoute");
  const pattern = parseRoute(input);
  const settings = settingsOf(input, NEW_ROUTE);
  const id = newId();
  const route = await context.db.begin(async (sql) => {
    const [present, routes, claims, target] = await Promise.all([
      lockAndTouch(sql, appId),
      routesAround(sql, appId, script, [pattern]),
      domainsOf(sql, appId),
      scriptById(sql, appId, script.id),
    ]);
    if (!present || target === undefined) throw notFound("Script");
    checkRoutable(target);
    checkHostClaimed(pattern, claims);
    const rival = rivalOf(pattern, routes);
    if (rival !== undefined) throw routeConflict(rival);
    const [, , written] = await Promise.all([
      insertRoute(sql, { appId, id, scriptId: script.id, pattern, settings }),
      recordAudit(sql, who, {
        action: "route.create",
        appId,
        target: routeTarget(id, pattern),
        after: auditedRoute(script.id, pattern, settings),
      }),
      findRoute(sql, id, who),
    ]);
    return existing(written);
  });
  await context.catalogChanged(appId);
  return routeDTO(route);
}

export async function changeRoute(
  context: ManagerContext,
  who: Actor,
  routeId: string,
  input: RoutePatch,
): Promise<RouteDTO> {
  const { app_id: appId, id, script_id: scriptId } = await openRoute(context, who, routeId);
  const route = await context.db.begin(async (sql) => {
    const [present, before, claims] = await Promise.all([
      lockAndTouch(sql, appId),
      findRoute(sql, id, who),
      domainsOf(sql, appId),
    ]);
    if (!present || before === undefined) throw notFound("Route");
    const pattern = parseRoute(merged(before, input));
    const settings = settingsOf(input, before);
    checkHostClaimed(pattern, claims);
    const rival = rivalOf(pattern, await routesAround(sql, appId, { id: scriptId }, [pattern]), id);
    if (rival !== undefined) throw routeConflict(rival);
    const [, , written] = await Promise.all([
      updateRoute(sql, { appId, id, pattern, settings }),
      recordAudit(sql, who, {
        action: "route.update",
        appId,
        target: routeTarget(id, pattern),
        before: auditedRoute(scriptId, patternOf(before), before),
        after: auditedRoute(scriptId, pattern, settings),
      }),
      findRoute(sql, id, who),
    ]);
    return existing(written);
  });
  await context.catalogChanged(appId);
  return routeDTO(route);
}

export async function removeRoute(context: ManagerContext, who: Actor, routeId: string): Promise<void> {
  const { app_id: appId, id, script_id: scriptId } = await openRoute(context, who, routeId);
  await context.db.begin(async (sql) => {
    const [, route] = await Promise.all([lockAndTouch(sql, appId), findRoute(sql, id, who)]);
    if (route === undefined) throw notFound("Route");
    const pattern = patternOf(route);
    await Promise.all([
      deleteRoute(sql, appId, id),
      recordAudit(sql, who, {
        action: "route.delete",
        appId,
        target: routeTarget(id, pattern),
        before: auditedRoute(scriptId, pattern, route),
      }),
    ]);
  });
  await context.catalogChanged(appId);
}

/** Whether a binding could be made, without making it. @throws AppError 422 when it is not valid at all */
export async function checkRoute(context: ManagerContext, who: Principal, input: CheckBody) {
  const app = await openApp(context, who, input.app_id, "AppRead");
  const pattern = parseRoute(input);
  const [routes, claims] = await Promise.all([
    routesAround(context.db, app.id, null, [pattern]),
    domainsOf(context.db, app.id),
  ]);
  checkHostClaimed(pattern, claims);
  const rival = rivalOf(pattern, routes);
  const answer = { ok: rival === undefined, normalized: normalised(pattern) };
  return rival === undefined ? answer : { ...answer, conflict: conflictDTO(rival) };
}

/**
 * Which route of an app would answer a URL. A host that another app claims leads to none of them; for one that nobody
 * claims the answer is what would be if it led to the app.
 */
export async function matchRoute(context: ManagerContext, who: Principal, input: MatchBody) {
  const app = await openApp(context, who, input.app_id, "AppRead");
  const { host, path } = readUrl(input.url);
  const owner = host === null ? null : context.resolveHost(host);
  const found =
    owner?.claimed === true && owner.appId !== app.id
      ? null
      : context.routeOf(app.id, (input.method ?? "GET").toUpperCase(), host ?? "", path);
  const route = found === null ? undefined : await findRoute(context.db, found.route.id, who);
  if (found === null || route === undefined) return { matched: false, params: {} };
  return {
    matched: true,
    route: routeDTO(route),
    script_id: route.script_id,
    params: { ...owner?.params, ...found.params },
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

/** The host is null when only a path is given. */
function readUrl(text: string): { readonly host: string | null; readonly path: string } {
  if (text.startsWith("/")) return { host: null, path: text.replace(/[?#].*$/s, "") };
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

function existing(route: Route | undefined): Route {
  if (route === undefined) throw new Error("a route just written is not there");
  return route;
}
