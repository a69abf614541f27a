import { conflicts, type RoutePattern } from "../../services/routes/index.ts";
import { conflict, invalid, type AppError } from "../../shared/errors.ts";
import { isCovered } from "../domains/coverage.ts";
import type { Domain } from "../domains/queries.ts";
import { conflictDTO, patternOf, shownPath } from "./model.ts";
import type { Route } from "./queries.ts";

/** The stored route that would claim the same requests; `except` is the route that is being changed itself. */
export function rivalOf(pattern: RoutePattern, routes: readonly Route[], except?: string): Route | undefined {
  return routes.find((route) => route.id !== except && conflicts(pattern, patternOf(route)));
}

/** 409 that names the route which is there already. */
export function routeConflict(rival: Route): AppError {
  const method = rival.method === null ? "" : `${rival.method} `;
  return conflict(
    "route_conflict",
    `The route ${method}${shownPath(patternOf(rival))} of the script "${rival.script_name}" claims the same requests.`,
    { details: { conflict: conflictDTO(rival) } },
  );
}

/** @throws AppError 422 `host_not_claimed` */
export function checkHostClaimed(
  pattern: RoutePattern,
  claims: readonly Pick<Domain, "pattern" | "shape">[],
): void {
  if (isCovered(pattern, claims)) return;
  throw invalid(
    "host_not_claimed",
    `The app has not claimed the host ${pattern.host}; claim it under its domains first.`,
    {
      details: { field: "host", host: pattern.host },
    },
  );
}

/** @throws AppError 422 `script_is_module` */
export function checkRoutable(script: { readonly kind: "endpoint" | "module"; readonly name: string }): void {
  if (script.kind === "endpoint") return;
  throw invalid(
    "script_is_module",
    `"${script.name}" is a module; only an endpoint can be bound to a route.`,
  );
}
