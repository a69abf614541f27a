import type { Queryable } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import {
  countLetters,
  findLetter,
  lettersOf,
  lockLetter,
  replayLetters,
  resolveLetter,
  type Letter,
  type LetterFilter,
  type Resolution,
} from "../../services/events/index.ts";
import { conflict, invalid, notFound } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { page, pageRequest } from "../http/cursor.ts";
import { shownPayload } from "./payload.ts";
import type { DeadLetterDTO, LettersQuery, LetterSummary, ReplayBody } from "./model.ts";

/** Letters that one call replays, so that none takes long. */
const MAX_REPLAY = 1000;

interface LetterPath {
  readonly app: string;
  readonly dl_id: string;
}

/** @throws AppError 404, 403, 422 */
export async function listLetters(context: ManagerContext, who: Principal, app: string, query: LettersQuery) {
  const { id: appId } = await openApp(context, who, app, "AppDeadLetterManage");
  const wanted = pageRequest(query);
  const filter = { ...filterOf(query), unresolved: query.unresolved === "true" };
  const rows = await lettersOf(context.db, appId, filter, { ...wanted, limit: wanted.limit + 1 });
  return page(rows, wanted.limit, summary);
}

/** How many letters of an app nobody has dealt with. */
export async function unresolvedLetters(
  context: ManagerContext,
  who: Principal,
  app: string,
): Promise<number> {
  const { id: appId } = await openApp(context, who, app, "AppDeadLetterManage");
  return countLetters(context.db, appId, { unresolved: true });
}

export async function wholeLetter(
  context: ManagerContext,
  who: Principal,
  path: LetterPath,
): Promise<DeadLetterDTO> {
  const { id: appId } = await openApp(context, who, path.app, "AppDeadLetterManage");
  const letter = isUuid(path.dl_id) ? await findLetter(context.db, appId, path.dl_id) : undefined;
  if (letter === undefined) throw notFound("Dead letter");
  return { ...summary(letter), payload: shownPayload(letter) };
}

/**
 * Has the delivery tried again from its first attempt on.
 * @throws AppError 409 `already_resolved`, unless all that happened is that a handler failed
 */
export async function replayLetter(
  context: ManagerContext,
  who: Actor,
  path: LetterPath,
): Promise<LetterSummary> {
  const { id: appId } = await openApp(context, who, path.app, "AppDeadLetterManage");
  const letter = await context.db.begin(async (sql) => {
    const before = await openLetter(sql, appId, path.dl_id);
    await replayLetters(sql, appId, { id: before.id }, context.config.triggerRetry, 1);
    return recordChange(sql, who, "dead_letter.replay", before);
  });
  context.data.eventsCaused();
  return letter;
}

/** @throws AppError 409 `already_resolved` */
export async function closeLetter(
  context: ManagerContext,
  who: Actor,
  path: LetterPath,
  reason: Resolution,
): Promise<LetterSummary> {
  const { id: appId } = await openApp(context, who, path.app, "AppDeadLetterManage");
  return context.db.begin(async (sql) => {
    const before = await openLetter(sql, appId, path.dl_id);
    await resolveLetter(sql, appId, before.id, reason);
    return recordChange(sql, who, "dead_letter.resolve", before);
  });
}

/** Replays the oldest unresolved letters that a filter names, 1000 at most. */
export async function replayMany(
  context: ManagerContext,
  who: Actor,
  app: string,
  body: ReplayBody,
): Promise<{ readonly replayed: number; readonly remaining: number }> {
  const { id: appId, slug } = await openApp(context, who, app, "AppDeadLetterManage");
  const filter = { ...filterOf(body), unresolved: true };
  const result = await context.db.begin(async (sql) => {
    const ids = await replayLetters(sql, appId, filter, context.config.triggerRetry, MAX_REPLAY);
    await recordAudit(sql, who, {
      action: "dead_letter.replay",
      appId,
      target: { kind: "app", id: appId, name: slug },
      changed: [`${ids.length} dead letters`],
    });
    return { replayed: ids.length, remaining: await countLetters(sql, appId, filter) };
  });
  if (result.replayed > 0) context.data.eventsCaused();
  return result;
}

/** @throws AppError 422 */
function filterOf({ source, trigger_id, script_id }: ReplayBody): LetterFilter {
  return { source, triggerId: idOf("trigger_id", trigger_id), scriptId: idOf("script_id", script_id) };
}

function idOf(field: string, id: string | undefined): string | undefined {
  if (id === undefined || isUuid(id)) return id;
  throw invalid("validation", `${field}: not acceptable; expected an id.`, { details: { field } });
}

/** A letter that can still be dealt with, locked. */
async function openLetter(sql: Queryable, appId: string, id: string): Promise<Letter> {
  const letter = isUuid(id) ? await lockLetter(sql, appId, id) : undefined;
  if (letter === undefined) throw notFound("Dead letter");
  if (letter.resolution === null || letter.resolution === "handler_failed") return letter;
  throw conflict("already_resolved", `The dead letter is resolved already: ${letter.resolution}.`, {
    details: { resolution: letter.resolution },
  });
}

async function recordChange(
  sql: Queryable,
  who: Actor,
  action: string,
  before: Letter,
): Promise<LetterSummary> {
  const letter = await lockLetter(sql, before.app_id, before.id);
  if (letter === undefined) throw notFound("Dead letter");
  await recordAudit(sql, who, {
    action,
    appId: letter.app_id,
    target: { kind: "dead_letter", id: letter.id, name: `${letter.source} ${letter.op}` },
    before: summary(before),
    after: summary(letter),
  });
  return summary(letter);
}

const summary = (letter: Letter): LetterSummary => ({
  id: letter.id,
  app_id: letter.app_id,
  original_event_id: letter.original_event_id,
  source: letter.source,
  op: letter.op,
  trigger_id: letter.trigger_id,
  script_id: letter.script_id,
  attempt_count: letter.attempt_count,
  first_attempt_at: letter.first_attempt_at?.toISOString() ?? null,
  last_attempt_at: letter.last_attempt_at?.toISOString() ?? null,
  last_error: letter.last_error,
  created_at: letter.created_at.toISOString(),
  resolved_at: letter.resolved_at?.toISOString() ?? null,
  resolution: letter.resolution,
});
