import { createHash } from "node:crypto";
import type { Database, Queryable } from "../../database/client.ts";
import type { Clock } from "../../shared/clock.ts";
import { deleteSession, extendSession, insertSession, sessionUser, type User } from "./queries.ts";

/** What a login token looks like: 32 bytes as base64url. Anything else is refused without asking the database. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** The lifetime slides, but is written back only after this part of it has passed: not at every request. */
const EXTEND_AFTER = 1 / 20;

/** `length` unpredictable bytes. Injected, so that tests decide them. */
export type Randomness = (length: number) => Uint8Array;

export interface Sessions {
  /** @returns the token, which is nowhere stored, and when it ends if it is not used */
  open(sql: Queryable, user: User): Promise<{ readonly token: string; readonly expiresAt: Date }>;
  /** The active user behind a token; `extended` is set when the lifetime was renewed just now. */
  find(token: string): Promise<{ readonly user: User; readonly extended: Date | null } | null>;
  /** Ends the session. @returns its user; null when there was none */
  close(sql: Queryable, token: string): Promise<User | null>;
}

export function createSessions(
  db: Database,
  clock: Clock,
  randomness: Randomness,
  ttlHours: number,
): Sessions {
  const ttlMs = ttlHours * 3_600_000;
  return {
    async open(sql, user) {
      const token = Buffer.from(randomness(32)).toString("base64url");
      const now = clock.now();
      const expiresAt = new Date(now + ttlMs);
      await insertSession(sql, { tokenHash: hash(token), userId: user.id, now: new Date(now), expiresAt });
      return { token, expiresAt };
    },
    async find(token) {
      if (!TOKEN.test(token)) return null;
      const now = clock.now();
      const row = await sessionUser(db, hash(token), new Date(now));
      if (row === undefined || !row.is_active) return null;
      if (row.expires_at.getTime() - now > ttlMs * (1 - EXTEND_AFTER)) return { user: row, extended: null };
      const extended = new Date(now + ttlMs);
      await extendSession(db, hash(token), extended);
      return { user: row, extended };
    },
    async close(sql, token) {
      return TOKEN.test(token) ? ((await deleteSession(sql, hash(token))) ?? null) : null;
    },
  };
}

/** Only this is stored. A token has 256 random bits, so a plain hash suffices. */
const hash = (token: string): Buffer => createHash("sha256").update(token).digest();
