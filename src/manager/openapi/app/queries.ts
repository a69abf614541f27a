import type { Queryable } from "../../../database/client.ts";
import type { DispatchMode, HostKind, PathKind } from "../../../services/routes/index.ts";

/** An enabled route with what its script says about itself. */
export interface UserRoute {
  readonly script_id: string;
  readonly script_name: string;
  readonly script_description: string;
  /** The first characters of the live source. */
  readonly head: string;
  readonly host_kind: HostKind;
  readonly host: string;
  readonly path_kind: PathKind;
  readonly path: string;
  readonly method: string | null;
  readonly dispatch_mode: DispatchMode;
}

/** Characters of a source in which its notes must stand. */
const HEAD = 4096;

/** The routes of an app that lead somewhere: those for any host first, then by path. */
export async function userRoutes(sql: Queryable, appId: string): Promise<UserRoute[]> {
  return sql<UserRoute[]>`
    select r.script_id, s.name as script_name, s.description as script_description, left(v.source, ${HEAD}) as head,
      r.host_kind, r.host, r.path_kind, r.path, r.method, r.dispatch_mode
    from routes r
    join scripts s on s.app_id = r.app_id and s.id = r.script_id
    join script_versions v on v.app_id = s.app_id and v.script_id = s.id and v.version = s.live_version
    where r.app_id = ${appId} and r.enabled
    order by r.host_kind <> 'any', r.path, r.method nulls last, r.host`;
}
