/** Bindings from requests to scripts: what a pattern may look like, which two collide, which one answers. */
export { conflicts, findConflict } from "./conflict.ts";
export { isHostName, normaliseHost } from "./host-pattern.ts";
export { compileRoutes, type RouteMatch, type RouteTable } from "./match.ts";
export type { DispatchMode, HostKind, PathKind, RouteInput, RoutePattern } from "./model.ts";
export { parseRoute } from "./pattern.ts";
export type { RateLimit, RateLimitKey } from "./rate-limit.ts";
