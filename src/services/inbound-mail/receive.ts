import { createHash } from "node:crypto";
import type { Queryable } from "../../database/client.ts";
import { newId } from "../../shared/ids.ts";
import type { Keyring } from "../secrets/index.ts";
import type { Email } from "./message.ts";
import { insertMail, type Mailbox, type Receipt } from "./queries.ts";
import { openInboundSecret } from "./secret.ts";

/**
 * What requests to a mailbox are signed with; null: they need no signature.
 * @throws AppError 500 `secret_key_missing`, `secret_unreadable`
 */
export function secretOf(keyring: Keyring, { triggerId, key, secret }: Mailbox): string | null {
  if (secret === undefined) return null;
  if (key === null) throw new Error(`the app of trigger ${triggerId} has a sealed secret and no key`);
  return openInboundSecret(keyring, key, triggerId, secret);
}

/**
 * Has a message delivered to the script of its trigger. One whose Message-ID, or whose signature, came within the last 24
 * hours is not delivered again, also when both come at the same moment.
 * @param signature that it came with, which was verified
 * @returns undefined: the trigger is gone, or was disabled
 */
export function receive(
  sql: Queryable,
  mailbox: Mailbox,
  email: Email,
  signature: Uint8Array | null,
): Promise<Receipt | undefined> {
  const keys = [
    ...(email.message_id === null ? [] : [digest("message-id", email.message_id)]),
    ...(signature === null ? [] : [digest("signature", signature)]),
    // In one order: two that have both in common wait for each other one way only.
  ].toSorted();
  return insertMail(sql, mailbox, newId(), keys, JSON.stringify({ source: "email", op: "receive", email }));
}

const digest = (what: string, value: string | Uint8Array): string =>
  createHash("sha256").update(`${what}\0`).update(value).digest("hex");
