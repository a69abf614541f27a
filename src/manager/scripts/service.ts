import { demandScope, type AppCapability } from "../../services/identity/index.ts";
import { notFound } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import { lockAndTouch } from "../apps/queries.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { openScript } from "./access.ts";
import type { CreateScript, UpdateScript } from "./model.ts";
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
import { checkPrecondition, saveScript, type Saved } from "./save.ts";
import { compile } from "./source.ts";

/** Scripts of the app that is named, or of every app that the caller sees. */
export async function visibleScripts(
  context: ManagerContext,
  who: Principal,
  app: string | undefined,
  withSource: boolean,
): Promise<Script[]> {
  demandScope(who, "AppRead");
  const appId = app === undefined ? null : (await openApp(context, who, app, "AppRead")).id;
  return listScripts(context.db, who, appId, withSource);
}

export async function createScript(
  context: ManagerContext,
  who: Principal,
  input: CreateScript,
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
    ifMatch: null,
  });
}

export async function changeScript(
  context: ManagerContext,
  who: Principal,
  id: string,
  change: UpdateScript,
  ifMatch: string | null,
): Promise<Saved> {
  const script = await openScript(context, who, id, "AppWriteScript");
  return saveScript(context, who, {
    appId: script.app_id,
    target: { id: script.id },
    before: script,
    change,
    bindings: [],
    ifMatch,
  });
}

/** Deletes a script with its versions, routes and logs. */
export async function removeScript(context: ManagerContext, script: Script): Promise<void> {
  const appId = script.app_id;
  await context.db.begin(async (sql) => {
    await lockAndTouch(sql, appId);
    await deleteScript(sql, appId, script.id);
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
  who: Principal,
  id: string,
  number: string,
  ifMatch: string | null,
): Promise<Script> {
  const script = await openScript(context, who, id, "AppWriteScript");
  const row = await versionOf(context, script, number);
  checkPrecondition(ifMatch, script);
  // The language or the script's kind may have changed since it was saved.
  await compile(context.checkScript, script.app_id, row.source, script.kind);
  const live = await context.db.begin(async (sql) => {
    const [, current] = await Promise.all([
      lockAndTouch(sql, script.app_id),
      scriptById(sql, script.app_id, script.id),
    ]);
    if (current === undefined) throw notFound("Script");
    checkPrecondition(ifMatch, current);
    const [, after] = await Promise.all([
      updateScript(sql, { ...current, live_version: row.version }),
      scriptById(sql, script.app_id, script.id),
    ]);
    if (after === undefined) throw notFound("Script");
    return after;
  });
  await context.catalogChanged(script.app_id);
  return live;
}

async function versionOf(context: ManagerContext, script: Script, number: string): Promise<Version> {
  const row = /^[1-9]\d{0,8}$/.test(number)
    ? await findVersion(context.db, script, Number(number))
    : undefined;
  if (row === undefined) throw notFound("Version");
  return row;
}
