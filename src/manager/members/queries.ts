import type { Queryable } from "../../database/client.ts";
import type { AppRole, InstanceRole } from "../../shared/principal.ts";

/** A row of `app_members`, with its user. */
export interface Member {
  readonly user_id: string;
  readonly username: string;
  readonly email: string | null;
  readonly instance_role: InstanceRole;
  readonly is_active: boolean;
  readonly role: AppRole;
  readonly created_at: Date;
}

const members = (sql: Queryable) => sql`
  select m.user_id, u.username, u.email, u.instance_role, u.is_active, m.role, m.created_at
  from app_members m join users u on u.id = m.user_id`;

export async function membersOf(sql: Queryable, appId: string): Promise<Member[]> {
  return sql<Member[]>`${members(sql)} where m.app_id = ${appId} order by lower(u.username)`;
}

/** One member, whom nobody else changes until the transaction ends. */
export async function lockMember(sql: Queryable, appId: string, userId: string): Promise<Member | undefined> {
  const [member] = await sql<Member[]>`
    ${members(sql)} where m.app_id = ${appId} and m.user_id = ${userId} for update of m`;
  return member;
}

/** A user who is neither promoted nor deactivated until the transaction ends. */
export async function lockUser(
  sql: Queryable,
  id: string,
): Promise<
  { readonly id: string; readonly is_active: boolean; readonly instance_role: InstanceRole } | undefined
> {
  const [user] = await sql<{ id: string; is_active: boolean; instance_role: InstanceRole }[]>`
    select id, is_active, instance_role from users where id = ${id} for share`;
  return user;
}

/** False: the user is a member already. Of two that grant at once, the first one counts. */
export async function insertMember(
  sql: Queryable,
  appId: string,
  userId: string,
  role: AppRole,
): Promise<boolean> {
  const rows = await sql`
    insert into app_members (app_id, user_id, role) values (${appId}, ${userId}, ${role})
    on conflict (app_id, user_id) do nothing returning 1`;
  return rows.length === 1;
}

export async function setMemberRole(
  sql: Queryable,
  appId: string,
  userId: string,
  role: AppRole,
): Promise<void> {
  await sql`update app_members set role = ${role} where app_id = ${appId} and user_id = ${userId}`;
}

export async function deleteMember(sql: Queryable, appId: string, userId: string): Promise<void> {
  await sql`delete from app_members where app_id = ${appId} and user_id = ${userId}`;
}

/** Active users with the instance role member who are not in the app yet. @param search part of a name or address */
export async function candidatesFor(
  sql: Queryable,
  appId: string,
  search: string,
): Promise<Pick<Member, "user_id" | "username" | "email">[]> {
  return sql<Pick<Member, "user_id" | "username" | "email">[]>`
    select u.id as user_id, u.username, u.email
    from users u
    where u.is_active and u.instance_role = 'member'
      and (strpos(lower(u.username), lower(${search})) > 0 or strpos(lower(coalesce(u.email, '')), lower(${search})) > 0)
      and not exists (select 1 from app_members m where m.app_id = ${appId} and m.user_id = u.id)
    order by lower(u.username)
    limit 50`;
}
