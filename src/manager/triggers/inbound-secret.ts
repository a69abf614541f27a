import type { Queryable } from "../../database/client.ts";
import { newInboundSecret, sealInboundSecret } from "../../services/inbound-mail/index.ts";
import type { Keyring } from "../../services/secrets/index.ts";
import { invalid } from "../../shared/errors.ts";
import type { Ids, Kept } from "./kinds/index.ts";

export interface SecretKept {
  readonly kept: Kept;
  /** A new secret, for the one answer that tells it. */
  readonly made: string | null;
  /** Whether it is another one than before, or none any more. */
  readonly isChanged: boolean;
}

/**
 * Keeps the secret that e-mail to a trigger is signed with.
 * @param said what a body says of the trigger, and what is kept of that without a secret
 * @param before what was kept; undefined: the trigger is new, and gets a secret unless it is said otherwise
 * @throws AppError 422 for a body that both gives a secret and asks for one
 */
export async function keepInboundSecret(
  sql: Queryable,
  keyring: Keyring,
  { app_id: appId, id }: Ids,
  said: { readonly body: Readonly<Record<string, unknown>>; readonly kept: Kept },
  before: Kept | undefined,
): Promise<SecretKept> {
  const given = said.body["inbound_secret"] as string | null | undefined;
  const isAsked = said.body["new_inbound_secret"] === true;
  if (given !== undefined && isAsked) {
    throw invalid("validation", "new_inbound_secret: not together with inbound_secret.", {
      details: { field: "new_inbound_secret" },
    });
  }
  const withDetails = (details: Kept["details"]): Kept => ({ ...said.kept, details });
  if (given === null) return { kept: withDetails({}), made: null, isChanged: true };
  if (given === undefined && !isAsked && before !== undefined)
    return { kept: withDetails(before.details), made: null, isChanged: false };
  const secret = given ?? newInboundSecret();
  const details = await sealInboundSecret(sql, keyring, { appId, id }, secret);
  return { kept: withDetails({ ...details }), made: given === undefined ? secret : null, isChanged: true };
}
