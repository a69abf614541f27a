import type { Queryable } from "../../database/client.ts";
import type { AppRole, InstanceRole } from "../../shared/principal.ts";

/** A row of `users`. */
export interface User {
  readonly id: string;
  readonly username: string;
  readonly password_hash: string;
  readonly instance_role: InstanceRole;
  readonly email: string | null;
  readonly is_active: boolean;
  readonly created_at: Date;
  readonly last_login_at: Date | null;
}

export interface NewUser {
  readonly id: string;
  readonly username: string;
  readonly passwordHash: string;
  readonly instanceRole: InstanceRole;
  readonly email: string | null;
}

/** Usernames are compared without regard to case. */
export async function userByName(sql: Queryable, username: string): Promise<User | undefined> {
  const [user] = await sql<User[]>`select * from users where lower(username) = lower(${username})`;
  return user;
}

export async function userById(sql: Queryable, id: string): Promise<User | undefined> {
  const [user] = await sql<User[]>`select * from users where id = ${id}`;
  return user;
}

export async function allUsers(sql: Queryable): Promise<User[]> {
  return sql<User[]>`select * from users order by lower(username)`;
}

export async function insertUser(sql: Queryable, user: NewUser): Promise<User> {
  const [row] = await sql<User[]>`
    insert into users (id, username, password_hash, instance_role, email)
    values (${user.id}, ${user.username}, ${user.passwordHash}, ${user.instanceRole}, ${user.email})
    returning *`;
  if (row === undefined) throw new Error("insert into users returned no row");
  return row;
}

/** All users, locked until the transaction ends: guards such as "the last owner" must see a settled table. */
export async function lockUsers(sql: Queryable): Promise<User[]> {
  return sql<User[]>`select * from users order by id for update`;
}

export async function replaceUser(sql: Queryable, user: User): Promise<User> {
  const [row] = await sql<User[]>`
    update users
    set username = ${user.username}, password_hash = ${user.password_hash}, instance_role = ${user.instance_role},
        email = ${user.email}, is_active = ${user.is_active}
    where id = ${user.id}
    returning *`;
  if (row === undefined) throw new Error("update of a locked user returned no row");
  return row;
}

/**
 * Keeps a user as they are until the transaction ends, for what must not outlive their deactivation or their password.
 * False: they are deactivated or deleted.
 * @param passwordHash false too when the password is not this one any more
 */
export async function holdActiveUser(sql: Queryable, id: string, passwordHash?: string): Promise<boolean> {
  const rows = await sql`
    select 1 from users
    where id = ${id} and is_active and ${passwordHash === undefined ? sql`true` : sql`password_hash = ${passwordHash}`}
    for no key update`;
  return rows.length === 1;
}

/** Undefined: there is no such user. */
export async function setPassword(sql: Queryable, id: string, hash: string): Promise<User | undefined> {
  const [user] = await sql<User[]>`update users set password_hash = ${hash} where id = ${id} returning *`;
  return user;
}

export async function deleteUser(sql: Queryable, id: string): Promise<void> {
  await sql`delete from users where id = ${id}`;
}

export interface SessionRow extends User {
  readonly expires_at: Date;
}

/** The user of a session that has not expired, whether or not the user is active. */
export async function sessionUser(
  sql: Queryable,
  tokenHash: Uint8Array,
  now: Date,
): Promise<SessionRow | undefined> {
  const [row] = await sql<SessionRow[]>`
    select users.*, sessions.expires_at
    from sessions join users on users.id = sessions.user_id
    where token_sha256 = ${tokenHash} and expires_at > ${now}`;
  return row;
}

/** Opens a session, notes the login, and sweeps out what has expired: one round trip. */
export async function insertSession(
  sql: Queryable,
  session: {
    readonly tokenHash: Uint8Array;
    readonly userId: string;
    readonly now: Date;
    readonly expiresAt: Date;
  },
): Promise<void> {
  await sql`
    with swept as (
      delete from sessions where token_sha256 in (
        select token_sha256 from sessions where expires_at <= ${session.now} for update skip locked)),
    noted as (update users set last_login_at = ${session.now} where id = ${session.userId})
    insert into sessions (token_sha256, user_id, created_at, expires_at)
    values (${session.tokenHash}, ${session.userId}, ${session.now}, ${session.expiresAt})`;
}

export async function extendSession(sql: Queryable, tokenHash: Uint8Array, expiresAt: Date): Promise<void> {
  await sql`update sessions set expires_at = greatest(expires_at, ${expiresAt}) where token_sha256 = ${tokenHash}`;
}

/** The user whose session it was; undefined: there was none. */
export async function deleteSession(sql: Queryable, tokenHash: Uint8Array): Promise<User | undefined> {
  const [user] = await sql<User[]>`
    delete from sessions using users
    where token_sha256 = ${tokenHash} and users.id = sessions.user_id
    returning users.*`;
  return user;
}

export async function deleteSessionsOf(sql: Queryable, userId: string): Promise<void> {
  await sql`delete from sessions where user_id = ${userId}`;
}

/** What the membership table says; null for no row (also when the app does not exist). */
export async function grantedRole(sql: Queryable, userId: string, appId: string): Promise<AppRole | null> {
  const [row] = await sql<{ role: AppRole }[]>`
    select role from app_members where app_id = ${appId} and user_id = ${userId}`;
  return row?.role ?? null;
}
