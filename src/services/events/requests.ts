import type { Queryable } from "../../database/client.ts";
import type { RetryPolicy } from "./backoff.ts";

/** A request whose answer nobody waits for. */
export interface AcceptedRequest {
  readonly appId: string;
  /** Also the id of its first run. */
  readonly id: string;
  readonly routeId: string;
  readonly scriptId: string;
  /** JSON text. */
  readonly request: string;
  readonly principalId: string | null;
  readonly retries: RetryPolicy;
}

/** Keeps a request until it is carried out. @throws AppError 422 `malformed_body` for what the database cannot keep */
export async function insertRequest(sql: Queryable, accepted: AcceptedRequest): Promise<void> {
  const { retries } = accepted;
  await sql`
    insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
      origin_principal, retry_max_attempts, retry_backoff, retry_base_ms)
    values (${accepted.appId}, ${accepted.id}, 'http', 'request', ${accepted.routeId}, ${accepted.scriptId},
      ${accepted.request}::text::jsonb, 0, ${accepted.id}, ${accepted.principalId}, ${retries.maxAttempts},
      ${retries.backoff}, ${retries.baseMs})`;
}
