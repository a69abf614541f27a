import type { Queryable } from "../../database/client.ts";
import type { ScriptLinks } from "../../services/catalog/index.ts";
import { visibleTo } from "../../services/identity/index.ts";
import type { AppRole, Principal } from "../../shared/principal.ts";
import type { ScriptKind } from "../context.ts";
import type { ListPosition } from "./list-cursor.ts";
import type { Sandbox } from "./model.ts";

/** A script with its live version; of a script that has only drafts, with the newest one. */
export interface Script {
  readonly app_id: string;
  readonly id: string;
  readonly name: string;
  readonly kind: ScriptKind;
  readonly description: string;
  readonly direct_execute: "members" | "public";
  readonly live_version: number | null;
  readonly last_version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly version: number;
  readonly source: string;
  readonly source_sha256: Uint8Array;
  readonly timeout_seconds: number;
  readonly memory_limit_mb: number;
  readonly sandbox: Sandbox;
  readonly imports: readonly string[];
  readonly links: VersionLinks;
}

/** What a version calls of modules, and offers as one; what it writes. */
export type VersionLinks = Pick<ScriptLinks, "calls" | "exports" | "effects">;

/** A row of `scripts`, without its times. */
export type ScriptHead = Pick<
  Script,
  "app_id" | "id" | "name" | "kind" | "description" | "direct_execute" | "live_version" | "last_version"
>;

export type GrantedScript = Script & { readonly granted: AppRole | null };

const columns = (sql: Queryable) => sql`
  scripts.app_id, scripts.id, scripts.name, scripts.kind, scripts.description, scripts.direct_execute,
  scripts.live_version, scripts.last_version, scripts.created_at, scripts.updated_at,
  v.version, v.source_sha256, v.timeout_seconds, v.memory_limit_mb, v.sandbox, v.imports, v.links`;

/** With its limit it is looked up for each script; the planner, left to itself, reads all versions of the app. */
const shownVersion = (sql: Queryable) => sql`
  cross join lateral (
    select * from script_versions
    where app_id = scripts.app_id and script_id = scripts.id
      and version = coalesce(scripts.live_version, scripts.last_version)
    limit 1) v`;

/** A script, with what the membership table grants the asking user in its app. */
export async function findScript(
  sql: Queryable,
  id: string,
  who: Principal,
): Promise<GrantedScript | undefined> {
  const [script] = await sql<GrantedScript[]>`
    select ${columns(sql)}, v.source, app_members.role as granted
    from scripts ${shownVersion(sql)}
    left join app_members on app_members.app_id = scripts.app_id and app_members.user_id = ${who.userId}
    where scripts.id = ${id}`;
  return script;
}

export async function scriptByName(sql: Queryable, appId: string, name: string): Promise<Script | undefined> {
  const [script] = await sql<Script[]>`
    select ${columns(sql)}, v.source from scripts ${shownVersion(sql)}
    where scripts.app_id = ${appId} and scripts.name = ${name}`;
  return script;
}

export async function scriptById(sql: Queryable, appId: string, id: string): Promise<Script | undefined> {
  const [script] = await sql<Script[]>`
    select ${columns(sql)}, v.source from scripts ${shownVersion(sql)}
    where scripts.app_id = ${appId} and scripts.id = ${id}`;
  return script;
}

/** Which scripts of a list are wanted. */
export interface ScriptSelection {
  /** Null: of all apps that the user sees. */
  readonly appId: string | null;
  /** Part of the name, in any case. */
  readonly name: string | undefined;
  /** Else `source` is the empty text. */
  readonly withSource: boolean;
  readonly after: ListPosition | null;
  /** Null: all of them. */
  readonly limit: number | null;
}

/** Scripts, by app and name. */
export async function listScripts(
  sql: Queryable,
  who: Principal,
  { appId, name, withSource, after, limit }: ScriptSelection,
): Promise<Script[]> {
  return sql<Script[]>`
    select ${columns(sql)}, ${withSource ? sql`v.source` : sql`'' as source`}
    from scripts ${shownVersion(sql)}
    where ${appId === null ? visibleTo(sql, who, "scripts.app_id") : sql`scripts.app_id = ${appId}`}
      ${name === undefined ? sql`` : sql`and position(lower(${name}) in lower(scripts.name)) > 0`}
      ${after === null ? sql`` : sql`and (scripts.app_id, scripts.name) > (${after.app_id}::uuid, ${after.name})`}
    order by scripts.app_id, scripts.name
    ${limit === null ? sql`` : sql`limit ${limit}`}`;
}

export async function insertScript(sql: Queryable, script: ScriptHead): Promise<void> {
  // The first version is written next; that it exists is checked at commit.
  await sql`
    insert into scripts (app_id, id, name, kind, description, direct_execute, live_version, last_version)
    values (${script.app_id}, ${script.id}, ${script.name}, ${script.kind}, ${script.description},
      ${script.direct_execute}, ${script.live_version}, ${script.last_version})`;
}

export async function updateScript(sql: Queryable, script: ScriptHead): Promise<void> {
  await sql`
    update scripts
    set name = ${script.name}, kind = ${script.kind}, description = ${script.description},
        direct_execute = ${script.direct_execute}, live_version = ${script.live_version},
        last_version = ${script.last_version}, updated_at = now()
    where app_id = ${script.app_id} and id = ${script.id}`;
}

/** A row of `script_versions`. */
interface VersionRow {
  readonly version: number;
  readonly source: string;
  readonly source_sha256: Uint8Array;
  readonly timeout_seconds: number;
  readonly memory_limit_mb: number;
  readonly sandbox: Sandbox;
  readonly imports: readonly string[];
  readonly links: VersionLinks;
  readonly author_id: string | null;
  readonly message: string;
}

export type NewVersion = VersionRow & { readonly app_id: string; readonly script_id: string };

export async function insertVersion(sql: Queryable, row: NewVersion): Promise<void> {
  await sql`
    insert into script_versions (app_id, script_id, version, source, source_sha256, timeout_seconds,
      memory_limit_mb, sandbox, imports, links, author_id, message)
    values (${row.app_id}, ${row.script_id}, ${row.version}, ${row.source}, ${row.source_sha256},
      ${row.timeout_seconds}, ${row.memory_limit_mb}, ${sql.json(row.sandbox)}, ${row.imports as string[]}::text[],
      ${sql.json(row.links as never)}, ${row.author_id}, ${row.message})`;
}

/** With everything that belongs to it: what foreign keys do not take along are the answers kept for repeated requests. */
export async function deleteScript(sql: Queryable, appId: string, id: string): Promise<void> {
  await sql`
    with answers as (
      delete from idempotency_keys
      where app_id = ${appId}
        and (scope_id = ${id}
          or scope_id in (select routes.id from routes where app_id = ${appId} and script_id = ${id})))
    delete from scripts where app_id = ${appId} and id = ${id}`;
}

export interface Version extends VersionRow {
  /** Null also when that user is gone. */
  readonly author: string | null;
  readonly created_at: Date;
}

/** Versions of a script that are kept whatever happens, besides the live one. */
const KEPT_VERSIONS = 50;
/** Versions looked at by one save, so that none takes long. */
const PRUNED_AT_ONCE = 20;

/**
 * Forgets the oldest versions of a script: not the newest fifty, not the live one, and none that the execution log still
 * tells of. @param last the number of the newest
 */
export async function pruneVersions(sql: Queryable, appId: string, id: string, last: number): Promise<void> {
  if (last <= KEPT_VERSIONS) return;
  await sql`
    delete from script_versions v
    using scripts s
    where s.app_id = ${appId} and s.id = ${id} and v.app_id = s.app_id and v.script_id = s.id
      and v.version in (
        select version from script_versions
        where app_id = ${appId} and script_id = ${id} and version <= ${last - KEPT_VERSIONS}
        order by version limit ${PRUNED_AT_ONCE})
      and v.version is distinct from s.live_version
      and not exists (
        select 1 from executions e
        where e.app_id = ${appId} and e.script_id = ${id} and e.version = v.version)`;
}

/** The newest first, without their sources. @param before only versions below this number */
export async function listVersions(
  sql: Queryable,
  script: Pick<Script, "app_id" | "id">,
  before: number,
  limit: number,
): Promise<Version[]> {
  return sql<Version[]>`
    select version, '' as source, source_sha256, timeout_seconds, memory_limit_mb, sandbox, imports, links, author_id,
      users.username as author, message, v.created_at
    from script_versions v left join users on users.id = author_id
    where app_id = ${script.app_id} and script_id = ${script.id} and version < ${before}
    order by version desc
    limit ${limit}`;
}

export async function findVersion(
  sql: Queryable,
  script: Pick<Script, "app_id" | "id">,
  version: number,
): Promise<Version | undefined> {
  const [row] = await sql<Version[]>`
    select version, source, source_sha256, timeout_seconds, memory_limit_mb, sandbox, imports, links, author_id,
      users.username as author, message, v.created_at
    from script_versions v left join users on users.id = author_id
    where app_id = ${script.app_id} and script_id = ${script.id} and version = ${version}`;
  return row;
}
