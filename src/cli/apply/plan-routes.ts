import { conflicts, type RoutePattern } from "../../services/routes/index.ts";
import { path } from "../client/api.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { shownRoute, type WantedRoute } from "./check.ts";
import type { RouteEntry } from "./manifest.ts";
import { patternOf, type Remote, type RemoteRoute, type RemoteScript } from "./remote.ts";
import { differences, step, type Step } from "./step.ts";

/** @param owner its script, as the server has it */
export function routeStep({ script, entry, pattern }: WantedRoute, owner: RemoteScript | undefined): Step {
  const wanted = routeSettings(entry);
  const name = `${shownRoute(pattern)} of ${script}`;
  const before = owner?.routes.find((route) => isSame(route, pattern));
  if (before !== undefined) {
    return step(
      "route",
      name,
      differences(wanted, before),
      async (api) => void (await api.patch(path`/routes/${before.id}`, wanted)),
    );
  }
  const binding = {
    host_kind: pattern.hostKind,
    host: pattern.host,
    host_param_name: pattern.hostParamName,
    path_kind: pattern.pathKind,
    path: pattern.path,
    method: pattern.method,
  };
  return step("route", name, null, async (api, ids) => {
    await api.post(path`/scripts/${ids.get(script) ?? ""}/routes`, { ...binding, ...wanted });
  });
}

/** What a route has beside its binding, by the names of the API. */
const routeSettings = ({ dispatch, enabled, idempotent, rate_limit }: RouteEntry): object => ({
  ...(dispatch !== undefined && { dispatch_mode: dispatch }),
  ...(enabled !== undefined && { enabled }),
  ...(idempotent !== undefined && { idempotent }),
  ...(rate_limit === false && { rate_limit: null }),
  ...(typeof rate_limit === "object" && { rate_limit: lowerKey(rate_limit) }),
});

/** Names of headers are kept in lower case. */
export const lowerKey = (limit: unknown): unknown =>
  typeof limit === "object" && limit !== null && "key" in limit && typeof limit.key === "string"
    ? { ...limit, key: limit.key.toLowerCase() }
    : limit;

/** Whether two answer the same requests; whether the caller waits is a setting, which may change. */
const isSame = (route: RemoteRoute, pattern: RoutePattern): boolean =>
  Bun.deepEquals({ ...patternOf(route), dispatchMode: null }, { ...pattern, dispatchMode: null });

export interface ExtraRoute {
  readonly script: string;
  readonly route: RemoteRoute;
}

/** Routes of the server that the manifest does not have. */
export const extraRoutes = (routes: readonly WantedRoute[], remote: Remote | null): ExtraRoute[] =>
  (remote?.scripts ?? []).flatMap(({ name, routes: own }) =>
    own
      .filter((route) => !routes.some((wanted) => wanted.script === name && isSame(route, wanted.pattern)))
      .map((route) => ({ script: name, route })),
  );

/** @throws CommandError 5 for a route that collides with one that stays */
export function refuseRivals(routes: readonly WantedRoute[], staying: readonly ExtraRoute[]): void {
  for (const { script, pattern } of routes) {
    const rival = staying.find(({ route }) => conflicts(patternOf(route), pattern));
    if (rival === undefined) continue;
    throw new CommandError(
      `Nothing was changed. The route ${shownRoute(pattern)} of ${script} collides with ` +
        `${shownRoute(patternOf(rival.route))} of ${rival.script}, which the server has and the manifest has not. ` +
        "--prune deletes what the manifest does not have.",
      EXIT.refused,
    );
  }
}
