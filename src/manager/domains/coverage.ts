import type { RoutePattern } from "../../services/routes/index.ts";
import type { Domain } from "./queries.ts";

/**
 * Whether the claims of an app cover the host of a route (CONTRACT 2.7): requests for that host could otherwise never
 * reach the app. A route for any host needs no claim.
 */
export function isCovered(
  route: Pick<RoutePattern, "hostKind" | "host">,
  claims: readonly Pick<Domain, "pattern" | "shape">[],
): boolean {
  return route.hostKind === "any" || claims.some((claim) => covers(claim, route));
}

function covers(
  claim: Pick<Domain, "pattern" | "shape">,
  route: Pick<RoutePattern, "hostKind" | "host">,
): boolean {
  if (claim.shape === "exact") return route.hostKind === "strict" && route.host === claim.pattern;
  /** `.example.com` */
  const suffix = claim.pattern.slice(claim.pattern.indexOf("."));
  if (route.hostKind === "wildcard") {
    const own = route.host.slice(1);
    return own === suffix || (claim.shape === "wildcard" && own.endsWith(suffix));
  }
  if (!route.host.endsWith(suffix)) return false;
  const label = route.host.slice(0, -suffix.length);
  return label !== "" && (claim.shape === "wildcard" || !label.includes("."));
}
