import type { Queryable } from "../../database/client.ts";

/** Which request: the key that the client chose, below the route (or script) that it was sent to. */
export interface KeyedRequest {
  readonly appId: string;
  /** The route's id, or the script's for /api/v1/execute. */
  readonly scopeId: string;
  readonly key: string;
}

/** The answer to a request, as it is given again. */
export interface StoredAnswer {
  readonly status: number;
  /** Names and values; a name may come more than once. */
  readonly headers: [name: string, value: string][];
  readonly body: Uint8Array;
}

interface Row {
  readonly request_sha256: Uint8Array;
  readonly status: number | null;
  readonly headers: StoredAnswer["headers"] | null;
  readonly body: Uint8Array | null;
}

/**
 * Takes a key for a request. A key whose request never came to an end, because its process died, is free again after
 * `abandonedSeconds`; any is after a day (CONTRACT 14.3).
 * @returns whether it was taken
 */
export async function takeKey(
  db: Queryable,
  { appId, scopeId, key }: KeyedRequest,
  request: { readonly sha256: Uint8Array; readonly executionId: string; readonly abandonedSeconds: number },
): Promise<boolean> {
  const rows = await db`
    insert into idempotency_keys as k (app_id, scope_id, key, request_sha256, execution_id)
    values (${appId}, ${scopeId}, ${key}, ${request.sha256}, ${request.executionId})
    on conflict (app_id, scope_id, key) do update
      set request_sha256 = excluded.request_sha256, execution_id = excluded.execution_id, status = null, headers = null,
        body = null, created_at = now()
      where k.created_at < now() - interval '24 hours'
        or k.status is null and k.created_at < now() - make_interval(secs => ${request.abandonedSeconds})
    returning 1`;
  return rows.length > 0;
}

/** What is known of a key that was not free. Undefined: it has become free. */
export async function readKey(
  db: Queryable,
  { appId, scopeId, key }: KeyedRequest,
): Promise<Row | undefined> {
  const [row] = await db<Row[]>`
    select request_sha256, status, headers, body from idempotency_keys
    where app_id = ${appId} and scope_id = ${scopeId} and key = ${key}`;
  return row;
}

/** Keeps the answer. `executionId` makes sure that the key is still this request's. @returns whether it was */
export async function storeAnswer(
  db: Queryable,
  { appId, scopeId, key }: KeyedRequest,
  executionId: string,
  answer: StoredAnswer,
): Promise<boolean> {
  const rows = await db`
    update idempotency_keys set status = ${answer.status}, headers = ${db.json(answer.headers)}, body = ${answer.body}
    where app_id = ${appId} and scope_id = ${scopeId} and key = ${key} and execution_id = ${executionId}
    returning 1`;
  return rows.length > 0;
}

/** Frees a key whose request was not carried out. One that has an answer was, though nobody may have heard of it. */
export async function releaseKey(
  db: Queryable,
  { appId, scopeId, key }: KeyedRequest,
  executionId: string,
): Promise<void> {
  await db`
    delete from idempotency_keys
    where app_id = ${appId} and scope_id = ${scopeId} and key = ${key} and execution_id = ${executionId}
      and status is null`;
}
