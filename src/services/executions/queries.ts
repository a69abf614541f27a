import type { Queryable } from "../../database/client.ts";
import { invalid } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { LogDTO } from "./model.ts";
import { executionColumns, logDto, type StoredExecution } from "./read.ts";

/** Which part of a script's log, newest first. */
export interface LogPage {
  /** 1 to 200. Default 50. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  /** `created_at,id` of the last row seen: the page after it. Wins over `offset`. */
  readonly before?: string | undefined;
}

/** Most rows of a page (CONTRACT 2.3). */
export const MAX_LOG_PAGE = 200;

/**
 * Runs of one script, newest first.
 * @throws AppError 422 `invalid_cursor`
 */
export async function listLogs(
  db: Queryable,
  appId: string,
  scriptId: string,
  page: LogPage,
): Promise<LogDTO[]> {
  const limit = Math.min(Math.max(page.limit ?? 50, 1), MAX_LOG_PAGE);
  const before = page.before === undefined ? null : parseCursor(page.before);
  const rows = await db<StoredExecution[]>`
    select ${executionColumns(db)}
    from executions e
    where e.app_id = ${appId} and e.script_id = ${scriptId}
      ${before === null ? db`` : db`and (e.created_at, e.id) < (${before.createdAt}::timestamptz, ${before.id}::uuid)`}
    order by e.created_at desc, e.id desc
    limit ${limit} offset ${before === null ? Math.max(page.offset ?? 0, 0) : 0}`;
  return rows.map(logDto);
}

function parseCursor(text: string): { readonly createdAt: string; readonly id: string } {
  const [createdAt = "", id = ""] = text.split(",");
  if (Number.isNaN(Date.parse(createdAt)) || !isUuid(id)) {
    throw invalid("invalid_cursor", 'before is "created_at,id" of the last row of the page before.', {
      details: { field: "before" },
    });
  }
  return { createdAt: new Date(createdAt).toISOString(), id };
}

/**
 * Writes rows given as one JSON array. Rows of scripts that are gone vanish silently. The commit does not wait for the
 * disk: after a power cut the last half second of the log may be missing, which no answer depends on.
 */
export async function insertExecutions(db: Queryable, rows: string): Promise<void> {
  await db`
    with relaxed as materialized (select set_config('synchronous_commit', 'off', true) as done)
    insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind, trigger_id,
      status, status_code, duration_ms, operations, request, request_body, response_summary, error, logs, rerun_of,
      principal_id, created_at)
    select r.app_id, r.id, r.script_id, r.version, r.request_id, r.root_execution_id, r.trigger_kind, r.trigger_id,
      r.status, r.status_code, r.duration_ms, r.operations, r.request, r.request_body, r.response_summary,
      r.error, r.logs, r.rerun_of, r.principal_id, to_timestamp(r.created_ms / 1000.0)
    from relaxed
    cross join jsonb_to_recordset(${rows}::text::jsonb) as r(app_id uuid, id uuid, script_id uuid, version integer,
      request_id uuid, root_execution_id uuid, trigger_kind text, trigger_id uuid, status text, status_code integer,
      duration_ms double precision, operations bigint, request jsonb, request_body jsonb, response_summary text,
      error jsonb, logs jsonb, rerun_of uuid, principal_id uuid, created_ms bigint)
    join scripts s on s.app_id = r.app_id and s.id = r.script_id
    where relaxed.done is not null
    on conflict do nothing`;
}

/** Adds to the counts of rows that were not written. */
export async function insertDrops(db: Queryable, rows: string): Promise<void> {
  await db`
    insert into execution_drops (app_id, script_id, minute, dropped)
    select r.app_id, r.script_id, to_timestamp(r.minute * 60), r.dropped
    from jsonb_to_recordset(${rows}::text::jsonb) as r(app_id uuid, script_id uuid, minute bigint, dropped bigint)
    join scripts s on s.app_id = r.app_id and s.id = r.script_id
    on conflict (app_id, script_id, minute) do update set dropped = execution_drops.dropped + excluded.dropped`;
}
