import type { Queryable } from "../../database/client.ts";
import type { DispatchMode, HostKind, PathKind, RateLimit } from "../routes/index.ts";
import type { StoredAppSettings } from "./app-settings.ts";
import type { DomainShape } from "./domains.ts";

export interface CatalogRow {
  readonly id: string;
  readonly slug: string;
  readonly version: number | bigint;
  readonly settings: StoredAppSettings;
  readonly domains: readonly { readonly pattern: string; readonly shape: DomainShape }[];
  readonly routes: readonly {
    readonly id: string;
    readonly scriptId: string;
    readonly hostKind: HostKind;
    readonly host: string;
    readonly hostParamName: string | null;
    readonly pathKind: PathKind;
    readonly path: string;
    readonly method: string | null;
    readonly dispatchMode: DispatchMode;
    readonly rateLimit: RateLimit | null;
    readonly idempotent: boolean;
  }[];
  readonly scripts: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: "endpoint" | "module";
    readonly directExecute: "members" | "public";
    readonly liveVersion: number | null;
    readonly timeoutSeconds: number | null;
    readonly memoryLimitMb: number | null;
    readonly sandbox: Readonly<Record<string, unknown>> | null;
  }[];
}

/**
 * Everything that the data plane must know of some apps, or of all. One statement, so that what it answers is one
 * snapshot and belongs to the version that stands in it.
 */
export function readCatalog(db: Queryable, appIds: readonly string[] | null): Promise<CatalogRow[]> {
  const which = appIds === null ? db`true` : db`a.id = any(${appIds as string[]}::uuid[])`;
  return db<CatalogRow[]>`
    select a.id, a.slug, a.catalog_version as version, a.settings,
      (select coalesce(jsonb_agg(jsonb_build_object('pattern', d.pattern, 'shape', d.shape)), '[]')
         from app_domains d where d.app_id = a.id) as domains,
      (select coalesce(jsonb_agg(jsonb_build_object(
           'id', r.id, 'scriptId', r.script_id, 'hostKind', r.host_kind, 'host', r.host,
           'hostParamName', r.host_param_name, 'pathKind', r.path_kind, 'path', r.path, 'method', r.method,
           'dispatchMode', r.dispatch_mode, 'idempotent', r.idempotent,
           'rateLimit', case when r.rate_limit is not null then jsonb_build_object(
             'requests', r.rate_limit->'requests', 'windowSeconds', r.rate_limit->'window_seconds',
             'key', r.rate_limit->'key') end) order by r.created_at, r.id), '[]')
         from routes r where r.app_id = a.id and r.enabled) as routes,
      (select coalesce(jsonb_agg(jsonb_build_object(
           'id', s.id, 'name', s.name, 'kind', s.kind, 'directExecute', s.direct_execute,
           'liveVersion', s.live_version, 'timeoutSeconds', v.timeout_seconds,
           'memoryLimitMb', v.memory_limit_mb, 'sandbox', v.sandbox)), '[]')
         from scripts s
         left join script_versions v
           on v.app_id = s.app_id and v.script_id = s.id and v.version = s.live_version
        where s.app_id = a.id) as scripts
    from apps a
    where ${which}`;
}

/** The source text of one version; null when there is none. */
export async function readSource(
  db: Queryable,
  appId: string,
  scriptId: string,
  version: number,
): Promise<string | null> {
  const [row] = await db<{ source: string }[]>`
    select source from script_versions
    where app_id = ${appId} and script_id = ${scriptId} and version = ${version}`;
  return row?.source ?? null;
}
