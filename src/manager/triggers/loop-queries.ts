import type { Queryable } from "../../database/client.ts";
import type { EffectsUnit, ScriptWrite } from "../../services/catalog/index.ts";

/** A script of which it is known what it writes, or calls of modules. */
export interface WritingScript {
  readonly id: string;
  readonly name: string;
  readonly kind: "endpoint" | "module";
  readonly effects: readonly EffectsUnit[];
  /** Enabled triggers that call it when data changes or a message comes. */
  readonly triggerIds: readonly string[];
}

/** Those of an app that such triggers call, and all modules: the live versions. */
export async function writingScripts(sql: Queryable, appId: string): Promise<WritingScript[]> {
  return sql<WritingScript[]>`
    select s.id, s.name, s.kind, v.links->'effects' as effects, coalesce(t.ids, '{}') as "triggerIds"
    from scripts s
    join script_versions v on v.app_id = s.app_id and v.script_id = s.id and v.version = s.live_version
    left join lateral (
      select array_agg(t.id) as ids from triggers t
      where t.app_id = s.app_id and t.script_id = s.id and t.enabled and t.kind in ('kv', 'docs', 'pubsub')) t on true
    where s.app_id = ${appId} and v.links ? 'effects' and (t.ids is not null or s.kind = 'module')
    order by s.name`;
}

/** A trigger that a write to this name calls. */
export interface AffectedTrigger {
  readonly id: string;
  readonly script_id: string;
  readonly kind: string;
  /** Empty: all. */
  readonly ops: readonly string[];
  /** The collection or topic that is written. */
  readonly name: string;
}

/** The enabled triggers that writes may call, by the collection or topic alone. */
export async function affectedTriggers(
  sql: Queryable,
  appId: string,
  writes: readonly ScriptWrite[],
): Promise<AffectedTrigger[]> {
  return sql<AffectedTrigger[]>`
    select t.id, t.script_id, t.kind, t.ops, w.name
    from (
      select distinct service, name
      from unnest(${writes.map(({ service }) => service)}::text[], ${writes.map(({ name }) => name)}::text[])
        as w(service, name)) w
    join triggers t on t.app_id = ${appId} and t.kind = w.service and t.enabled and pattern_matches(t.pattern, w.name)
    order by t.created_at, t.id`;
}
