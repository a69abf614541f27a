/** The identity behind a call. Anonymous HTTP has none (null). */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly instanceRole: InstanceRole;
}

/** `owner` may do everything; `admin` all but instance settings and owners; `member` what an app's role grants. */
export type InstanceRole = "owner" | "admin" | "member";

export type AppRole = "app_admin" | "editor" | "viewer";
