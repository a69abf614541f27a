import type { PathKind } from "./model.ts";

/** Subtrees that PiCloud keeps for itself, with their bare names (`/api` like `/api/`). */
const SUBTREES = ["/api/", "/admin/", "/realtime/", "/.well-known/acme-challenge/"];

/** Single paths. */
const PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/version", "/metrics"]);

/**
 * Whether a binding lies in what PiCloud keeps for itself (CONTRACT 2.1). A catch-all such as `/*` is allowed: it
 * covers reserved paths, but they are served before any route is looked at.
 */
export function isReserved(path: string, kind: PathKind): boolean {
  if (SUBTREES.some((subtree) => path.startsWith(subtree) || `${path}/` === subtree)) return true;
  return kind !== "prefix" && PATHS.has(path);
}
