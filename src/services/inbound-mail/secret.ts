import { randomBytes } from "node:crypto";
import type { Queryable } from "../../database/client.ts";
import { openText, sealText, type AppKey, type Keyring, type SealedText } from "../secrets/index.ts";

/** What the table of triggers has in `details` of one for e-mail. */
export interface MailDetails {
  /** Absent: requests need no signature. */
  readonly secret?: SealedText;
}

/** 256 random bits, as text that needs no quoting anywhere. */
export const newInboundSecret = (): string => randomBytes(32).toString("hex");

/** Seals what requests to a trigger are signed with. It opens for that trigger only. */
export const sealInboundSecret = async (
  sql: Queryable,
  keyring: Keyring,
  trigger: { readonly appId: string; readonly id: string },
  secret: string,
): Promise<MailDetails> => ({
  secret: await sealText(sql, keyring, trigger.appId, secret, placeOf(trigger.id)),
});

/** @throws AppError 500 `secret_key_missing`, `secret_unreadable` */
export const openInboundSecret = (
  keyring: Keyring,
  key: AppKey,
  triggerId: string,
  secret: SealedText,
): string => openText(keyring, key, secret, placeOf(triggerId));

const placeOf = (triggerId: string): string => `inbound-mail\n${triggerId}`;
