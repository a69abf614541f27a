import type { Queryable } from "../../database/client.ts";
import { after, createdUs, type Position } from "../../database/keyset.ts";
import type { AppRole } from "../../shared/principal.ts";
import type { ExecutionError, ExecutionStatus, LogDTO, LogEntry, RecordedBody, RunOfTree } from "./model.ts";

/** A row of `executions`, without the body of its request. */
export interface StoredExecution {
  readonly app_id: string;
  readonly id: string;
  readonly script_id: string;
  readonly version: number;
  readonly request_id: string;
  readonly root_execution_id: string;
  readonly trigger_kind: string;
  readonly trigger_id: string | null;
  readonly status: ExecutionStatus;
  readonly status_code: number | null;
  readonly duration_ms: number;
  readonly operations: number | bigint;
  readonly request: LogDTO["request"];
  readonly response_summary: string | null;
  readonly error: ExecutionError | null;
  readonly logs: LogEntry[];
  readonly rerun_of: string | null;
  readonly principal_id: string | null;
  readonly created_at: Date;
}

export const executionColumns = (sql: Queryable) => sql`
  e.app_id, e.id, e.script_id, e.version, e.request_id, e.root_execution_id, e.trigger_kind, e.trigger_id, e.status,
  e.status_code, e.duration_ms, e.operations, e.request, e.response_summary, e.error, e.logs, e.rerun_of,
  e.principal_id, e.created_at`;

/** The API's shape of a run. */
export const logDto = (row: StoredExecution): LogDTO => ({
  id: row.id,
  app_id: row.app_id,
  script_id: row.script_id,
  version: row.version,
  execution_id: row.id,
  request_id: row.request_id,
  status: row.status,
  status_code: row.status_code,
  duration_ms: row.duration_ms,
  operations: Number(row.operations),
  request: row.request,
  response_summary: row.response_summary,
  error: row.error,
  logs: row.logs,
  trigger_kind: row.trigger_kind,
  trigger_id: row.trigger_id,
  root_execution_id: row.root_execution_id,
  rerun_of: row.rerun_of,
  principal_id: row.principal_id,
  created_at: row.created_at.toISOString(),
});

/** Which runs of an app. */
export interface ExecutionFilter {
  readonly scriptId?: string | undefined;
  readonly status?: ExecutionStatus | undefined;
  readonly triggerKind?: string | undefined;
  readonly version?: number | undefined;
  /** Started then or later. */
  readonly from?: Date | undefined;
  /** Started before. */
  readonly to?: Date | undefined;
}

/**
 * Runs of an app, newest first. Every combination of filters finds an index that gives its rows in this order. Failures
 * and triggered runs have partial ones, whose conditions stand here word for word: with a value alone the server could
 * not know, when it plans for any value, that they apply.
 */
export async function searchExecutions(
  sql: Queryable,
  appId: string,
  filter: ExecutionFilter,
  page: { readonly limit: number; readonly after: Position | null },
): Promise<(StoredExecution & { readonly created_us: number | bigint })[]> {
  const { scriptId, status, triggerKind, version, from, to } = filter;
  return sql<(StoredExecution & { readonly created_us: number | bigint })[]>`
    select ${executionColumns(sql)}, ${createdUs(sql, "e")}
    from executions e
    where e.app_id = ${appId}
      ${scriptId === undefined ? sql`` : sql`and e.script_id = ${scriptId}`}
      ${status === undefined ? sql`` : sql`and e.status = ${status}`}
      ${status === undefined || status === "success" ? sql`` : sql`and e.status <> 'success'`}
      ${triggerKind === undefined ? sql`` : sql`and e.trigger_kind = ${triggerKind}`}
      ${triggerKind === undefined || triggerKind === "http" ? sql`` : sql`and e.trigger_kind <> 'http'`}
      ${version === undefined ? sql`` : sql`and e.version = ${version}`}
      ${from === undefined ? sql`` : sql`and e.created_at >= ${from}`}
      ${to === undefined ? sql`` : sql`and e.created_at < ${to}`}
      ${page.after === null ? sql`` : sql`and ${after(sql, "e", page.after)}`}
    order by e.created_at desc, e.id desc
    limit ${page.limit}`;
}

/** A run with the body of its request, and what the membership table grants a user in its app. */
export interface WholeExecution extends StoredExecution {
  readonly request_body: RecordedBody | null;
  readonly script_name: string;
  readonly granted: AppRole | null;
}

/** One run of any app: the key begins with the app, so each app is asked for it. */
export async function findExecution(
  sql: Queryable,
  id: string,
  userId: string,
): Promise<WholeExecution | undefined> {
  const [row] = await sql<WholeExecution[]>`
    select ${executionColumns(sql)}, e.request_body, s.name as script_name, m.role as granted
    from apps a
    join executions e on e.app_id = a.id and e.id = ${id}
    join scripts s on s.app_id = e.app_id and s.id = e.script_id
    left join app_members m on m.app_id = a.id and m.user_id = ${userId}`;
  return row;
}

/** Runs of a tree that are told at most. */
const MAX_TREE = 200;

/** All runs that came of one, that one first, then as they started. */
export async function runsOfRoot(sql: Queryable, appId: string, rootId: string): Promise<RunOfTree[]> {
  const rows = await sql<(Omit<RunOfTree, "created_at"> & { readonly created_at: Date })[]>`
    select id, script_id, version, status, status_code, trigger_kind, rerun_of, created_at
    from (
      select * from executions where app_id = ${appId} and id = ${rootId}
      union all
      select * from executions where app_id = ${appId} and root_execution_id = ${rootId} and root_execution_id <> id
    ) runs
    order by id <> ${rootId}, created_at, id
    limit ${MAX_TREE}`;
  return rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() }));
}
