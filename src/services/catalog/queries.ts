import type { Queryable } from "../../database/client.ts";
import type { DispatchMode, HostKind, PathKind, RateLimit } from "../routes/index.ts";
import type { StoredAppSettings } from "./app-settings.ts";
import type { DomainShape } from "./domains.ts";

/** What of an app has changed since it was last read; everything, when it never was. */
export interface CatalogRow {
  readonly id: string;
  readonly slug: string;
  readonly version: number | bigint;
  readonly settings: StoredAppSettings;
  readonly emits: boolean;
  readonly pausedUntil: number | null;
  /** Give this as `since` the next time. */
  readonly horizon: string;
  readonly domains: readonly { readonly pattern: string; readonly shape: DomainShape }[];
  readonly routes: readonly {
    readonly id: string;
    readonly scriptId: string;
    readonly enabled: boolean;
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
    readonly imports: readonly string[] | null;
  }[];
  /** Scripts and routes that were deleted since. */
  readonly deletedIds: readonly string[];
  /** All that there are now, when not all that were deleted are known; else null. */
  readonly scriptIds: readonly string[] | null;
  readonly routeIds: readonly string[] | null;
}

/** Everything that the data plane must know of some apps, or of all. */
export function readApps(db: Queryable, appIds: readonly string[] | null): Promise<CatalogRow[]> {
  return read(db, {
    wanted:
      appIds === null
        ? db`select id from apps`
        : db`select id from unnest(${appIds as string[]}::uuid[]) as wanted(id)`,
    changed: () => db`true`,
    deleted: db`false`,
    forgotten: db`false`,
  });
}

/**
 * What of that has changed since the apps were last read. Each row names the transaction that changed it last (triggers
 * see to that). A snapshot sees the end of all transactions below its `xmin`, so what changed in those at or above it is
 * read again the next time: nothing is missed, in whatever order transactions commit. Rows that name transactions which
 * this database has not had yet come from another one (a restored dump), and have not changed since.
 * @param since by app id, the `horizon` of the last reading
 */
export function readChanges(db: Queryable, since: ReadonlyMap<string, string>): Promise<CatalogRow[]> {
  return read(db, {
    wanted: db`
      select id, since::xid8
      from unnest(${[...since.keys()]}::uuid[], ${[...since.values()]}::text[]) as known(id, since)`,
    changed: (row) => db`${db(row)}.changed_in >= w.since and ${db(row)}.changed_in < now.xmax`,
    deleted: db`d.changed_in >= w.since and d.changed_in < now.xmax`,
    forgotten: db`a.forgotten_in >= w.since and a.forgotten_in < now.xmax`,
  });
}

type Fragment = ReturnType<Queryable>;

/** One statement, so that what it answers is one snapshot and belongs to the version that stands in it. */
function read(
  db: Queryable,
  which: {
    /** Apps as `w`. */
    readonly wanted: Fragment;
    readonly changed: (row: "r" | "s") => Fragment;
    /** Of catalog_deletions as `d`. */
    readonly deleted: Fragment;
    /** Whether deletions are missing there. */
    readonly forgotten: Fragment;
  },
): Promise<CatalogRow[]> {
  return db<CatalogRow[]>`
    with now as (
      select pg_snapshot_xmin(snapshot) as xmin, pg_snapshot_xmax(snapshot) as xmax
      from pg_current_snapshot() as snapshot)
    select a.id, a.slug, a.catalog_version as version, a.settings,
      exists (select from triggers t where t.app_id = a.id and t.enabled and t.kind in ('kv', 'docs', 'pubsub')) as emits,
      case when a.paused_at is not null then coalesce(extract(epoch from a.paused_until) * 1000, 'Infinity')::double precision
        end as "pausedUntil",
      now.xmin::text as horizon,
      (select coalesce(jsonb_agg(jsonb_build_object('pattern', d.pattern, 'shape', d.shape) order by d.pattern), '[]')
         from app_domains d where d.app_id = a.id) as domains,
      (select coalesce(jsonb_agg(jsonb_build_object(
           'id', r.id, 'scriptId', r.script_id, 'enabled', r.enabled, 'hostKind', r.host_kind, 'host', r.host,
           'hostParamName', r.host_param_name, 'pathKind', r.path_kind, 'path', r.path, 'method', r.method,
           'dispatchMode', r.dispatch_mode, 'idempotent', r.idempotent,
           'rateLimit', case when r.rate_limit is not null then jsonb_build_object(
             'requests', r.rate_limit->'requests', 'windowSeconds', r.rate_limit->'window_seconds',
             'key', r.rate_limit->'key') end) order by r.created_at, r.id), '[]')
         from routes r where r.app_id = a.id and ${which.changed("r")}) as routes,
      (select coalesce(jsonb_agg(jsonb_build_object(
           'id', s.id, 'name', s.name, 'kind', s.kind, 'directExecute', s.direct_execute,
           'liveVersion', s.live_version, 'timeoutSeconds', v.timeout_seconds,
           'memoryLimitMb', v.memory_limit_mb, 'sandbox', v.sandbox,
           'imports', to_jsonb(v.imports))), '[]')
         from scripts s
         -- With its limit it is looked up for each script; a join may read all versions of the app.
         left join lateral (
           select * from script_versions v
           where v.app_id = s.app_id and v.script_id = s.id and v.version = s.live_version limit 1) v on true
        where s.app_id = a.id and ${which.changed("s")}) as scripts,
      (select coalesce(jsonb_agg(d.id), '[]')
         from catalog_deletions d where d.app_id = a.id and ${which.deleted}) as "deletedIds",
      case when ${which.forgotten} then
        (select coalesce(jsonb_agg(s.id), '[]') from scripts s where s.app_id = a.id) end as "scriptIds",
      case when ${which.forgotten} then
        (select coalesce(jsonb_agg(r.id), '[]') from routes r where r.app_id = a.id) end as "routeIds"
    from now, (${which.wanted}) w
    join apps a on a.id = w.id`;
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
