import { createHash } from "node:crypto";
import type { Transaction } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { conflict, invalid, notFound, type AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import { lockApp, touchCatalog } from "../apps/queries.ts";
import type { ScriptLinks } from "../../services/catalog/index.ts";
import type { ManagerContext, ScriptKind } from "../context.ts";
import { routesAround, routesOfScript, type Route } from "../routes/queries.ts";
import { checkRoutable } from "../routes/rules.ts";
import { triggerLoops } from "../triggers/loops.ts";
import { countTriggersOfScript } from "../triggers/queries.ts";
import { bind, writeBound, type Binding } from "./bindings.ts";
import { auditedScript, scriptTarget } from "./dto.ts";
import {
  brokenImporters,
  checkCycles,
  importersOf,
  importWarnings,
  refuseWhileImported,
  replaceImports,
} from "./imports.ts";
import type { UpdateScript, Warning } from "./model.ts";
import { checkNameFor, checkScriptName } from "./names.ts";
import { checkPrecondition } from "./precondition.ts";
import {
  findVersion,
  insertScript,
  insertVersion,
  pruneVersions,
  scriptById,
  scriptByName,
  updateScript,
  type Script,
  type ScriptHead,
} from "./queries.ts";
import { checkCeilings, defaultSettings, sameSettings, type Settings } from "./settings.ts";
import { checkSourceText, compile } from "./source.ts";

export interface Save {
  readonly appId: string;
  /** Which script, and whether it may, must or must not exist. */
  readonly target:
    { readonly id: string } | { readonly name: string; readonly existing: "update" | "refuse" };
  /** The script as it was read before, if it was there. What the compiler sees is checked against it again. */
  readonly before: Script | undefined;
  readonly change: UpdateScript;
  readonly bindings: readonly Binding[];
  /** False: what is saved is a draft, and what runs stays as it is. */
  readonly activate: boolean;
  /** Of the If-Match header. */
  readonly ifMatch: string | null;
}

export interface Saved {
  /** With the version that was saved, live or not. */
  readonly script: Script;
  /** Whether there was no such script before. */
  readonly created: boolean;
  /** Whether a draft was made: a version that was not there before, and is not live. */
  readonly drafted: boolean;
  /** All routes of the script, after the save. */
  readonly routes: readonly Route[];
  readonly warnings: readonly Warning[];
}

/**
 * Creates or changes a script: checks everything, then writes settings, a new version and routes in one transaction. A
 * save that repeats source and settings of the version shown, or of the newest one, makes no version. When it resolves,
 * the next request runs what was saved (unless it is a draft); when it rejects, nothing has changed.
 *
 * A draft is a version: source, limits. What belongs to the script itself (name, description, direct_execute, routes)
 * takes effect at once, draft or not.
 * @throws AppError 404, 409 (name, route, changed meanwhile), 412, 413, 422
 */
export async function saveScript(context: ManagerContext, actor: Actor, save: Save): Promise<Saved> {
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

  const hash = sha256(source);
  const checked = before !== undefined && sameHash(before.source_sha256, hash) && before.kind === kind;
  const { warnings, links } = checked
    ? { warnings: [], links: { imports: before.imports, ...before.links } }
    : await compile(context.checkScript, save.appId, source, kind);
  const compiled: Compiled = { source, hash, kind, links };
  const { changed, ...written } = await context.db.begin((sql) => write(context, actor, save, compiled, sql));
  if (changed) await context.catalogChanged(save.appId);
  return { ...written, warnings: [...warnings, ...written.warnings] };
}

/** What the compiler has judged. */
interface Compiled {
  readonly source: string;
  readonly hash: Uint8Array;
  readonly kind: ScriptKind;
  readonly links: ScriptLinks;
}

async function write(
  context: ManagerContext,
  actor: Actor,
  save: Save,
  compiled: Compiled,
  sql: Transaction,
): Promise<Saved & { readonly changed: boolean }> {
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
  checkStillCompiled(save, compiled, current);
  if (!save.activate && current !== undefined) checkDraftKind(current, compiled.kind);

  const id = current?.id ?? newId();
  const name = change.name ?? current?.name ?? nameOf(save);
  const own = appRoutes.filter((route) => route.script_id === id);
  if (compiled.kind === "module" && own.length > 0) throw stillRouted(own.length);
  if (compiled.kind === "module" && current?.kind === "endpoint") await refuseWhileTriggered(sql, current);
  if (current?.kind === "module" && compiled.kind !== "module") {
    await refuseWhileImported(
      sql,
      appId,
      current.name,
      `The module "${current.name}" cannot become an endpoint`,
    );
  }
  if (save.bindings.length > 0) checkRoutable({ kind: compiled.kind, name });
  const bound = bind(save.bindings, id, appRoutes);

  const base: Settings = current ?? defaultSettings(context.config);
  const content = {
    source_sha256: compiled.hash,
    timeout_seconds: change.timeout_seconds ?? base.timeout_seconds,
    memory_limit_mb: change.memory_limit_mb ?? base.memory_limit_mb,
    sandbox: change.sandbox ?? base.sandbox,
  };
  const known = current === undefined ? undefined : await sameVersion(sql, current, content);
  const lastVersion = current?.last_version ?? 0;
  const version = known ?? lastVersion + 1;
  const head: ScriptHead = {
    app_id: appId,
    id,
    name,
    kind: compiled.kind,
    description: change.description ?? current?.description ?? "",
    direct_execute: change.direct_execute ?? current?.direct_execute ?? "members",
    live_version: save.activate ? version : (current?.live_version ?? null),
    last_version: Math.max(version, lastVersion),
  };
  const isNewHead = current === undefined || !sameHead(current, head);
  const changed = isNewHead || bound.added.length > 0 || bound.redispatched.length > 0;
  const { imports, ...links } = compiled.links;
  const saved = { ...content, version, source: compiled.source, imports, links };
  if (!changed) {
    const warnings = await warningsOf(sql, save, head, compiled);
    return {
      script: { ...current, ...saved },
      created: false,
      drafted: false,
      routes: own,
      warnings,
      changed,
    };
  }

  // In the order of the foreign keys; nothing waits for the answer to the one before.
  const statements: Promise<unknown>[] = [];
  if (current === undefined) statements.push(insertScript(sql, head));
  if (known === undefined) {
    statements.push(
      insertVersion(sql, {
        ...saved,
        app_id: appId,
        script_id: id,
        author_id: actor.userId,
        message: change.message ?? "",
      }),
    );
  }
  if (current !== undefined && isNewHead) statements.push(updateScript(sql, head));
  if (isNewHead) {
    const shown = current !== undefined && !save.activate ? current : content;
    statements.push(
      recordAudit(sql, actor, {
        action: current === undefined ? "script.create" : "script.update",
        appId,
        target: scriptTarget(head),
        ...(current !== undefined && { before: auditedScript(current) }),
        after: auditedScript({ ...head, ...settingsOf(shown), source_sha256: shown.source_sha256 }),
      }),
    );
  }
  if (save.activate) statements.push(replaceImports(sql, head, imports));
  statements.push(...writeBound(sql, actor, head, bound));
  if (known === undefined) statements.push(pruneVersions(sql, appId, id, version));
  statements.push(touchCatalog(sql, appId));
  const [, script, routes] = await Promise.all([
    Promise.all(statements),
    scriptById(sql, appId, id),
    routesOfScript(sql, appId, id),
  ]);
  if (script === undefined) throw new Error("a script just written is not there");
  if (save.activate && head.kind === "module" && imports.length > 0) await checkCycles(sql, appId, name);
  return {
    script: { ...script, ...saved },
    created: current === undefined,
    drafted: known === undefined && !save.activate,
    routes,
    warnings: [
      ...(await warningsOf(sql, save, head, compiled)),
      ...(await renameWarnings(sql, current, head)),
    ],
    changed,
  };
}

async function warningsOf(
  sql: Transaction,
  { activate }: Save,
  head: ScriptHead,
  compiled: Compiled,
): Promise<Warning[]> {
  const links = await linkWarnings(sql, head, compiled);
  return activate ? [...links, ...(await loopWarnings(sql, head, compiled))] : links;
}

/** What does not fit between a script and the modules that it imports, or those that import it. */
async function linkWarnings(sql: Transaction, head: ScriptHead, { links }: Compiled): Promise<Warning[]> {
  const own = links.imports.length === 0 ? [] : await importWarnings(sql, head, links);
  return head.kind === "module" ? [...own, ...(await brokenImporters(sql, head, links))] : own;
}

/** Loops of triggers that go through what the script now does. */
async function loopWarnings(sql: Transaction, head: ScriptHead, { links }: Compiled): Promise<Warning[]> {
  // Who writes nothing ends every chain.
  if (links.effects === undefined) return [];
  const { app_id: appId, id: scriptId, kind, name } = head;
  const loops = await triggerLoops(sql, appId, kind === "module" ? { module: name } : { scriptId });
  return loops.map((message) => ({ message }));
}

/** Scripts import a module by its name: those that know the former one find it no more. */
async function renameWarnings(
  sql: Transaction,
  current: Script | undefined,
  head: ScriptHead,
): Promise<Warning[]> {
  if (current?.kind !== "module" || current.name === head.name) return [];
  const importers = await importersOf(sql, head.app_id, current.name);
  return importers.map(({ name }) => ({
    message: `"${name}" still imports "${current.name}", the former name.`,
  }));
}

type Content = Settings & Pick<Script, "source_sha256">;

/** The version that is what shall be saved: the one shown, or the newest. */
async function sameVersion(sql: Transaction, current: Script, content: Content): Promise<number | undefined> {
  const isSame = (other: Content): boolean =>
    sameHash(other.source_sha256, content.source_sha256) && sameSettings(other, content);
  if (isSame(current)) return current.version;
  if (current.version === current.last_version) return undefined;
  const newest = await findVersion(sql, current, current.last_version);
  return newest !== undefined && isSame(newest) ? newest.version : undefined;
}

const settingsOf = ({ timeout_seconds, memory_limit_mb, sandbox }: Settings): Settings => ({
  timeout_seconds,
  memory_limit_mb,
  sandbox,
});

/** @throws AppError 409 when somebody changed what the compiler has judged between reading and locking */
function checkStillCompiled({ before, change }: Save, compiled: Compiled, current: Script | undefined): void {
  const sourceMoved =
    change.source === undefined && current !== undefined && !sameHash(current.source_sha256, compiled.hash);
  const kindMoved = change.kind === undefined && current !== undefined && current.kind !== compiled.kind;
  const vanished = change.source === undefined && current === undefined && before !== undefined;
  if (!sourceMoved && !kindMoved && !vanished) return;
  throw changedMeanwhile();
}

export const changedMeanwhile = (): AppError =>
  conflict(
    "changed_meanwhile",
    "Somebody else changed this script at the same moment. Read it again, and repeat.",
  );

/** The kind is the script's: what runs now would be taken for the other kind. @throws AppError 422 */
function checkDraftKind(current: Script, kind: ScriptKind): void {
  if (current.kind === kind || current.live_version === null) return;
  throw invalid(
    "draft_changes_kind",
    `The script is live as ${current.kind}; a draft cannot make it ${kind}. Save it without activate=false.`,
    { details: { field: "kind" } },
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

/** @throws AppError 422 `script_has_triggers` */
async function refuseWhileTriggered(sql: Transaction, script: Script): Promise<void> {
  const count = await countTriggersOfScript(sql, script.app_id, script.id);
  if (count === 0) return;
  throw invalid(
    "script_has_triggers",
    `A module cannot be called by triggers, and ${count} trigger(s) point at this script; delete them first.`,
    { details: { field: "kind", trigger_count: count } },
  );
}

const nameTaken = (): AppError => conflict("name_taken", "A script of this name exists in the app.");

const nameOf = ({ target, before }: Save): string => ("name" in target ? target.name : (before?.name ?? ""));

const sha256 = (text: string): Uint8Array => createHash("sha256").update(text, "utf8").digest();

const sameHash = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const sameHead = (a: ScriptHead, b: ScriptHead): boolean =>
  a.name === b.name &&
  a.kind === b.kind &&
  a.description === b.description &&
  a.direct_execute === b.direct_execute &&
  a.live_version === b.live_version &&
  a.last_version === b.last_version;
