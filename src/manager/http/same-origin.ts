import { AppError } from "../../shared/errors.ts";
import type { Authentication } from "../../services/identity/index.ts";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses changes that another site makes a browser send. Cookies are sent by browsers by themselves, so the request
 * must prove that it comes from our own pages; Basic credentials may be, so it must not show the opposite. A bearer
 * token or an API key is only ever sent on purpose.
 * @param origin `http://host:port` as the client addressed us
 * @throws AppError 403 `cross_origin`
 */
export function checkSameOrigin(request: Request, origin: string, authentication: Authentication): void {
  if (authentication.kind === "bearer" || authentication.kind === "key" || SAFE_METHODS.has(request.method))
    return;
  const same = cameFromHere(request.headers, origin);
  if (same === true || (same === undefined && authentication.kind === "basic")) return;
  throw crossOrigin();
}

/** Refuses what the page of another site makes a browser send, cookie and all. @throws AppError 403 `cross_origin` */
export function refuseForeignPage(request: Request, origin: string): void {
  if (cameFromHere(request.headers, origin) === false) throw crossOrigin();
}

const crossOrigin = (): AppError =>
  new AppError(
    403,
    "cross_origin",
    "A change that is authorised by a login cookie must come from this server's own pages. Use a bearer token instead.",
  );

/** Undefined: the request does not tell. */
function cameFromHere(headers: Headers, origin: string): boolean | undefined {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" || site === "none";
  const from = headers.get("origin");
  if (from === null) return undefined;
  // Hosts are compared, not schemes: behind a proxy that ends TLS we may not know ours.
  return URL.canParse(from) && URL.canParse(origin) && new URL(from).host === new URL(origin).host;
}
