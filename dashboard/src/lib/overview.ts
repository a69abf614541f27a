import * as api from "./api.ts";
import type { App, Probe, Script, Version } from "./api.ts";

export interface AppStatus {
  readonly app: App;
  /** Null: could not be read. */
  readonly scripts: Script[] | null;
}

export interface Overview {
  readonly version: Version | null;
  readonly health: Probe;
  readonly readiness: Probe;
  readonly apps: AppStatus[];
  /** Why `apps` is incomplete, for the user; null when it is not. */
  readonly problem: string | null;
  /** When this was read, milliseconds since the Unix epoch. */
  readonly at: number;
}

/**
 * Reads everything the status page shows. One part that fails leaves the others standing.
 * @throws ApiError 401 when the login is over
 */
export async function readOverview(fetch: typeof globalThis.fetch): Promise<Overview> {
  let problem: string | null = null;
  const orNull = async <T>(work: Promise<T>): Promise<T | null> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.status === 401) throw error;
      problem ??= error.message;
      return null;
    }
  };
  const readApp = async (app: App): Promise<AppStatus> => {
    const scripts = await orNull(api.scripts(fetch, app));
    return { app, scripts: scripts && scripts.toSorted(byName) };
  };
  const readApps = async (): Promise<AppStatus[]> =>
    Promise.all(((await orNull(api.apps(fetch))) ?? []).toSorted(byName).map(readApp));

  const [version, health, readiness, apps] = await Promise.all([
    orNull(api.version(fetch)),
    api.probe(fetch, "/healthz"),
    api.probe(fetch, "/readyz"),
    readApps(),
  ]);
  return { version, health, readiness, apps, problem, at: Date.now() };
}

const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name, "en");
