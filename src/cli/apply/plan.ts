import { path } from "../client/api.ts";
import { asKept } from "./as-kept.ts";
import { shownRoute, type WantedRoute } from "./check.ts";
import type { Manifest, ManifestScript } from "./manifest.ts";
import { extraRoutes, refuseRivals, routeStep } from "./plan-routes.ts";
import { triggerSteps } from "./plan-triggers.ts";
import { patternOf, type Remote, type RemoteScript } from "./remote.ts";
import { differences, removal, step, type Step } from "./step.ts";

/**
 * What has to happen for an app to be what its manifest says, in the order in which it can happen. What the manifest
 * does not mention of a script or route stays as it is.
 * @param extra scripts that the manifest does not have, in the order in which they can be deleted
 * @param prune whether scripts and routes that the manifest does not have are deleted; else they are only told
 * @throws CommandError 5 for a route that collides with one that stays
 */
export function planOf(
  manifest: Manifest,
  routes: readonly WantedRoute[],
  remote: Remote | null,
  extra: readonly RemoteScript[],
  prune: boolean,
): Step[] {
  const unwanted = extraRoutes(routes, remote);
  if (!prune) refuseRivals(routes, unwanted);
  const { slug } = manifest.app;
  const { domains, settings } = asKept(manifest);
  const triggers = triggerSteps(slug, manifest.triggers, remote, prune);
  return [
    appStep(manifest, remote),
    ...settingsSteps(slug, settings, remote),
    ...domainSteps(slug, domains ?? [], remote),
    ...unwanted.map(({ route, script }) =>
      removal("route", `${shownRoute(patternOf(route))} of ${script}`, prune, path`/routes/${route.id}`),
    ),
    ...triggers.extra,
    // Modules first, so that what imports them finds them.
    ...manifest.scripts
      .toSorted((a, b) => Number(a.kind !== "module") - Number(b.kind !== "module"))
      .map((script) => scriptStep(slug, script, find(remote, script.name))),
    ...routes.map((route) => routeStep(route, find(remote, route.script))),
    ...triggers.wanted,
    ...extra.map(({ id, name }) => removal("script", name, prune, path`/scripts/${id}`)),
    // Last: as long as a route needs its host, the claim cannot go.
    ...extraDomains(domains, remote).map(({ id, pattern }) =>
      removal("domain", pattern, prune, path`/apps/${slug}/domains/${id}`),
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

function settingsSteps(app: string, settings: object, remote: Remote | null): Step[] {
  if (Object.keys(settings).length === 0) return [];
  const changes = remote === null ? null : differences(settings, remote.settings);
  return [
    step(
      "settings",
      app,
      changes,
      async (api) => void (await api.patch(path`/apps/${app}/settings`, settings)),
    ),
  ];
}

const domainSteps = (app: string, domains: readonly string[], remote: Remote | null): Step[] =>
  domains.map((pattern) => {
    const isThere = remote?.domains.some((domain) => domain.pattern === pattern) === true;
    return step(
      "domain",
      pattern,
      isThere ? [] : null,
      async (api) => void (await api.post(path`/apps/${app}/domains`, { pattern })),
    );
  });

/** Claims that the manifest does not have; one without a list says nothing about them. */
function extraDomains(domains: readonly string[] | undefined, remote: Remote | null): Remote["domains"] {
  if (domains === undefined || remote === null) return [];
  return remote.domains.filter(({ pattern }) => !domains.includes(pattern));
}

function scriptStep(app: string, script: ManifestScript, before: RemoteScript | undefined): Step {
  const { name, file: _file, routes: _routes, ...wanted } = script;
  const changes = before === undefined ? null : differences({ ...wanted, live: true }, before);
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
