import { demandInstance } from "../../services/identity/index.ts";
import { isUuid } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { page, pageRequest } from "../http/cursor.ts";
import { instantOf } from "../http/instant.ts";
import type { AuditDTO, AuditQuery } from "./model.ts";
import { listAudit, userIdOf, type AuditRow } from "./queries.ts";

/**
 * What was changed, newest first. Admins of the instance see everything; an app's admins what concerns their app.
 * @throws AppError 403 for others, and for an app's admins that name no app; 404 for an app that the caller may not see;
 *   422 `invalid_cursor`, `invalid_time`
 */
export async function readAudit(context: ManagerContext, who: Principal, query: AuditQuery) {
  const filter = {
    appId: await appOf(context, who, query.app),
    actor: await actorOf(context, query.actor),
    action: query.action,
    from: instantOf(query.from, "from"),
    to: instantOf(query.to, "to"),
  };
  const wanted = pageRequest(query);
  return page(await listAudit(context.db, filter, wanted), wanted.limit, auditDTO);
}

async function appOf(
  context: ManagerContext,
  who: Principal,
  app: string | undefined,
): Promise<string | null> {
  if (app === undefined) {
    demandInstance(who, "InstanceManageUsers");
    return null;
  }
  // What is recorded outlives the app; an admin who is signed in may still ask for it by the app's id.
  if (isUuid(app) && who.key === null && who.instanceRole !== "member") return app;
  return (await openApp(context, who, app, "AppAdmin")).id;
}

/** An id where there is one, which finds what a user did under former names too; else the name of somebody who is gone. */
async function actorOf(context: ManagerContext, actor: string | undefined): Promise<string | undefined> {
  if (actor === undefined || isUuid(actor)) return actor;
  return (await userIdOf(context.db, actor)) ?? actor;
}

const auditDTO = (row: AuditRow): AuditDTO => ({
  id: row.id,
  created_at: row.created_at.toISOString(),
  actor: { id: row.actor_id, name: row.actor_name },
  key_id: row.key_id,
  app_id: row.app_id,
  action: row.action,
  target: { kind: row.target_kind, id: row.target_id, name: row.target_name },
  changed: row.changed,
  before_sha256: hex(row.before_sha256),
  after_sha256: hex(row.after_sha256),
  request_id: row.request_id,
  address: row.address,
});

const hex = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString("hex");
