import { ApiError } from "../client/api-error.ts";
import { path, type Api } from "../client/api.ts";
import type { Script } from "../client/names.ts";
import type { RoutePattern } from "../../services/routes/index.ts";

export interface RemoteApp {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
}

export interface RemoteRoute {
  readonly id: string;
  readonly script_id: string;
  readonly host_kind: RoutePattern["hostKind"];
  readonly host: string;
  readonly host_param_name: string | null;
  readonly path_kind: RoutePattern["pathKind"];
  readonly path: string;
  readonly method: string | null;
  readonly dispatch_mode: RoutePattern["dispatchMode"];
  readonly enabled: boolean;
  readonly rate_limit?: unknown;
  readonly idempotent?: boolean;
}

export interface RemoteScript extends Script {
  readonly routes: readonly RemoteRoute[];
}

export interface RemoteTrigger {
  readonly id: string;
  readonly script_name: string;
  readonly kind: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the server has of an app. */
export interface Remote {
  readonly app: RemoteApp;
  readonly scripts: readonly RemoteScript[];
  readonly domains: readonly { readonly id: string; readonly pattern: string }[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly triggers: readonly RemoteTrigger[];
}

/** @returns null when there is no such app @param wanted whether settings and triggers are of interest */
export async function readRemote(
  api: Api,
  slug: string,
  wanted: { readonly settings: boolean; readonly triggers: boolean },
): Promise<Remote | null> {
  const app = await orNull(api.get<RemoteApp>(path`/apps/${slug}`));
  if (app === null) return null;
  const [scripts, domains, settings, triggers] = await Promise.all([
    api.get<readonly Script[]>(path`/scripts?app=${app.id}`),
    api.get<Remote["domains"]>(path`/apps/${app.id}/domains`),
    wanted.settings ? api.get<Readonly<Record<string, unknown>>>(path`/apps/${app.id}/settings`) : {},
    wanted.triggers ? api.get<readonly RemoteTrigger[]>(path`/apps/${app.id}/triggers`) : [],
  ]);
  return {
    app,
    domains,
    settings,
    triggers,
    scripts: await Promise.all(
      scripts.map(async (script) => ({
        ...script,
        routes: await api.get<readonly RemoteRoute[]>(path`/scripts/${script.id}/routes`),
      })),
    ),
  };
}

/** Null instead of 404. */
export async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export const patternOf = (route: RemoteRoute): RoutePattern => ({
  hostKind: route.host_kind,
  host: route.host,
  hostParamName: route.host_param_name,
  pathKind: route.path_kind,
  path: route.path,
  method: route.method,
  dispatchMode: route.dispatch_mode,
});
