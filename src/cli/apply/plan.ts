import { conflicts } from "../../services/routes/index.ts";
import { path, type Api } from "../client/api.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { shownRoute, type WantedRoute } from "./check.ts";
import type { Manifest, ManifestScript, RouteEntry } from "./manifest.ts";
import { patternOf, type Remote, type RemoteRoute, type RemoteScript } from "./remote.ts";

/** One line of a plan. */
export interface Step {
  readonly action: "create" | "update" | "delete" | "unchanged" | "keep";
  readonly kind: "app" | "settings" | "domain" | "script" | "route";
  readonly name: string;
  /** Names of what differs. */
  readonly changes: readonly string[];
  /** Makes it so; null: there is nothing to do. */
  readonly apply: ((api: Api, ids: ScriptIds) => Promise<void>) | null;
}

/** Ids of scripts by their names; those that a plan creates come in as it is carried out. */
export type ScriptIds = Map<string, string>;

/**
 * What has to happen for an app to be what its manifest says, in the order in which it can happen. What the manifest
 * does not mention of a script or route stays as it is.
 * @param prune whether scripts and routes that the manifest does not have are deleted; else they are only told
 * @throws CommandError 5 for a route that collides with one that stays
 */
export function planOf(
  manifest: Manifest,
  routes: readonly WantedRoute[],
  remote: Remote | null,
  prune: boolean,
): Step[] {
  const extra = extraRoutes(routes, remote);
  if (!prune) refuseRivals(routes, extra);
  return [
    appStep(manifest, remote),
    ...settingsSteps(manifest, remote),
    ...domainSteps(manifest, remote),
    ...extra.map(({ route, script }) =>
      removal("route", `${shownRoute(patternOf(route))} of ${script}`, prune, path`/routes/${route.id}`),
    ),
    // Modules first, so that what imports them finds them.
    ...manifest.scripts
      .toSorted((a, b) => Number(a.kind !== "module") - Number(b.kind !== "module"))
      .map((script) => scriptStep(manifest.app.slug, script, find(remote, script.name))),
    ...routes.map((route) => routeStep(route, find(remote, route.script))),
    ...(remote?.scripts ?? [])
      .filter(({ name }) => !manifest.scripts.some((script) => script.name === name))
      .map(({ id, name }) => removal("script", name, prune, path`/scripts/${id}`)),
    // Last: as long as a route needs its host, the claim cannot go.
    ...extraDomains(manifest, remote).map(({ id, pattern }) =>
      removal("domain", pattern, prune, path`/apps/${manifest.app.slug}/domains/${id}`),
    ),
  ];
}

const find = (remote: Remote | null, name: string): RemoteScript | undefined =>
  remote?.scripts.find((script) => script.name === name);

const step = (
  kind: Step["kind"],
  name: string,
  changes: readonly string[] | null,
  apply: NonNullable<Step["apply"]>,
): Step => {
  if (changes === null) return { action: "create", kind, name, changes: [], apply };
  return changes.length === 0
    ? { action: "unchanged", kind, name, changes, apply: null }
    : { action: "update", kind, name, changes, apply };
};

const removal = (kind: Step["kind"], name: string, prune: boolean, target: string): Step => ({
  action: prune ? "delete" : "keep",
  kind,
  name,
  changes: [],
  apply: prune ? (api) => api.remove(target) : null,
});

function appStep({ app }: Manifest, remote: Remote | null): Step {
  const { slug, name = slug, description = "" } = app;
  if (remote === null) {
    return step(
      "app",
      slug,
      null,
      async (api) => void (await api.post("/apps", { slug, name, description })),
    );
  }
  const wanted = {
    ...(app.name !== undefined && { name }),
    ...(app.description !== undefined && { description }),
  };
  const changes = differences(wanted, remote.app);
  return step(
    "app",
    slug,
    changes,
    async (api) => void (await api.patch(path`/apps/${remote.app.id}`, wanted)),
  );
}

function settingsSteps({ app, settings: written }: Manifest, remote: Remote | null): Step[] {
  const settings = Object.fromEntries(
    Object.entries(written).map(([name, value]) => [name, setting(name, value)]),
  );
  if (Object.keys(settings).length === 0) return [];
  const changes = remote === null ? null : differences(settings, remote.settings);
  return [
    step(
      "settings",
      app.slug,
      changes,
      async (api) => void (await api.patch(path`/apps/${app.slug}/settings`, settings)),
    ),
  ];
}

function domainSteps({ app }: Manifest, remote: Remote | null): Step[] {
  return (app.domains ?? []).map((text) => {
    const pattern = text.toLowerCase();
    const isThere = remote?.domains.some((domain) => domain.pattern === pattern) === true;
    return step(
      "domain",
      pattern,
      isThere ? [] : null,
      async (api) => void (await api.post(path`/apps/${app.slug}/domains`, { pattern })),
    );
  });
}

/** Claims that the manifest does not have; one without a list says nothing about them. */
function extraDomains({ app: { domains } }: Manifest, remote: Remote | null): Remote["domains"] {
  if (domains === undefined || remote === null) return [];
  const wanted = new Set(domains.map((text) => text.toLowerCase()));
  return remote.domains.filter(({ pattern }) => !wanted.has(pattern));
}

function scriptStep(app: string, script: ManifestScript, before: RemoteScript | undefined): Step {
  const { name, file: _file, routes: _routes, ...wanted } = script;
  const changes = before === undefined ? null : differences(wanted, before);
  return step("script", name, changes, async (api, ids) => {
    const saved = await api.put<{ readonly script: { readonly id: string } }>(
      path`/apps/${app}/scripts/${name}`,
      {
        json: wanted,
        // Whoever saves in between is not overwritten.
        ...(before !== undefined && { headers: { "If-Match": `"${before.version}"` } }),
      },
    );
    ids.set(name, saved.script.id);
  });
}

function routeStep({ script, entry, pattern }: WantedRoute, owner: RemoteScript | undefined): Step {
  const wanted = routeSettings(entry);
  const name = `${shownRoute(pattern)} of ${script}`;
  const before = owner?.routes.find((route) => isSame(route, { pattern }));
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

/** TOML has no null: `false` stands for it where it can mean nothing else. */
const setting = (name: string, value: unknown): unknown => {
  if (value === false && name !== "expose_errors") return null;
  return name === "rate_limit" ? lowerKey(value) : value;
};

/** Names of headers are kept in lower case. */
const lowerKey = (limit: unknown): unknown =>
  typeof limit === "object" && limit !== null && "key" in limit && typeof limit.key === "string"
    ? { ...limit, key: limit.key.toLowerCase() }
    : limit;

/** What a route has beside its binding, by the names of the API. */
const routeSettings = ({ dispatch, enabled, idempotent, rate_limit }: RouteEntry): object => ({
  ...(dispatch !== undefined && { dispatch_mode: dispatch }),
  ...(enabled !== undefined && { enabled }),
  ...(idempotent !== undefined && { idempotent }),
  ...(rate_limit === false && { rate_limit: null }),
  ...(typeof rate_limit === "object" && { rate_limit: lowerKey(rate_limit) }),
});

/** Members that are wanted otherwise than they are. */
const differences = (wanted: object, actual: object): string[] =>
  Object.entries(wanted)
    .filter(([name, value]) => !Bun.deepEquals(value, Reflect.get(actual, name)))
    .map(([name]) => name);

const isSame = (route: RemoteRoute, { pattern }: Pick<WantedRoute, "pattern">): boolean =>
  route.host_kind === pattern.hostKind &&
  route.host === pattern.host &&
  route.host_param_name === pattern.hostParamName &&
  route.path_kind === pattern.pathKind &&
  route.path === pattern.path &&
  route.method === pattern.method;

interface ExtraRoute {
  readonly script: string;
  readonly route: RemoteRoute;
}

/** Routes of the server that the manifest does not have. */
const extraRoutes = (routes: readonly WantedRoute[], remote: Remote | null): ExtraRoute[] =>
  (remote?.scripts ?? []).flatMap(({ name, routes: own }) =>
    own
      .filter((route) => !routes.some((wanted) => wanted.script === name && isSame(route, wanted)))
      .map((route) => ({ script: name, route })),
  );

function refuseRivals(routes: readonly WantedRoute[], staying: readonly ExtraRoute[]): void {
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
