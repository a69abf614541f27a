import type { RoutePattern } from "./model.ts";

/**
 * Whether two bindings of one app would claim the same requests (CONTRACT 2.8): only within the same host, the same
 * kind of path and the same method (null counts as a value: a route with a method coexists with one for any method
 * and beats it). Exact and prefix paths conflict when their text is equal, param paths when they have as many
 * segments and equal literals wherever both are literal.
 */
export function conflicts(a: RoutePattern, b: RoutePattern): boolean {
  if (a.pathKind !== b.pathKind || a.method !== b.method) return false;
  if (a.hostKind !== b.hostKind || a.host !== b.host) return false;
  return a.pathKind === "param" ? overlap(a.path, b.path) : a.path === b.path;
}

/** The first of `existing` that conflicts with `route`. */
export function findConflict<R extends RoutePattern>(
  route: RoutePattern,
  existing: Iterable<R>,
): R | undefined {
  for (const other of existing) if (conflicts(route, other)) return other;
  return undefined;
}

function overlap(a: string, b: string): boolean {
  const left = a.split("/");
  const right = b.split("/");
  if (left.length !== right.length) return false;
  return left.every((segment, index) => {
    const other = right[index] ?? "";
    return segment === other || segment.startsWith(":") || other.startsWith(":");
  });
}
