import { normaliseHost, type RoutePattern } from "../../services/routes/index.ts";
import type { ManagerContext } from "../context.ts";
import { domainsOf } from "../domains/queries.ts";
import { patternOf } from "../routes/model.ts";
import type { Route } from "../routes/queries.ts";
import { shownPath } from "../routes/rules.ts";

/**
 * Where the routes of a script answer, as complete addresses; parameters and wildcards stay as they are written.
 * @param origin `http://host:port` as the client addressed us; PICLOUD_PUBLIC_BASE_URL wins over it
 */
export async function urlsOf(
  context: ManagerContext,
  appId: string,
  routes: readonly Route[],
  origin: string,
): Promise<string[]> {
  const enabled = routes.filter((route) => route.enabled).map(patternOf);
  if (enabled.length === 0) return [];
  const base = baseOf(context, origin);
  const anyHosts = enabled.some((route) => route.hostKind === "any")
    ? await hostsOf(context, appId, base)
    : [];
  const urls = enabled.flatMap((route) =>
    (route.hostKind === "any" ? anyHosts : [at(base, route.host)]).map((host) => `${host}${pathIn(route)}`),
  );
  return [...new Set(urls)];
}

/** Under which addresses an app answers; see `urlsOf`. */
export const originsOf = (context: ManagerContext, appId: string, origin: string): Promise<string[]> =>
  hostsOf(context, appId, baseOf(context, origin));

function baseOf(context: ManagerContext, origin: string): string {
  const configured = context.config.publicBaseUrl.replace(/\/+$/, "");
  return URL.canParse(configured) ? configured : origin;
}

/** The addresses under which an app answers: the base when it leads there, else those that it claims. */
async function hostsOf(context: ManagerContext, appId: string, base: string): Promise<string[]> {
  if (context.appOfHost(normaliseHost(new URL(base).host)) === appId) return [base];
  return (await domainsOf(context.db, appId)).map((claim) => at(base, claim.pattern));
}

/** Another host under the base's scheme and port. */
function at(base: string, host: string): string {
  const { protocol, port } = new URL(base);
  return `${protocol}//${host}${port === "" ? "" : `:${port}`}`;
}

const pathIn = (route: RoutePattern): string => encodeURI(shownPath(route));
