import { demandScope, type AppCapability } from "../../services/identity/index.ts";
import { notFound } from "../../shared/errors.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import type { Principal } from "../../shared/principal.ts";
import { lockAndTouch } from "../apps/queries.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { DEFAULT_PAGE } from "../http/cursor.ts";
import { openScript } from "./access.ts";
import { auditedScript, scriptTarget } from "./dto.ts";
import { decodePosition, encodePosition } from "./list-cursor.ts";
import {
  checkCycles,
  importersOf,
  importsOf,
  refuseWhileImported,
  replaceImports,
  type Import,
  type Importer,
} from "./imports.ts";
import type { CreateScript, ListQuery, UpdateScript } from "./model.ts";
import { checkScriptName } from "./names.ts";
import {
  deleteScript,
  findVersion,
  listScripts,
  listVersions,
  scriptById,
  updateScript,
  type Script,
  type Version,
} from "./queries.ts";
import { checkPrecondition } from "./precondition.ts";
import { changedMeanwhile, saveScript, type Saved } from "./save.ts";
import { compile } from "./source.ts";

/** Scripts of the app that is named, or of every app that the caller sees; all of them, or a page. */
export async function visibleScripts(
  context: ManagerContext,
  who: Principal,
  query: ListQuery,
): Promise<{ readonly scripts: readonly Script[]; readonly nextCursor: string | null }> {
  demandScope(who, "AppRead");
  const appId = query.app === undefined ? null : (await openApp(context, who, query.app, "AppRead")).id;
  const limit = query.limit ?? (query.cursor === undefined ? null : DEFAULT_PAGE);
  const rows = await listScripts(context.db, who, {
    appId,
    name: query.name,
    withSource: query.fields !== "summary",
    after: query.cursor === undefined ? null : decodePosition(query.cursor),
    // One more than asked for tells whether there is a next page.
    limit: limit === null ? null : limit + 1,
  });
  const scripts = limit === null ? rows : rows.slice(0, limit);
  const last = rows.length > scripts.length ? scripts.at(-1) : undefined;
  return { scripts, nextCursor: last === undefined ? null : encodePosition(last) };
}

export async function createScript(
  context: ManagerContext,
  who: Actor,
  input: CreateScript,
  activate: boolean,
): Promise<Saved> {
  const { app_id, name, ...change } = input;
  const app = await openApp(context, who, app_id, "AppWriteScript");
  checkScriptName(name);
  return saveScript(context, who, {
    appId: app.id,
    target: { name, existing: "refuse" },
    before: undefined,
    change,
    bindings: [],
    activate,
    ifMatch: null,
  });
}

export async function changeScript(
  context: ManagerContext,
  who: Actor,
  id: string,
  change: UpdateScript,
  options: { readonly activate: boolean; readonly ifMatch: string | null },
): Promise<Saved> {
  const script = await openScript(context, who, id, "AppWriteScript");
  return saveScript(context, who, {
    appId: script.app_id,
    target: { id: script.id },
    before: script,
    change,
    bindings: [],
    ...options,
  });
}

/** Deletes a script with its versions, routes and logs. @throws AppError 412 */
export async function removeScript(
  context: ManagerContext,
  who: Actor,
  script: Script,
  ifMatch: string | null,
  force: boolean,
): Promise<void> {
  const appId = script.app_id;
  await context.db.begin(async (sql) => {
    const [, current] = await Promise.all([lockAndTouch(sql, appId), scriptById(sql, appId, script.id)]);
    if (current === undefined) throw notFound("Script");
    checkPrecondition(ifMatch, current);
    if (current.kind === "module" && !force) {
      await refuseWhileImported(
        sql,
        appId,
        current.name,
        `"${current.name}" cannot be deleted (but with ?force=true)`,
      );
    }
    await Promise.all([
      deleteScript(sql, appId, script.id),
      recordAudit(sql, who, {
        action: "script.delete",
        appId,
        target: scriptTarget(current),
        before: auditedScript(current),
      }),
    ]);
  });
  await context.catalogChanged(appId);
}

/** The newest versions first. @param cursor the last version number of the page before */
export async function versionsOf(
  context: ManagerContext,
  who: Principal,
  id: string,
  page: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): Promise<{ readonly script: Script; readonly versions: Version[]; readonly nextCursor: string | null }> {
  const script = await openScript(context, who, id, "AppRead");
  const limit = page.limit ?? 50;
  const before = page.cursor === undefined ? script.last_version + 1 : Number(page.cursor);
  // One more than asked for tells whether there is a next page.
  const rows = await listVersions(context.db, script, before, limit + 1);
  const versions = rows.slice(0, limit);
  const last = versions.at(-1);
  return {
    script,
    versions,
    nextCursor: rows.length > limit && last !== undefined ? String(last.version) : null,
  };
}

export async function openVersion(
  context: ManagerContext,
  who: Principal,
  id: string,
  version: string,
  capability: AppCapability,
): Promise<{ readonly script: Script; readonly version: Version }> {
  const script = await openScript(context, who, id, capability);
  const row = await versionOf(context, script, version);
  return { script, version: row };
}

/**
 * Makes an older (or newer) version the one that runs. It is a pointer that moves: no version is made, none is lost.
 * @throws AppError 404, 412, 422 when the version does not compile as what the script is now
 */
export async function activateVersion(
  context: ManagerContext,
  who: Actor,
  id: string,
  number: string,
  ifMatch: string | null,
): Promise<Script> {
  const script = await openScript(context, who, id, "AppWriteScript");
  const appId = script.app_id;
  const row = await versionOf(context, script, number);
  checkPrecondition(ifMatch, script);
  // The language or the script's kind may have changed since it was saved.
  const { links } = await compile(context.checkScript, appId, row.source, script.kind);
  const live = await context.db.begin(async (sql) => {
    const [, current, present] = await Promise.all([
      lockAndTouch(sql, appId),
      scriptById(sql, appId, script.id),
      findVersion(sql, script, row.version),
    ]);
    if (current === undefined) throw notFound("Script");
    if (present === undefined) throw notFound("Version");
    checkPrecondition(ifMatch, current);
    if (current.kind !== script.kind) throw changedMeanwhile();
    const wanted = { ...current, live_version: row.version };
    const [, after] = await Promise.all([
      updateScript(sql, wanted),
      scriptById(sql, appId, script.id),
      replaceImports(sql, wanted, links.imports),
      recordAudit(sql, who, {
        action: "script.activate",
        appId,
        target: scriptTarget(current),
        before: auditedScript(current),
        after: auditedScript({ ...wanted, ...row }),
      }),
    ]);
    if (after === undefined) throw notFound("Script");
    if (after.kind === "module" && links.imports.length > 0) await checkCycles(sql, appId, after.name);
    return after;
  });
  await context.catalogChanged(appId);
  return live;
}

async function versionOf(context: ManagerContext, script: Script, number: string): Promise<Version> {
  const row = /^[1-9]\d{0,8}$/.test(number)
    ? await findVersion(context.db, script, Number(number))
    : undefined;
  if (row === undefined) throw notFound("Version");
  return row;
}

/** What the live version of a script imports. */
export async function importsOfScript(
  context: ManagerContext,
  who: Principal,
  id: string,
): Promise<Import[]> {
  return importsOf(context.db, await openScript(context, who, id, "AppRead"));
}

/** The live scripts that import this one by its name. */
export async function usersOfScript(
  context: ManagerContext,
  who: Principal,
  id: string,
): Promise<Importer[]> {
  const script = await openScript(context, who, id, "AppRead");
  return importersOf(context.db, script.app_id, script.name);
}
