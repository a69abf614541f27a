import type { Transaction } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import type { DispatchMode, RoutePattern } from "../../services/routes/index.ts";
import { newId } from "../../shared/ids.ts";
import { auditedRoute, NEW_ROUTE, patternOf, routeTarget } from "../routes/model.ts";
import { insertRoute, setDispatchMode, type Route } from "../routes/queries.ts";
import { rivalOf, routeConflict } from "../routes/rules.ts";

/** A route that a script shall have after the save. */
export interface Binding {
  readonly pattern: RoutePattern;
  /** Given explicitly; else a route that is there already keeps its own. */
  readonly dispatchMode: DispatchMode | undefined;
}

/** What has to be done for the routes of a script to be as wished. */
export interface Bound {
  readonly added: readonly RoutePattern[];
  readonly redispatched: readonly { readonly route: Route; readonly mode: DispatchMode }[];
}

/**
 * Which wishes are new; those that the script has already are left as they are, unless they name another dispatch.
 * @throws AppError 409 `route_conflict`
 */
export function bind(bindings: readonly Binding[], scriptId: string, routes: readonly Route[]): Bound {
  const added: RoutePattern[] = [];
  const redispatched: { readonly route: Route; readonly mode: DispatchMode }[] = [];
  for (const { pattern, dispatchMode } of bindings) {
    const rival = rivalOf(pattern, routes);
    if (rival !== undefined) {
      if (rival.script_id !== scriptId || rival.path !== pattern.path) throw routeConflict(rival);
      if (dispatchMode !== undefined && dispatchMode !== rival.dispatch_mode) {
        redispatched.push({ route: rival, mode: dispatchMode });
      }
      continue;
    }
    const twin = added.find((other) => other.pathKind === pattern.pathKind && other.path === pattern.path);
    if (twin === undefined) added.push(pattern);
  }
  return { added, redispatched };
}

/** The statements that make it so, sent without waiting for each other. */
export function writeBound(
  sql: Transaction,
  actor: Actor,
  script: { readonly app_id: string; readonly id: string },
  { added, redispatched }: Bound,
): Promise<unknown>[] {
  const { app_id: appId, id: scriptId } = script;
  return [
    ...added.flatMap((pattern) => {
      const id = newId();
      return [
        insertRoute(sql, { appId, id, scriptId, pattern, settings: NEW_ROUTE }),
        recordAudit(sql, actor, {
          action: "route.create",
          appId,
          target: routeTarget(id, pattern),
          after: auditedRoute(scriptId, pattern, NEW_ROUTE),
        }),
      ];
    }),
    ...redispatched.flatMap(({ route, mode }) => {
      const before = patternOf(route);
      const after = { ...before, dispatchMode: mode };
      return [
        setDispatchMode(sql, appId, route.id, mode),
        recordAudit(sql, actor, {
          action: "route.update",
          appId,
          target: routeTarget(route.id, after),
          before: auditedRoute(scriptId, before, route),
          after: auditedRoute(scriptId, after, route),
        }),
      ];
    }),
  ];
}
