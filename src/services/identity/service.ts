import type { Database, Queryable } from "../../database/client.ts";
import type { Clock } from "../../shared/clock.ts";
import { notFound, unauthorized } from "../../shared/errors.ts";
import { logger } from "../../shared/log.ts";
import type { AppRole, KeyGrant, Principal } from "../../shared/principal.ts";
import { recordAudit } from "../audit/index.ts";
import { createKeyring, type Keyring } from "../secrets/index.ts";
import { createApiKeys, isKeyText, type ApiKeys } from "./api-keys.ts";
import { clientAddress, trustedProxies, type TrustedProxies } from "./client-address.ts";
import { demand, type AppCapability } from "./capabilities.ts";
import { basicCredential, bearerToken, sessionCookie } from "./credentials.ts";
import { createLogins, type Credential } from "./logins.ts";
import { grantedRole, holdActiveUser, type User } from "./queries.ts";
import { systemRandomness } from "./random-password.ts";
import { createSessions, type Randomness } from "./sessions.ts";

export interface IdentityDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** 32 bytes. What must not be guessable without it is keyed with a key derived from it. */
  readonly secretKey: Uint8Array;
  /** Opens what is kept sealed in the database. Default: made of `secretKey` alone. */
  readonly keyring?: Keyring;
  readonly sessionTtlHours: number;
  /** Addresses and networks that may set X-Forwarded-*. */
  readonly trustedProxies: readonly string[];
  /** Default: the operating system's. */
  readonly randomness?: Randomness;
}

/** How a caller proved who they are. What browsers send by themselves (cookies) needs more care than the rest. */
export type CredentialKind = "bearer" | "key" | "basic" | "cookie";

export interface Authentication {
  readonly principal: Principal;
  readonly kind: CredentialKind;
  /** Set when the login's lifetime was renewed just now, so that a cookie can be renewed as well. */
  readonly extended: Date | null;
}

export interface Login {
  readonly token: string;
  readonly expiresAt: Date;
  readonly user: User;
}

export interface Identity {
  /** Opens a session. @param requestId for the audit log @throws AppError 401, 429 with Retry-After */
  login(credential: Credential, address: string, requestId?: string): Promise<Login>;
  /** Ends the session that the headers carry, if any. */
  logout(headers: Headers, address: string, requestId?: string): Promise<void>;
  /**
   * Who calls. Looks at Authorization (Bearer with an API key or a login token, Basic) first, then at the cookie `picloud_session`.
   * @param address the client's, as `addressOf` gives it
   * @returns null when there is no credential at all
   * @throws AppError 401 when there is one that is not valid, 429 when it is a throttled Basic login
   */
  authenticate(headers: Headers, address: string): Promise<Authentication | null>;
  /**
   * Who calls, for the data plane, where a credential is optional: null for none, a bad one, and while the database is
   * away. Basic credentials are looked at only with `basic: true`, since a script may have Basic users of its own.
   */
  principalOf(
    headers: Headers,
    address: string,
    options?: { readonly basic?: boolean },
  ): Promise<Principal | null>;
  /**
   * Lets a call pass that concerns an app. @returns the caller's effective role in it
   * @throws AppError 404 when the app is invisible to the caller, 403 when the role is too low
   */
  authorize(principal: Principal, capability: AppCapability, appId: string): Promise<AppRole>;
  readonly keys: ApiKeys;
  readonly proxies: TrustedProxies;
  /** The client's address behind the trusted proxies. */
  addressOf(headers: Headers, peer: string): string;
}

export function createIdentity(deps: IdentityDeps): Identity {
  const randomness = deps.randomness ?? systemRandomness;
  const sessions = createSessions(deps.db, deps.clock, randomness, deps.sessionTtlHours);
  const keys = createApiKeys(deps.db, deps.clock, deps.keyring ?? createKeyring(deps.secretKey), randomness);
  const logins = createLogins(deps.db, deps.clock, deps.secretKey);
  const proxies = trustedProxies(deps.trustedProxies);

  const bySession = async (token: string, kind: CredentialKind): Promise<Authentication | null> => {
    const session = await sessions.find(token);
    if (session === null) return null;
    return { principal: principal(session.user), kind, extended: session.extended };
  };

  const authenticate = async (headers: Headers, address: string): Promise<Authentication | null> => {
    const bearer = bearerToken(headers);
    if (bearer !== null && isKeyText(bearer)) {
      const found = await keys.find(bearer);
      if (found === null) throw unauthorized("The API key is not valid, has expired, or was revoked.");
      const { id, scopes, app_id: appId } = found.key;
      return { principal: principal(found.user, { id, scopes, appId }), kind: "key", extended: null };
    }
    if (bearer !== null) {
      const found = await bySession(bearer, "bearer");
      if (found === null) throw unauthorized("The bearer token is not valid, or has expired. Log in again.");
      return found;
    }
    const basic = basicCredential(headers);
    if (basic !== null) {
      const user = await logins.recognise(basic, address);
      if (user === null) throw wrongLogin();
      return { principal: principal(user), kind: "basic", extended: null };
    }
    if (headers.has("authorization")) {
      throw unauthorized(
        "The Authorization header is neither a bearer token nor a username and password (Basic).",
      );
    }
    const cookie = sessionCookie(headers);
    if (cookie === null) return null;
    const found = await bySession(cookie, "cookie");
    if (found === null) throw unauthorized("The login has expired. Log in again.");
    return found;
  };

  return {
    keys,
    proxies,
    authenticate,
    addressOf: (headers, peer) => clientAddress(headers, peer, proxies),
    async login(credential, address, requestId) {
      const user = await logins.verify(credential, address);
      if (user === null) throw wrongLogin();
      const session = await deps.db.begin(async (sql) => {
        // Verifying takes its time; a reset or a deactivation meanwhile has closed all sessions, this one included.
        if (!(await holdActiveUser(sql, user.id, user.password_hash))) throw wrongLogin();
        const opened = await sessions.open(sql, user);
        await recordSession(sql, "auth.login", user, address, requestId);
        return opened;
      });
      return { ...session, user };
    },
    async logout(headers, address, requestId) {
      const token = bearerToken(headers) ?? sessionCookie(headers);
      if (token === null) return;
      await deps.db.begin(async (sql) => {
        const user = await sessions.close(sql, token);
        if (user !== null) await recordSession(sql, "auth.logout", user, address, requestId);
      });
    },
    async principalOf(headers, address, options) {
      try {
        if (options?.basic !== true && basicCredential(headers) !== null) return null;
        return (await authenticate(headers, address))?.principal ?? null;
      } catch (error) {
        logger("identity").debug("a credential was not accepted: {error}", { error });
        return null;
      }
    },
    async authorize(who, capability, appId) {
      const granted = who.instanceRole === "member" ? await grantedRole(deps.db, who.userId, appId) : null;
      return demand(who, { app_id: appId, granted }, capability, "App");
    },
  };
}

const wrongLogin = () => unauthorized("Wrong username or password.");

const recordSession = (
  sql: Queryable,
  action: "auth.login" | "auth.logout",
  user: User,
  address: string,
  requestId: string | null = null,
): Promise<void> =>
  recordAudit(
    sql,
    { ...principal(user), address, requestId },
    { action, appId: null, target: { kind: "user", id: user.id, name: user.username } },
  );

/** 404 about a user; here, so that every place says the same. */
export const userNotFound = () => notFound("User");

const principal = (user: User, key: KeyGrant | null = null): Principal => ({
  userId: user.id,
  username: user.username,
  instanceRole: user.instance_role,
  key,
});
