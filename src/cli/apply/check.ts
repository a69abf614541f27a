import { conflicts, parseRoute, type RoutePattern } from "../../services/routes/index.ts";
import { AppError } from "../../shared/errors.ts";
import { CommandError } from "../command-error.ts";
import { diagnosticsText } from "../diagnostics.ts";
import { EXIT } from "../exit.ts";
import { compileLocally } from "../local.ts";
import { MANIFEST, type Manifest, type RouteEntry } from "./manifest.ts";

/** A route of the manifest, normalised as the server would. */
export interface WantedRoute {
  readonly script: string;
  readonly entry: RouteEntry;
  readonly pattern: RoutePattern;
}

/**
 * Finds what is wrong with a manifest by itself: sources that do not compile, routes that are none or that collide.
 * @returns its routes
 * @throws CommandError 5 with everything that was found
 */
export function checkManifest({ scripts }: Manifest): WantedRoute[] {
  const faults: string[] = [];
  const routes: WantedRoute[] = [];
  for (const { name, file, source, kind, routes: entries } of scripts) {
    const compiled = compileLocally(source);
    if (!compiled.ok) faults.push(diagnosticsText(file, compiled.diagnostics).trimEnd());
    if (kind === "module" && entries.length > 0) {
      faults.push(`${MANIFEST}: the script ${name} is a module; only an endpoint can be bound to a route.`);
    }
    for (const entry of entries) {
      const route = wantedRoute(name, entry);
      if (typeof route === "string") faults.push(route);
      else {
        const rival = routes.find((other) => conflicts(other.pattern, route.pattern));
        if (rival !== undefined) {
          faults.push(
            `${MANIFEST}: ${shownRoute(route.pattern)} of ${name} and ${shownRoute(rival.pattern)} of ${rival.script} claim the same requests.`,
          );
        }
        routes.push(route);
      }
    }
  }
  if (faults.length > 0) throw new CommandError(`Nothing was changed.\n${faults.join("\n")}`, EXIT.refused);
  return routes;
}

/** @returns what is wrong with it, as a text, if anything is */
function wantedRoute(script: string, entry: RouteEntry): WantedRoute | string {
  try {
    const pattern = parseRoute({
      path: entry.path,
      path_kind: entry.path_kind,
      method: entry.method,
      host: entry.host,
      dispatch_mode: entry.dispatch,
    });
    return { script, entry, pattern };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${MANIFEST}: a route of ${script}: ${error.message}`;
  }
}

/** A route as people write it. */
export function shownRoute({ host, method, path, pathKind }: RoutePattern): string {
  return `${method === null ? "" : `${method} `}${host}${path}${pathKind === "prefix" ? "*" : ""}`;
}
