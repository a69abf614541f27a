import { createHmac } from "node:crypto";
import type { Database } from "../../database/client.ts";
import type { Clock } from "../../shared/clock.ts";
import { invalid, notFound, unauthorized } from "../../shared/errors.ts";
import { isUuid, newId } from "../../shared/ids.ts";
import { logger } from "../../shared/log.ts";
import { SCOPES, type Principal, type Scope } from "../../shared/principal.ts";
import { recordAudit, type Actor } from "../audit/index.ts";
import { findServerKey, serverKey, type Keyring } from "../secrets/index.ts";
import { base32 } from "./base32.ts";
import { bearerToken } from "./credentials.ts";
import { refuseKeys } from "./capabilities.ts";
import {
  deleteKey,
  insertKey,
  keysOf,
  noteKeyUse,
  usableKey,
  type ApiKey,
  type KeyAndUser,
} from "./key-queries.ts";
import { keyDTO } from "./model.ts";
import { holdActiveUser } from "./queries.ts";
import type { Randomness } from "./sessions.ts";

/** 32 random bytes as base32. Any other bearer token is a login's. */
const KEY = /^pic_[A-Z2-7]{52}$/;
const MARK = "pic_";
const PREFIX_LENGTH = 8;

/** How often at most a key's last use is written down. */
const NOTE_USE_EVERY_MS = 60_000;

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** An app that the caller sees; null: all of them. */
  readonly appId: string | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

/** A user's own keys for programs. Each allows what its user may do, as far as its scopes and its binding reach. */
export interface ApiKeys {
  list(who: Principal): Promise<ApiKey[]>;
  /**
   * @returns the key, and its text, which is stored nowhere
   * @throws AppError 403 to a caller with a key, 422 `expiry_in_past`, `bound_instance_scope`
   */
  create(who: Actor, key: NewKey): Promise<{ readonly key: ApiKey; readonly text: string }>;
  /** @throws AppError 404 when it does not exist or is somebody else's, 403 to a caller with a key */
  revoke(who: Actor, id: string): Promise<void>;
  /** The key with this text and its user, as long as they are good. Notes the use, without waiting for it. */
  find(text: string): Promise<KeyAndUser | null>;
}

/** Whether a bearer token has the form of a key. */
export const isKeyText = (text: string): boolean => KEY.test(text);

/** Whether Authorization holds a text of that form, good or not: nobody but us is to see it. */
export const carriesKey = (headers: Headers): boolean => isKeyText(bearerToken(headers) ?? "");

export function createApiKeys(db: Database, clock: Clock, keyring: Keyring, randomness: Randomness): ApiKeys {
  let known: Uint8Array | null = null;
  /** Read once: it never changes, only what it is sealed with does. Null: there has never been a key. */
  const pepper = async (): Promise<Uint8Array | null> =>
    (known ??= await findServerKey(db, keyring, "api-keys"));

  const noteUse = ({ key }: KeyAndUser, now: number): void => {
    if (key.last_used_at !== null && now - key.last_used_at.getTime() < NOTE_USE_EVERY_MS) return;
    noteKeyUse(db, key.id, new Date(now)).catch((error: unknown) => {
      logger("identity").debug("the use of key {id} was not written down: {error}", { id: key.id, error });
    });
  };

  return {
    async list(who) {
      refuseKeys(who, "Managing API keys");
      return keysOf(db, who.userId);
    },
    async create(who, input) {
      refuseKeys(who, "Managing API keys");
      checkNewKey(input, clock.now());
      const text = MARK + base32(randomness(32));
      const key = await db.begin(async (sql) => {
        // Deactivated meanwhile: all keys have expired, and this one must not come after them.
        if (!(await holdActiveUser(sql, who.userId))) throw unauthorized();
        const row = await insertKey(sql, {
          id: newId(),
          user_id: who.userId,
          name: input.name,
          prefix: text.slice(MARK.length, MARK.length + PREFIX_LENGTH),
          tokenHmac: hmac(await serverKey(sql, keyring, "api-keys"), text),
          scopes: SCOPES.filter((scope) => input.scopes.includes(scope)),
          app_id: input.appId,
          created_at: new Date(clock.now()),
          expires_at: input.expiresAt,
        });
        await recordAudit(sql, who, {
          action: "key.create",
          appId: row.app_id,
          target: { kind: "api_key", id: row.id, name: row.name },
          after: keyDTO(row),
        });
        return row;
      });
      return { key, text };
    },
    async revoke(who, id) {
      refuseKeys(who, "Managing API keys");
      await db.begin(async (sql) => {
        const row = isUuid(id) ? await deleteKey(sql, who.userId, id) : undefined;
        if (row === undefined) throw notFound("API key");
        await recordAudit(sql, who, {
          action: "key.revoke",
          appId: row.app_id,
          target: { kind: "api_key", id: row.id, name: row.name },
          before: keyDTO(row),
        });
      });
    },
    async find(text) {
      const now = clock.now();
      const key = await pepper();
      const found = key === null ? undefined : await usableKey(db, hmac(key, text), new Date(now));
      if (found === undefined) return null;
      noteUse(found, now);
      return found;
    },
  };
}

/** The text has 256 random bits, so there is nothing to slow down; without the key nobody can add a row that works. */
const hmac = (key: Uint8Array, text: string): Buffer => createHmac("sha256", key).update(text).digest();

function checkNewKey(input: NewKey, now: number): void {
  if (input.expiresAt !== null && input.expiresAt.getTime() <= now) {
    throw invalid("expiry_in_past", "expires_at is in the past; the key would never be good for anything.", {
      details: { field: "expires_at" },
    });
  }
  if (input.appId !== null && input.scopes.includes("instance:admin")) {
    throw invalid(
      "bound_instance_scope",
      "A key that is bound to an app cannot carry the scope instance:admin. Leave out one of the two.",
      { details: { field: "scopes" } },
    );
  }
}
