import type { Route } from "./api.ts";

export interface Url {
  readonly method: string;
  readonly text: string;
  /** Set when a click can open it: a GET on a path without parameters. */
  readonly href: string | null;
}

/** The full URL of a route. @param base scheme and host that "any host" routes are shown with */
export function urlOf(route: Route, base: string): Url {
  const origin = new URL(base);
  const host =
    route.host_kind === "any"
      ? origin.host
      : route.host_kind === "wildcard"
        ? wildcard(route.host)
        : route.host;
  const path =
    route.path_kind === "prefix" && !route.path.endsWith("*")
      ? `${route.path.replace(/\/$/, "")}/*`
      : route.path;
  const text = `${origin.protocol}//${host}${path}`;
  const opens =
    route.path_kind === "exact" && route.host_kind !== "wildcard" && [null, "GET"].includes(route.method);
  return { method: route.method ?? "ANY", text, href: opens ? text : null };
}

function wildcard(host: string): string {
  return host.startsWith("*") || host.startsWith("{") ? host : `*.${host}`;
}
