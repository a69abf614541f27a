import type { Principal } from "../../shared/principal.ts";

/** Who made a change, and with which request. */
export interface Actor extends Principal {
  readonly requestId: string | null;
  /** The client's address. */
  readonly address: string | null;
}

/** Somebody at the machine itself, who needs no login. */
export const LOCAL_ACTOR = {
  userId: null,
  username: "(this machine)",
  key: null,
  requestId: null,
  address: null,
};

/** One change. */
export interface AuditEntry {
  /** `noun.verb`: `script.update`, `member.add`, `key.revoke`. */
  readonly action: string;
  /** Null: it concerns the instance. */
  readonly appId: string | null;
  readonly target: { readonly kind: string; readonly id: string; readonly name: string };
  /**
   * The resource before and after, as the API shows it (a DTO); absent: it was not there. Only their hashes and the names
   * of the fields that differ are kept. A secret that changed is named in `changed` instead.
   */
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  /** Further names of what changed, such as `password`. */
  readonly changed?: readonly string[];
}
