import { createHmac } from "node:crypto";
import type { Database } from "../../database/client.ts";
import type { Clock } from "../../shared/clock.ts";
import { verifyPassword } from "./passwords.ts";
import { userById, userByName, type User } from "./queries.ts";
import { throttleAddress } from "./client-address.ts";
import { createThrottle } from "./throttle.ts";

/** How long a verified Basic credential is recognised without hashing the password again. */
export const REMEMBER_MS = 5 * 60_000;
/** Credentials remembered at most; beyond, the oldest is forgotten. */
const MAX_REMEMBERED = 1_000;

export interface Credential {
  readonly username: string;
  readonly password: string;
}

export interface Logins {
  /**
   * The active user whom a username and password belong to; null when they are wrong.
   * @throws AppError 429 after too many failures, even when the password is right
   */
  verify(credential: Credential, address: string): Promise<User | null>;
  /** Like `verify`, but a credential that was verified in the last minutes costs one read, and is never throttled. */
  recognise(credential: Credential, address: string): Promise<User | null>;
}

interface Remembered {
  readonly userId: string;
  /** What it was verified against. When the stored hash is another one by now, the password has changed. */
  readonly passwordHash: string;
  readonly until: number;
}

/** Verification of passwords: throttled, one at a time for the same credential, and remembered for HTTP Basic. */
export function createLogins(db: Database, clock: Clock, secretKey: Uint8Array): Logins {
  const throttle = createThrottle(clock);
  const key = createHmac("sha256", secretKey).update("picloud/basic-credentials/1").digest();
  const remembered = new Map<string, Remembered>();
  const running = new Map<string, Promise<User | null>>();

  /** Neither username nor password can be read from it, and it is useless without the server's key. */
  const fingerprint = ({ username, password }: Credential): string =>
    createHmac("sha256", key)
      .update(JSON.stringify([username.toLowerCase(), password]))
      .digest("base64url");

  const check = async (credential: Credential, subject: string): Promise<User | null> => {
    const attempt = throttle.begin(subject);
    let user: User | undefined;
    let fits: boolean;
    try {
      user = await userByName(db, credential.username);
      fits = await verifyPassword(credential.password, user?.password_hash ?? null);
    } catch (error) {
      attempt.abandoned();
      throw error;
    }
    if (!fits || user === undefined || !user.is_active) {
      attempt.failed();
      return null;
    }
    attempt.succeeded();
    return user;
  };

  const verify = async (credential: Credential, address: string): Promise<User | null> => {
    const subject = `${credential.username.toLowerCase().slice(0, 128)} ${throttleAddress(address)}`;
    const flight = `${fingerprint(credential)} ${subject}`;
    // Many clients that start at once with the same credential cost one hash, and count as one attempt.
    let result = running.get(flight);
    if (result === undefined) {
      result = check(credential, subject).finally(() => running.delete(flight));
      running.set(flight, result);
    }
    return result;
  };

  return {
    verify,
    async recognise(credential, address) {
      const print = fingerprint(credential);
      const known = remembered.get(print);
      if (known !== undefined) {
        if (known.until > clock.now()) {
          // Read every time: a change made by another process counts at once too.
          const user = await userById(db, known.userId);
          const same = user?.username.toLowerCase() === credential.username.toLowerCase();
          if (same && user?.is_active === true && user.password_hash === known.passwordHash) return user;
        }
        remembered.delete(print);
      }
      const user = await verify(credential, address);
      if (user === null) return null;
      remembered.set(print, {
        userId: user.id,
        passwordHash: user.password_hash,
        until: clock.now() + REMEMBER_MS,
      });
      if (remembered.size > MAX_REMEMBERED) {
        const [oldest] = remembered.keys();
        if (oldest !== undefined) remembered.delete(oldest);
      }
      return user;
    },
  };
}
