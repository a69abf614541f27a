import { normaliseHost, type RoutePattern } from "../../services/routes/index.ts";
import type { ManagerContext } from "../context.ts";
import { domainsOf } from "../domains/queries.ts";
import { patternOf, shownPath } from "../routes/model.ts";
import { routesOfScripts, type Route } from "../routes/queries.ts";
import type { Script } from "./queries.ts";

/** Where the routes of several scripts answer, by the scripts' ids; see `urlsOf`. */
export async function urlsOfScripts(
  context: ManagerContext,
  scripts: readonly Pick<Script, "app_id" | "id">[],
  origin: string,
): Promise<Map<string, string[]>> {
  const routes = scripts.length === 0 ? [] : await routesOfScripts(context.db, scripts);
  const byApp = Map.groupBy(routes, (route) => route.app_id);
  const urls = new Map<string, string[]>();
  for (const [appId, ofApp] of byApp) {
    const hosts = await hostsFor(context, appId, ofApp, origin);
    for (const [id, own] of Map.groupBy(ofApp, (route) => route.script_id))
      urls.set(id, addresses(own, hosts));
  }
  return urls;
}

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
  return addresses(routes, await hostsFor(context, appId, routes, origin));
}

interface Hosts {
  /** Scheme and port of every address. */
  readonly base: string;
  /** Of routes for any host. */
  readonly any: readonly string[];
}

async function hostsFor(
  context: ManagerContext,
  appId: string,
  routes: readonly Route[],
  origin: string,
): Promise<Hosts> {
  const base = baseOf(context, origin);
  const asked = routes.some((route) => route.enabled && route.host_kind === "any");
  return { base, any: asked ? await hostsOf(context, appId, base) : [] };
}

function addresses(routes: readonly Route[], { base, any }: Hosts): string[] {
  const urls = routes
    .filter((route) => route.enabled)
    .map(patternOf)
    .flatMap((route) =>
      (route.hostKind === "any" ? any : [at(base, route.host)]).map((host) => `${host}${pathIn(route)}`),
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
  if (context.resolveHost(normaliseHost(new URL(base).host)).appId === appId) return [base];
  return (await domainsOf(context.db, appId)).map((claim) => at(base, claim.pattern));
}

/** Another host under the base's scheme and port. */
function at(base: string, host: string): string {
  const { protocol, port } = new URL(base);
  return `${protocol}//${host}${port === "" ? "" : `:${port}`}`;
}

const pathIn = (route: RoutePattern): string => encodeURI(shownPath(route));
