import type { Catalog } from "../services/catalog/index.ts";
import type { RequestUrl } from "./request-url.ts";

/** Seconds for which a browser need not ask again. */
const MAX_AGE = "600";
/** What pages may read of an answer besides its body. */
const EXPOSED =
  "X-Request-Id, X-Execution-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Idempotent-Replayed";

/** The value of Access-Control-Allow-Origin for a request; null: its page may not read the answer, or it has none. */
export function allowedOrigin({ headers }: Request, origins: readonly string[]): string | null {
  if (origins.length === 0) return null;
  const origin = headers.get("origin");
  if (origin === null) return null;
  if (origins.includes("*")) return "*";
  return origins.includes(origin) ? origin : null;
}

/** Lets the page read an answer, unless the script has said who may. */
export function allowOrigin(response: Response, origin: string): void {
  const { headers } = response;
  if (headers.has("access-control-allow-origin")) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
  if (origin !== "*") headers.append("vary", "Origin");
}

/**
 * The answer to a browser that asks whether it may send a request (Fetch standard, CORS-preflight). Null: it is no such
 * question, the app allows no origin, or a route of the app is for OPTIONS.
 */
export function preflight(catalog: Catalog, request: Request, url: RequestUrl): Response | null {
  const method = request.headers.get("access-control-request-method");
  if (request.method !== "OPTIONS" || method === null) return null;
  const { app, host } = catalog.resolveApp(url.host);
  const origin = app === null ? null : allowedOrigin(request, app.settings.corsOrigins);
  if (app === null || origin === null) return null;
  if (catalog.route(app.id, "OPTIONS", host, url.path)?.route.method === "OPTIONS") return null;
  if (catalog.route(app.id, method, host, url.path) === null) return null;
  const headers = new Headers({
    "access-control-allow-origin": origin,
    "access-control-allow-methods": method,
    "access-control-max-age": MAX_AGE,
    vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
  });
  const asked = request.headers.get("access-control-request-headers");
  if (asked !== null) headers.set("access-control-allow-headers", asked);
  return new Response(null, { status: 204, headers });
}
