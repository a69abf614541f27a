import { path } from "../client/api.ts";
import { shownRoute, type WantedRoute } from "./check.ts";
import type { Manifest, ManifestScript } from "./manifest.ts";
import { extraRoutes, lowerKey, refuseRivals, routeStep } from "./plan-routes.ts";
import { patternOf, type Remote, type RemoteScript } from "./remote.ts";
import { differences, removal, step, type Step } from "./step.ts";

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
      // Modules last: what is imported cannot go.
      .toSorted((a, b) => Number(a.kind === "module") - Number(b.kind === "module"))
      .map(({ id, name }) => removal("script", name, prune, path`/scripts/${id}`)),
    // Last: as long as a route needs its host, the claim cannot go.
    ...extraDomains(manifest, remote).map(({ id, pattern }) =>
      removal("domain", pattern, prune, path`/apps/${manifest.app.slug}/domains/${id}`),
    ),
  ];
}

const find = (remote: Remote | null, name: string): RemoteScript | undefined =>
  remote?.scripts.find((script) => script.name === name);

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

/** TOML has no null: `false` stands for it where it can mean nothing else. */
const setting = (name: string, value: unknown): unknown => {
  if (value === false && name !== "expose_errors") return null;
  return name === "rate_limit" ? lowerKey(value) : value;
};
