import type { Catalog, CatalogApp, CatalogRoute, CatalogScript } from "../services/catalog/index.ts";
import { normaliseHost } from "../services/routes/index.ts";
import { AppError, invalid, notFound } from "../shared/errors.ts";
import { isUuid } from "../shared/ids.ts";
import type { Principal } from "../shared/principal.ts";
import type { Caller } from "./caller.ts";
import type { RequestOrigin } from "./http-request.ts";
import type { RequestUrl } from "./request-url.ts";

/** Where scripts are run without a route. */
export const EXECUTE = "/api/v1/execute/";

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** With the limits of the version that runs. */
export type Runnable = Pick<CatalogScript, "appId" | "id" | "name" | "limits" | "imports">;

/** What a request asks to be run. */
export interface Target {
  readonly script: Runnable;
  /** Null: it names the script itself. */
  readonly route: CatalogRoute | null;
  readonly version: number;
  readonly triggerKind: "http" | "invoke";
  /** Normalised. */
  readonly host: string;
  readonly params: Readonly<Record<string, string>>;
  readonly rest: string;
}

/** A request of which all is known but its body. */
export interface Asked {
  readonly request: Request;
  readonly origin: RequestOrigin;
  readonly url: RequestUrl;
  readonly target: Target;
  readonly caller: Caller;
  readonly requestId: string;
}

/** A script that is named without a route. */
export const directTarget = (
  script: Runnable,
  version: number,
  url: RequestUrl,
  triggerKind: Target["triggerKind"],
): Target => ({
  script,
  route: null,
  version,
  triggerKind,
  host: normaliseHost(url.host),
  params: NO_PARAMS,
  rest: "",
});

/** What the route asks for that answers a request. @throws AppError 404 */
export function routeTarget(catalog: Catalog, request: Request, url: RequestUrl): Target {
  const { app, host, params } = hostApp(catalog, url);
  const match = catalog.route(app.id, request.method, host, url.path);
  if (match === null) throw new AppError(404, "no_route", `No route answers ${request.method} on this path.`);
  const script = catalog.script(match.route.scriptId);
  if (script === undefined) throw notFound("The script of this route");
  if (script.liveVersion === null) {
    throw new AppError(404, "no_live_version", "The script of this route has no live version yet.");
  }
  return {
    script,
    route: match.route,
    version: script.liveVersion,
    triggerKind: "http",
    host,
    params: params === NO_PARAMS || isEmpty(params) ? match.params : { ...params, ...match.params },
    rest: match.rest,
  };
}

/** The app that answers for a request's host. @throws AppError 404 `unknown_host` */
export function hostApp(
  catalog: Catalog,
  url: RequestUrl,
): { readonly app: CatalogApp; readonly host: string; readonly params: Target["params"] } {
  const { app, host, params } = catalog.resolveApp(url.host);
  if (app === null) {
    throw new AppError(404, "unknown_host", `No app answers for the host "${host.slice(0, 253)}".`);
  }
  return { app, host, params };
}

/**
 * What `POST /api/v1/execute/{script_id}` asks for. What the caller may not run does not exist for them.
 * @param mayExecute AppRead: may run scripts whose direct_execute is "members"
 * @throws AppError 404, 405, 422 for a module
 */
export async function executeTarget(
  catalog: Catalog,
  request: Request,
  url: RequestUrl,
  { principal }: Caller,
  mayExecute: (principal: Principal, appId: string) => boolean | Promise<boolean>,
): Promise<Target> {
  if (request.method !== "POST") {
    throw new AppError(405, "method_not_allowed", "A script is executed with POST.", {
      headers: { Allow: "POST" },
    });
  }
  const id = url.path.slice(EXECUTE.length).toLowerCase();
  const script = isUuid(id) ? catalog.script(id) : undefined;
  const mayRun = async ({ directExecute, appId }: CatalogScript): Promise<boolean> =>
    directExecute === "public" || (principal !== null && mayExecute(principal, appId));
  if (script === undefined || script.liveVersion === null || !(await mayRun(script))) {
    throw new AppError(404, "not_found", "Script not found, or it needs a credential that may run it.");
  }
  if (script.kind === "module") {
    throw invalid(
      "compile_error",
      "This script is a module: it can be imported by other scripts, but not be run.",
    );
  }
  return directTarget(script, script.liveVersion, url, "http");
}

function isEmpty(record: Readonly<Record<string, string>>): boolean {
  for (const _ in record) return false;
  return true;
}
