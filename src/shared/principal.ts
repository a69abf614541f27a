/** The identity behind a call. Anonymous HTTP has none (null). */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly instanceRole: InstanceRole;
  /** The API key that was shown, which allows less than its user may; null: a login or a password. */
  readonly key: KeyGrant | null;
}

/** What an API key allows. */
export interface KeyGrant {
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** The only app it is good for; null: all that its user sees. */
  readonly appId: string | null;
}

/** The seven scopes that a key may carry. The set is frozen. */
export const SCOPES = [
  "script:read",
  "script:write",
  "route:write",
  "domain:manage",
  "log:read",
  "app:admin",
  "instance:admin",
] as const;
export type Scope = (typeof SCOPES)[number];

/** `owner` may do everything; `admin` all but instance settings and owners; `member` what an app's role grants. */
export type InstanceRole = "owner" | "admin" | "member";

export type AppRole = "app_admin" | "editor" | "viewer";
