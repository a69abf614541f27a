import type { Queryable } from "../../database/client.ts";
import type { AppKey } from "../secrets/index.ts";
import type { MailDetails } from "./secret.ts";

/** A trigger that takes e-mail. */
export interface Mailbox extends MailDetails {
  readonly appId: string;
  readonly triggerId: string;
  /** The app's, which the secret is sealed with. */
  readonly key: AppKey | null;
}

/** An enabled trigger for e-mail; undefined: there is none of that id in that app. */
export async function findMailbox(
  sql: Queryable,
  appId: string,
  triggerId: string,
): Promise<Mailbox | undefined> {
  const [row] = await sql<
    { details: MailDetails; key_id: string | null; nonce: Uint8Array; ciphertext: Uint8Array }[]
  >`
    select t.details, k.key_id, k.nonce, k.ciphertext
    from triggers t left join app_keys k on k.app_id = t.app_id
    where t.app_id = ${appId} and t.id = ${triggerId} and t.kind = 'email' and t.enabled`;
  if (row === undefined) return undefined;
  const { details, key_id, nonce, ciphertext } = row;
  const key = key_id === null ? null : { app_id: appId, key_id, nonce, ciphertext };
  return { appId, triggerId, key, ...details };
}

export interface Receipt {
  /** Of the event, and of its first run. */
  readonly id: string;
  readonly acceptedAt: Date;
  readonly isDuplicate: boolean;
}

/**
 * Keeps a message for its script, and what it is known by, or tells when it came before.
 * @param keys what it is known by
 * @param event JSON text
 * @returns undefined: the trigger is gone, or was disabled
 */
export async function insertMail(
  sql: Queryable,
  { appId, triggerId }: Pick<Mailbox, "appId" | "triggerId">,
  id: string,
  keys: readonly string[],
  event: string,
): Promise<Receipt | undefined> {
  const [row] = await sql<{ id: string; accepted_at: Date; is_duplicate: boolean }[]>`
    select id, accepted_at, is_duplicate
    from receive_email(${appId}, ${triggerId}, ${id}, ${keys as string[]}::text[], ${event}::text::jsonb)`;
  return row && { id: row.id, acceptedAt: row.accepted_at, isDuplicate: row.is_duplicate };
}

/** Forgets which messages came before a time. @returns how many rows were deleted, at most `rows` */
export async function deleteOldReceipts(sql: Queryable, before: Date, rows: number): Promise<number> {
  // One may be taken again meanwhile, which makes it new.
  const { count } = await sql`
    delete from email_receipts r
    using (select app_id, trigger_id, key from email_receipts where received_at < ${before} limit ${rows}) old
    where r.app_id = old.app_id and r.trigger_id = old.trigger_id and r.key = old.key and r.received_at < ${before}`;
  return count;
}
