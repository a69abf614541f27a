import type { Queryable } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { announceCron, cronEvent } from "../../services/cron/index.ts";
import { holdEvents, sendEvent } from "../../services/events/index.ts";
import { conflict, invalid, notFound } from "../../shared/errors.ts";
import { isUuid, newId } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { lockAndTouch } from "../apps/queries.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { instantOf } from "../http/instant.ts";
import { checked } from "../http/validation.ts";
import { isScriptName } from "../scripts/names.ts";
import { scriptById, scriptByName } from "../scripts/queries.ts";
import { checkTrigger } from "./check.ts";
import { keepInboundSecret, type SecretKept } from "./inbound-secret.ts";
import { triggerLoops } from "./loops.ts";
import { kindNamed, type Ids, type Kept, type TriggerKind } from "./kinds/index.ts";
import {
  updateSchema,
  type RunBody,
  type Settings,
  type SavedTrigger,
  type TriggerDTO,
  type UpdateBody,
} from "./model.ts";
import {
  deleteTrigger,
  insertTrigger,
  lockTrigger,
  triggersOf,
  updateTrigger,
  type NewTrigger,
  type Trigger,
} from "./queries.ts";

export async function listTriggers(
  context: ManagerContext,
  who: Principal,
  app: string,
): Promise<TriggerDTO[]> {
  const { id } = await openApp(context, who, app, "AppManageTriggers");
  return (await triggersOf(context.db, id)).map(triggerDTO);
}

/**
 * Whoever makes a trigger is whom its runs stand for.
 * @param readBody read only once the caller is known to be allowed
 * @throws AppError 404 for a script that is not of this app, 422 for a module and for what the kind does not accept
 */
export async function createTrigger(
  context: ManagerContext,
  who: Actor,
  path: { readonly app: string; readonly kind: string },
  readBody: () => Promise<unknown>,
): Promise<SavedTrigger> {
  const { id: appId } = await openApp(context, who, path.app, "AppManageTriggers");
  // What is no kind is told before a body is asked for.
  kindNamed(path.kind);
  const { kind, body, kept: said } = checkTrigger(path.kind, await readBody());
  if (kind.name === "cron" && said.next_at === null) {
    throw invalid("invalid_schedule", "The schedule has no time to come: the trigger would never fire.", {
      details: { field: "schedule" },
    });
  }
  const { triggerRetry: defaults } = context.config;
  const created = await context.db.begin(async (sql) => {
    if (!(await lockAndTouch(sql, appId))) throw notFound("App");
    const script = isUuid(body.script_id)
      ? await scriptById(sql, appId, body.script_id)
      : isScriptName(body.script_id)
        ? await scriptByName(sql, appId, body.script_id)
        : undefined;
    if (script === undefined) throw notFound("Script");
    if (script.kind === "module") {
      throw invalid("script_is_module", `"${script.name}" is a module: it can be imported, but not be run.`, {
        details: { field: "script_id" },
      });
    }
    const ids = { app_id: appId, id: newId() };
    const { kept, made: secretMade } = await keep(context, sql, kind, ids, { body, kept: said }, undefined);
    const row = {
      ...kept,
      ...ids,
      script_id: script.id,
      kind: kind.name,
      enabled: true,
      disabled_reason: null,
      paused_until: null,
      retry_max_attempts: defaults.maxAttempts,
      retry_backoff: defaults.backoff,
      retry_base_ms: defaults.baseMs,
      ordering: null,
      transactional: false,
      registered_by: who.userId,
    };
    await insertTrigger(sql, withSettings(row, body));
    if (kind.name === "cron") await announceCron(sql);
    const made = await mustLock(sql, appId, row.id);
    await recordAudit(sql, who, {
      action: "trigger.create",
      appId,
      target: target(made),
      after: settingsOf(made),
    });
    return { ...withSecret(made, secretMade), ...(await loopWarnings(sql, made)) };
  });
  await context.catalogChanged(appId);
  if (created.kind === "cron") context.data.cronChanged();
  return created;
}

/**
 * Whoever enables a trigger that PiCloud disabled is whom its runs stand for from then on.
 * @throws AppError 404, 422
 */
export async function changeTrigger(
  context: ManagerContext,
  who: Actor,
  path: { readonly app: string; readonly tid: string },
  readBody: () => Promise<unknown>,
): Promise<SavedTrigger> {
  const { id: appId } = await openApp(context, who, path.app, "AppManageTriggers");
  const body = await readBody();
  const changed = await context.db.begin(async (sql) => {
    if (!(await lockAndTouch(sql, appId))) throw notFound("App");
    const before = await mustLock(sql, appId, path.tid);
    const kind = kindNamed(before.kind);
    const change = checked(updateSchema(kind), body) as UpdateBody;
    const said = { body: change, kept: kind.keep({ ...kind.show(before, before), ...change }, new Date()) };
    const { kept, made, isChanged } = await keep(context, sql, kind, before, said, before);
    const row = withSettings({ ...before, ...kept, next_at: nextOf(before, kept) }, change);
    const isRevived = row.enabled && before.disabled_reason !== null;
    await updateTrigger(sql, {
      ...row,
      disabled_reason: row.enabled ? null : before.disabled_reason,
      registered_by: isRevived ? who.userId : before.registered_by,
    });
    if (kind.name === "cron") await announceCron(sql);
    if (row.paused_until?.getTime() !== before.paused_until?.getTime())
      await holdEvents(sql, appId, before.id, row.paused_until);
    const after = await mustLock(sql, appId, before.id);
    await recordAudit(sql, who, {
      action: "trigger.update",
      appId,
      target: target(after),
      before: settingsOf(before),
      after: { ...settingsOf(after), ...(isChanged && { inbound_secret: "changed" }) },
      changed: droppedNote(after.dropped - before.dropped),
    });
    return { ...withSecret(after, made), ...(await loopWarnings(sql, after)) };
  });
  await context.catalogChanged(appId);
  context.data.eventsCaused();
  if (changed.kind === "cron") context.data.cronChanged();
  return changed;
}

export async function removeTrigger(
  context: ManagerContext,
  who: Actor,
  path: { readonly app: string; readonly tid: string },
): Promise<void> {
  const { id: appId } = await openApp(context, who, path.app, "AppManageTriggers");
  await context.db.begin(async (sql) => {
    if (!(await lockAndTouch(sql, appId))) throw notFound("App");
    const before = await mustLock(sql, appId, path.tid);
    const dropped = await deleteTrigger(sql, before);
    await recordAudit(sql, who, {
      action: "trigger.delete",
      appId,
      target: target(before),
      before: settingsOf(before),
      changed: droppedNote(dropped),
    });
  });
  await context.catalogChanged(appId);
}

/** Has a trigger's script called now, as if something had happened. @returns the id of the run @throws AppError 404, 409 */
export async function runTrigger(
  context: ManagerContext,
  who: Actor,
  path: { readonly app: string; readonly tid: string },
  { event = {} }: RunBody,
): Promise<string> {
  const { id: appId } = await openApp(context, who, path.app, "AppManageTriggers");
  const id = await context.db.begin(async (sql) => {
    const trigger = await mustLock(sql, appId, path.tid);
    if (!trigger.enabled) throw conflict("trigger_disabled", "The trigger is disabled; enable it first.");
    await recordAudit(sql, who, { action: "trigger.run", appId, target: target(trigger) });
    return sendEvent(sql, trigger, { op: "run", ...usualEvent(trigger), ...event, source: trigger.kind });
  });
  context.data.eventsCaused();
  return id;
}

/** What a run by hand gets that is given nothing: of cron what a firing now would have. */
function usualEvent({ id, kind, details }: Trigger): Readonly<Record<string, unknown>> {
  if (kind !== "cron") return { [kind]: {} };
  const now = Date.now();
  const { cron } = cronEvent(id, details, { at: now, missed: false }, now);
  return { cron };
}

async function loopWarnings(
  sql: Queryable,
  { app_id: appId, id: triggerId, enabled }: Trigger,
): Promise<Pick<SavedTrigger, "warnings">> {
  const loops = enabled ? await triggerLoops(sql, appId, { triggerId }) : [];
  return loops.length === 0 ? {} : { warnings: loops.map((message) => ({ message })) };
}

/** What a body says, as the table has it; of e-mail with the secret. */
const keep = async (
  { keyring }: ManagerContext,
  sql: Queryable,
  kind: TriggerKind,
  ids: Ids,
  said: Parameters<typeof keepInboundSecret>[3],
  before: Kept | undefined,
): Promise<SecretKept> =>
  kind.name === "email"
    ? keepInboundSecret(sql, keyring, ids, said, before)
    : { kept: said.kept, made: null, isChanged: false };

/** A firing that is due while something else is changed must not be lost. */
const nextOf = (before: Trigger, kept: Kept): Date | null =>
  before.enabled && Bun.deepEquals(before.details, kept.details) ? before.next_at : kept.next_at;

/** A trigger with what a body says about any kind. */
function withSettings(row: NewTrigger, body: Settings): NewTrigger {
  const paused = body.paused_until;
  return {
    ...row,
    enabled: body.enabled ?? row.enabled,
    retry_max_attempts: body.retry_max_attempts ?? row.retry_max_attempts,
    retry_backoff: body.retry_backoff ?? row.retry_backoff,
    retry_base_ms: body.retry_base_ms ?? row.retry_base_ms,
    ordering: body.ordering === undefined ? row.ordering : body.ordering,
    transactional: body.transactional ?? row.transactional,
    paused_until:
      paused === undefined ? row.paused_until : (instantOf(paused ?? undefined, "paused_until") ?? null),
  };
}

async function mustLock(sql: Queryable, appId: string, id: string): Promise<Trigger> {
  const trigger = isUuid(id) ? await lockTrigger(sql, appId, id) : undefined;
  if (trigger === undefined) throw notFound("Trigger");
  return trigger;
}

const target = ({ id, kind, script_name }: Trigger) => ({
  kind: "trigger",
  id,
  name: `${kind} for ${script_name}`,
});

const droppedNote = (count: number): string[] =>
  count === 0 ? [] : [`${count} waiting ${count === 1 ? "event" : "events"} dropped`];

const triggerDTO = (row: Trigger): TriggerDTO => ({
  ...settingsOf(row),
  dropped: row.dropped,
  last_fired_at: (row.kind === "cron" ? row.last_fired_at : row.last_run_at)?.toISOString() ?? null,
  last_execution_id: row.last_run_id,
  last_status: row.last_status,
});

/** What of a trigger only changes when somebody changes it. */
const settingsOf = (
  row: Trigger,
): Omit<TriggerDTO, "dropped" | "last_fired_at" | "last_execution_id" | "last_status"> => ({
  id: row.id,
  app_id: row.app_id,
  script_id: row.script_id,
  script_name: row.script_name,
  kind: row.kind,
  enabled: row.enabled,
  disabled_reason: row.disabled_reason,
  paused_until: row.paused_until?.toISOString() ?? null,
  dispatch_mode: "async",
  retry_max_attempts: row.retry_max_attempts,
  retry_backoff: row.retry_backoff,
  retry_base_ms: row.retry_base_ms,
  ordering: row.ordering,
  transactional: row.transactional,
  registered_by_principal: row.registered_by,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
  details: { kind: row.kind, ...kindNamed(row.kind).show(row, row) },
});

/** @param secret that was made just now: this answer is the only one that tells it */
const withSecret = (row: Trigger, secret: string | null): SavedTrigger => ({
  ...triggerDTO(row),
  ...(secret !== null && { inbound_secret: secret }),
});
