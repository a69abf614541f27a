import type { Queryable } from "../../database/client.ts";
import { after, createdUs } from "../../database/keyset.ts";
import { isUuid } from "../../shared/ids.ts";
import type { PageRequest } from "../http/cursor.ts";

/** A row of `audit_log`. */
export interface AuditRow {
  readonly id: string;
  readonly created_at: Date;
  readonly created_us: number | bigint;
  readonly actor_id: string | null;
  readonly actor_name: string;
  readonly key_id: string | null;
  readonly app_id: string | null;
  readonly action: string;
  readonly target_kind: string;
  readonly target_id: string;
  readonly target_name: string;
  readonly before_sha256: Uint8Array | null;
  readonly after_sha256: Uint8Array | null;
  readonly changed: string[];
  readonly request_id: string | null;
  readonly address: string | null;
}

/** Who has a name now. */
export async function userIdOf(sql: Queryable, username: string): Promise<string | undefined> {
  const [user] = await sql<{ id: string }[]>`select id from users where lower(username) = lower(${username})`;
  return user?.id;
}

export interface AuditFilter {
  /** Null: of all apps, and of the instance. */
  readonly appId: string | null;
  /** An id or a name. */
  readonly actor: string | undefined;
  /** `noun.verb`, or `noun`. */
  readonly action: string | undefined;
  /** Inclusive. */
  readonly from: Date | undefined;
  /** Exclusive. */
  readonly to: Date | undefined;
}

/** Changes, newest first; one more than the page holds, when there is one. */
export async function listAudit(sql: Queryable, filter: AuditFilter, page: PageRequest): Promise<AuditRow[]> {
  const { appId, actor, action, from, to } = filter;
  return sql<AuditRow[]>`
    select a.*, ${createdUs(sql, "a")}
    from audit_log a
    where ${appId === null ? sql`true` : sql`a.app_id = ${appId}`}
      ${actor === undefined ? sql`` : isUuid(actor) ? sql`and a.actor_id = ${actor}` : sql`and a.actor_name = ${actor}`}
      ${action === undefined ? sql`` : action.includes(".") ? sql`and a.action = ${action}` : sql`and split_part(a.action, '.', 1) = ${action}`}
      ${from === undefined ? sql`` : sql`and a.created_at >= ${from}`}
      ${to === undefined ? sql`` : sql`and a.created_at < ${to}`}
      ${page.after === null ? sql`` : sql`and ${after(sql, "a", page.after)}`}
    order by a.created_at desc, a.id desc
    limit ${page.limit + 1}`;
}
