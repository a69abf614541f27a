import { createHash } from "node:crypto";
import { AppError, conflict, invalid, notFound } from "../../shared/errors.ts";
import type { Transaction } from "../../database/client.ts";
import { newId } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import type { DispatchMode, RoutePattern } from "../../services/routes/index.ts";
import { lockApp, touchCatalog } from "../apps/queries.ts";
import type { ManagerContext, ScriptKind } from "../context.ts";
import { insertRoute, routesAround, routesOfScript, setDispatchMode, type Route } from "../routes/queries.ts";
import { NEW_ROUTE } from "../routes/model.ts";
import { checkRoutable, rivalOf, routeConflict } from "../routes/rules.ts";
import type { UpdateScript, Warning } from "./model.ts";
import { checkNameFor, checkScriptName } from "./names.ts";
import {
  insertScript,
  insertVersion,
  scriptById,
  scriptByName,
  updateScript,
  type Script,
} from "./queries.ts";
import { checkCeilings, defaultSettings, sameSettings, type Settings } from "./settings.ts";
import { checkSourceText, compile } from "./source.ts";

/** A route that a script shall have after the save. */
export interface Binding {
  readonly pattern: RoutePattern;
  /** Given explicitly; else a route that is there already keeps its own. */
  readonly dispatchMode: DispatchMode | undefined;
}

export interface Save {
  readonly appId: string;
  /** Which script, and whether it may, must or must not exist. */
  readonly target:
    { readonly id: string } | { readonly name: string; readonly existing: "update" | "refuse" };
  /** The script as it was read before, if it was there. What the compiler sees is checked against it again. */
  readonly before: Script | undefined;
  readonly change: UpdateScript;
  readonly bindings: readonly Binding[];
  /** Of the If-Match header. */
  readonly ifMatch: string | null;
}

export interface Saved {
  readonly script: Script;
  readonly created: boolean;
  /** All routes of the script, after the save. */
  readonly routes: readonly Route[];
  readonly warnings: readonly Warning[];
}

/**
 * Creates or changes a script: checks everything, then writes settings, a new version and routes in one transaction. A
 * save that changes neither source nor settings makes no version. When it resolves, the next request runs what was
 * saved; when it rejects, nothing has changed.
 * @throws AppError 404, 409 (name, route, changed meanwhile), 412, 413, 422
 */
export async function saveScript(context: ManagerContext, who: Principal, save: Save): Promise<Saved> {
  const { change, before } = save;
  if (change.name !== undefined) checkScriptName(change.name);
  checkCeilings(change, context.config);
  const source = change.source ?? before?.source;
  if (source === undefined) {
    throw invalid("source_missing", "A new script needs its source.", { details: { field: "source" } });
  }
  if (change.source !== undefined) checkSourceText(change.source);
  const kind = change.kind ?? before?.kind ?? "endpoint";
  checkNameFor(kind, change.name ?? nameOf(save));
  checkPrecondition(save.ifMatch, before);

  const draft: Draft = { source, hash: sha256(source), kind };
  const checked = before !== undefined && sameHash(before.source_sha256, draft.hash) && before.kind === kind;
  const warnings = checked ? [] : await compile(context.checkScript, save.appId, source, kind);
  const { changed, ...written } = await context.db.begin((sql) => write(context, who, save, draft, sql));
  if (changed) await context.catalogChanged(save.appId);
  return { ...written, warnings };
}

/** What has been compiled. */
interface Draft {
  readonly source: string;
  readonly hash: Uint8Array;
  readonly kind: ScriptKind;
}

async function write(
  context: ManagerContext,
  who: Principal,
  save: Save,
  draft: Draft,
  sql: Transaction,
): Promise<Omit<Saved, "warnings"> & { readonly changed: boolean }> {
  const { appId, target, change } = save;
  // Sent together: the lock is taken first, what follows sees everything that was committed before it.
  const [appExists, current, appRoutes] = await Promise.all([
    lockApp(sql, appId),
    "id" in target ? scriptById(sql, appId, target.id) : scriptByName(sql, appId, target.name),
    routesAround(
      sql,
      appId,
      target,
      save.bindings.map(({ pattern }) => pattern),
    ),
  ]);
  if (!appExists || (current === undefined && "id" in target)) throw notFound("Script");
  if (current !== undefined && "name" in target && target.existing === "refuse") throw nameTaken();
  checkPrecondition(save.ifMatch, current);
  checkStillCompiled(save, draft, current);

  const id = current?.id ?? newId();
  const name = change.name ?? current?.name ?? nameOf(save);
  const own = appRoutes.filter((route) => route.script_id === id);
  if (draft.kind === "module" && own.length > 0) throw stillRouted(own.length);
  if (save.bindings.length > 0) checkRoutable({ kind: draft.kind, name });
  const bound = bind(save.bindings, id, appRoutes);

  const base: Settings = current ?? defaultSettings(context.config);
  const settings: Settings = {
    timeout_seconds: change.timeout_seconds ?? base.timeout_seconds,
    memory_limit_mb: change.memory_limit_mb ?? base.memory_limit_mb,
    sandbox: change.sandbox ?? base.sandbox,
  };
  const isNewVersion =
    current === undefined || !sameHash(current.source_sha256, draft.hash) || !sameSettings(current, settings);
  const lastVersion = current?.last_version ?? 0;
  const head = {
    app_id: appId,
    id,
    name,
    kind: draft.kind,
    description: change.description ?? current?.description ?? "",
    direct_execute: change.direct_execute ?? current?.direct_execute ?? "members",
    live_version: isNewVersion ? lastVersion + 1 : (current?.live_version ?? null),
    last_version: isNewVersion ? lastVersion + 1 : lastVersion,
  } as const;
  const isNewHead = current === undefined || !sameHead(current, head);
  const changed = isNewVersion || isNewHead || bound.added.length > 0 || bound.redispatched.length > 0;
  if (!changed) return { script: current, created: false, routes: own, changed };

  // In the order of the foreign keys; nothing waits for the answer to the one before.
  const statements: Promise<unknown>[] = [];
  if (current === undefined) statements.push(insertScript(sql, head));
  if (isNewVersion) {
    statements.push(
      insertVersion(sql, {
        appId,
        scriptId: id,
        version: head.last_version,
        source: draft.source,
        sourceSha256: draft.hash,
        timeoutSeconds: settings.timeout_seconds,
        memoryLimitMb: settings.memory_limit_mb,
        sandbox: settings.sandbox,
        authorId: who.userId,
        message: change.message ?? "",
      }),
    );
  }
  if (current !== undefined && (isNewVersion || isNewHead)) statements.push(updateScript(sql, head));
  for (const pattern of bound.added) {
    statements.push(insertRoute(sql, { appId, id: newId(), scriptId: id, pattern, settings: NEW_ROUTE }));
  }
  for (const { route, mode } of bound.redispatched)
    statements.push(setDispatchMode(sql, appId, route.id, mode));
  statements.push(touchCatalog(sql, appId));
  const [, script, routes] = await Promise.all([
    Promise.all(statements),
    scriptById(sql, appId, id),
    routesOfScript(sql, appId, id),
  ]);
  if (script === undefined) throw new Error("a script just written is not there");
  return {
    script,
    created: current === undefined,
    routes: routes.filter((route) => route.script_id === id),
    changed,
  };
}

/** Which wishes are new; those that the script has already are left as they are, unless they name another dispatch. */
function bind(bindings: readonly Binding[], scriptId: string, routes: readonly Route[]) {
  const added: RoutePattern[] = [];
  const redispatched: { readonly route: Route; readonly mode: DispatchMode }[] = [];
  for (const { pattern, dispatchMode } of bindings) {
    const rival = rivalOf(pattern, routes);
    if (rival !== undefined) {
      if (rival.script_id !== scriptId || rival.path !== pattern.path) throw routeConflict(rival);
      if (dispatchMode !== undefined && dispatchMode !== rival.dispatch_mode) {
        redispatched.push({ route: rival, mode: dispatchMode });
      }
      continue;
    }
    const twin = added.find((other) => other.pathKind === pattern.pathKind && other.path === pattern.path);
    if (twin === undefined) added.push(pattern);
  }
  return { added, redispatched };
}

/** @throws AppError 409 when somebody changed what the compiler has judged between reading and locking */
function checkStillCompiled({ before, change }: Save, draft: Draft, current: Script | undefined): void {
  const sourceMoved =
    change.source === undefined && current !== undefined && !sameHash(current.source_sha256, draft.hash);
  const kindMoved = change.kind === undefined && current !== undefined && current.kind !== draft.kind;
  const vanished = change.source === undefined && current === undefined && before !== undefined;
  if (!sourceMoved && !kindMoved && !vanished) return;
  throw conflict(
    "changed_meanwhile",
    "Somebody else changed this script at the same moment. Read it again, and repeat.",
  );
}

/** If-Match: the version that the client has seen (RFC 9110 13.1.1). @throws AppError 412 */
export function checkPrecondition(ifMatch: string | null, current: Script | undefined): void {
  if (ifMatch === null) return;
  const tags = ifMatch.split(",").map((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, "$1"));
  const wanted = new Set(tags);
  if (current !== undefined && (wanted.has("*") || wanted.has(String(current.version)))) return;
  const found = current === undefined ? "the script does not exist" : `it is at version ${current.version}`;
  throw new AppError(
    412,
    "version_mismatch",
    `The script is not at the version that If-Match names: ${found}.`,
    {
      details: { version: current?.version ?? null },
    },
  );
}

const stillRouted = (count: number): AppError =>
  invalid(
    "script_has_routes",
    `A module cannot be bound to routes, and ${count} route(s) point at this script; delete them first.`,
    {
      details: { field: "kind", route_count: count },
    },
  );

const nameTaken = (): AppError => conflict("name_taken", "A script of this name exists in the app.");

const nameOf = ({ target, before }: Save): string => ("name" in target ? target.name : (before?.name ?? ""));

const sha256 = (text: string): Uint8Array => createHash("sha256").update(text, "utf8").digest();

const sameHash = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

type Head = Pick<Script, "name" | "kind" | "description" | "direct_execute">;

const sameHead = (a: Head, b: Head): boolean =>
  a.name === b.name &&
  a.kind === b.kind &&
  a.description === b.description &&
  a.direct_execute === b.direct_execute;
