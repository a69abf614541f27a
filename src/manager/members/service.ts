import type { Queryable } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { conflict, invalid, notFound } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { AppRole, Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import type { CandidateDTO, MemberDTO } from "./model.ts";
import {
  candidatesFor,
  deleteMember,
  insertMember,
  lockMember,
  lockUser,
  membersOf,
  setMemberRole,
  type Member,
} from "./queries.ts";

export async function listMembers(
  context: ManagerContext,
  who: Principal,
  app: string,
): Promise<MemberDTO[]> {
  const { id } = await openApp(context, who, app, "AppAdmin");
  return (await membersOf(context.db, id)).map(memberDTO);
}

/** @throws AppError 404 unknown user, 409 `already_member`, 422 `user_inactive`, `role_not_member` */
export async function addMember(
  context: ManagerContext,
  who: Actor,
  app: string,
  input: { readonly user_id: string; readonly role: AppRole },
): Promise<MemberDTO> {
  const { id: appId } = await openApp(context, who, app, "AppAdmin");
  return context.db.begin(async (sql) => {
    const user = isUuid(input.user_id) ? await lockUser(sql, input.user_id) : undefined;
    if (user === undefined) throw notFound("User");
    if (!user.is_active)
      throw invalid("user_inactive", "This user is deactivated and cannot become a member.", FIELD);
    if (user.instance_role !== "member") {
      throw invalid(
        "role_not_member",
        "Owners and admins of the instance are app admins everywhere already.",
        FIELD,
      );
    }
    if (!(await insertMember(sql, appId, user.id, input.role))) {
      throw conflict("already_member", "This user is a member of the app already.");
    }
    const member = memberDTO(await memberOf(sql, appId, user.id));
    await recordAudit(sql, who, { action: "member.add", appId, target: target(member), after: member });
    return member;
  });
}

const FIELD = { details: { field: "user_id" } };

export async function changeMember(
  context: ManagerContext,
  who: Actor,
  app: string,
  userId: string,
  role: AppRole,
): Promise<MemberDTO> {
  const { id: appId } = await openApp(context, who, app, "AppAdmin");
  if (!isUuid(userId)) throw notFound("Member");
  return context.db.begin(async (sql) => {
    const before = memberDTO(await memberOf(sql, appId, userId));
    await setMemberRole(sql, appId, userId, role);
    const after = { ...before, role };
    await recordAudit(sql, who, { action: "member.update", appId, target: target(after), before, after });
    return after;
  });
}

/** Afterwards the user is no member, whether or not there was one before. */
export async function removeMember(
  context: ManagerContext,
  who: Actor,
  app: string,
  userId: string,
): Promise<void> {
  const { id: appId } = await openApp(context, who, app, "AppAdmin");
  if (!isUuid(userId)) return;
  await context.db.begin(async (sql) => {
    const row = await lockMember(sql, appId, userId);
    if (row === undefined) return;
    const before = memberDTO(row);
    await deleteMember(sql, appId, userId);
    await recordAudit(sql, who, { action: "member.remove", appId, target: target(before), before });
  });
}

/** Whom one could invite. */
export async function candidates(
  context: ManagerContext,
  who: Principal,
  app: string,
  search: string,
): Promise<CandidateDTO[]> {
  const { id } = await openApp(context, who, app, "AppAdmin");
  if (search.includes("\0")) return [];
  return (await candidatesFor(context.db, id, search)).map(({ user_id, username, email }) => ({
    user_id,
    username,
    email,
  }));
}

async function memberOf(sql: Queryable, appId: string, userId: string): Promise<Member> {
  const member = await lockMember(sql, appId, userId);
  if (member === undefined) throw notFound("Member");
  return member;
}

const target = (member: MemberDTO) => ({ kind: "member", id: member.user_id, name: member.username });

const memberDTO = (member: Member): MemberDTO => ({
  user_id: member.user_id,
  username: member.username,
  email: member.email,
  instance_role: member.instance_role,
  is_active: member.is_active,
  role: member.role,
  created_at: member.created_at.toISOString(),
});
