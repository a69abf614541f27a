import { Type, type Static } from "@sinclair/typebox";
import type { RoutePattern } from "../../services/routes/index.ts";
import { strict } from "../http/module.ts";
import type { Route } from "./queries.ts";

const HostKind = Type.Union([Type.Literal("any"), Type.Literal("strict"), Type.Literal("wildcard")]);
const PathKind = Type.Union([Type.Literal("exact"), Type.Literal("prefix"), Type.Literal("param")]);
const DispatchMode = Type.Union([Type.Literal("sync"), Type.Literal("async")]);
const nullableText = (maxLength: number) => Type.Union([Type.String({ maxLength }), Type.Null()]);

/** What a binding is made of; everything but the path may be left out. */
const INPUT_FIELDS = {
  host_kind: Type.Optional(HostKind),
  host: Type.Optional(Type.String({ maxLength: 300 })),
  host_param_name: Type.Optional(nullableText(64)),
  path_kind: Type.Optional(PathKind),
  path: Type.String({ minLength: 1, maxLength: 2048 }),
  method: Type.Optional(nullableText(32)),
  dispatch_mode: Type.Optional(DispatchMode),
};

export const RateLimit = strict({
  requests: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  window_seconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
  key: Type.String({
    pattern: "^(ip|principal|app|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})$",
    description: '"ip", "principal", "app" or "header:<name>"',
  }),
});
export type RateLimit = Static<typeof RateLimit>;

/** What a route has beside its binding. */
const SETTINGS = {
  enabled: Type.Boolean(),
  rate_limit: Type.Union([RateLimit, Type.Null()]),
  idempotent: Type.Boolean(),
};
const RouteSettings = Type.Object(SETTINGS);
export type RouteSettings = Readonly<Static<typeof RouteSettings>>;

export const NEW_ROUTE: RouteSettings = { enabled: true, rate_limit: null, idempotent: false };

const OPTIONAL_SETTINGS = Type.Partial(RouteSettings).properties;

export const RouteBody = strict({ ...INPUT_FIELDS, ...OPTIONAL_SETTINGS });
export type RouteBody = Static<typeof RouteBody>;

export const RoutePatch = strict({
  ...INPUT_FIELDS,
  path: Type.Optional(INPUT_FIELDS.path),
  ...OPTIONAL_SETTINGS,
});
export type RoutePatch = Static<typeof RoutePatch>;

const NORMALISED_FIELDS = {
  host_kind: HostKind,
  host: Type.String(),
  host_param_name: Type.Union([Type.String(), Type.Null()]),
  path_kind: PathKind,
  path: Type.String(),
  method: Type.Union([Type.String(), Type.Null()]),
  dispatch_mode: DispatchMode,
};

export const RouteDTO = strict({
  id: Type.String(),
  app_id: Type.String(),
  script_id: Type.String(),
  ...NORMALISED_FIELDS,
  ...SETTINGS,
  created_at: Type.String(),
});
export type RouteDTO = Static<typeof RouteDTO>;

/** A route as it is told to somebody who wanted the same: with the name of its script. */
export const ConflictDTO = strict({ ...RouteDTO.properties, script_name: Type.String() });
export type ConflictDTO = Static<typeof ConflictDTO>;

export const CheckBody = strict({ app_id: Type.String(), ...INPUT_FIELDS });
export type CheckBody = Static<typeof CheckBody>;

export const CheckAnswer = strict({
  ok: Type.Boolean(),
  normalized: strict(NORMALISED_FIELDS),
  conflict: Type.Optional(ConflictDTO),
});

export const MatchBody = strict({
  app_id: Type.String(),
  url: Type.String({ minLength: 1, maxLength: 4096, description: "a URL or a path" }),
  method: Type.Optional(Type.String({ maxLength: 32 })),
});
export type MatchBody = Static<typeof MatchBody>;

export const MatchAnswer = strict({
  matched: Type.Boolean(),
  route: Type.Optional(RouteDTO),
  script_id: Type.Optional(Type.String()),
  params: Type.Record(Type.String(), Type.String()),
});

export const RoutePath = Type.Object({ route_id: Type.String() });

/** The settings that a request asks for, over those that are there. */
export const settingsOf = (input: RoutePatch, base: RouteSettings): RouteSettings => ({
  enabled: input.enabled ?? base.enabled,
  rate_limit: input.rate_limit === undefined ? base.rate_limit : normalisedLimit(input.rate_limit),
  idempotent: input.idempotent ?? base.idempotent,
});

/** Names of headers are compared in lower case. */
const normalisedLimit = (limit: RateLimit | null): RateLimit | null =>
  limit === null ? null : { ...limit, key: limit.key.toLowerCase() };

/** The binding of a stored route. */
export const patternOf = (route: Route): RoutePattern => ({
  hostKind: route.host_kind,
  host: route.host,
  hostParamName: route.host_param_name,
  pathKind: route.path_kind,
  path: route.path,
  method: route.method,
  dispatchMode: route.dispatch_mode,
});

export const normalised = (pattern: RoutePattern) => ({
  host_kind: pattern.hostKind,
  host: pattern.host,
  host_param_name: pattern.hostParamName,
  path_kind: pattern.pathKind,
  path: pattern.path,
  method: pattern.method,
  dispatch_mode: pattern.dispatchMode,
});

export const routeDTO = (route: Route): RouteDTO => ({
  id: route.id,
  app_id: route.app_id,
  script_id: route.script_id,
  ...normalised(patternOf(route)),
  enabled: route.enabled,
  rate_limit: route.rate_limit,
  idempotent: route.idempotent,
  created_at: route.created_at.toISOString(),
});

/** A route as the audit log compares it. */
export const auditedRoute = (
  scriptId: string,
  pattern: RoutePattern,
  { enabled, rate_limit, idempotent }: RouteSettings,
) => ({ script_id: scriptId, ...normalised(pattern), enabled, rate_limit, idempotent });

/** A route as the audit log names it. */
export const routeTarget = (id: string, pattern: RoutePattern) => ({
  kind: "route",
  id,
  name: `${pattern.method ?? "ANY"} ${pattern.host}${shownPath(pattern)}`,
});

/** A path as people write it: a prefix ends with a star. */
export const shownPath = (pattern: Pick<RoutePattern, "path" | "pathKind">): string =>
  pattern.pathKind === "prefix" ? `${pattern.path}*` : pattern.path;

export const conflictDTO = (route: Route): ConflictDTO => ({
  ...routeDTO(route),
  script_name: route.script_name,
});
