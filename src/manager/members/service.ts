import { userById } from "../../services/identity/index.ts";
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
  who: Principal,
  app: string,
  input: { readonly user_id: string; readonly role: AppRole },
): Promise<MemberDTO> {
  const { id } = await openApp(context, who, app, "AppAdmin");
  const user = isUuid(input.user_id) ? await userById(context.db, input.user_id) : undefined;
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
  if (!(await insertMember(context.db, id, user.id, input.role))) {
    throw conflict("already_member", "This user is a member of the app already.");
  }
  return readMember(context, id, user.id);
}

const FIELD = { details: { field: "user_id" } };

export async function changeMember(
  context: ManagerContext,
  who: Principal,
  app: string,
  userId: string,
  role: AppRole,
): Promise<MemberDTO> {
  const { id } = await openApp(context, who, app, "AppAdmin");
  if (!isUuid(userId) || !(await setMemberRole(context.db, id, userId, role))) throw notFound("Member");
  return readMember(context, id, userId);
}

/** Afterwards the user is no member, whether or not there was one before. */
export async function removeMember(
  context: ManagerContext,
  who: Principal,
  app: string,
  userId: string,
): Promise<void> {
  const { id } = await openApp(context, who, app, "AppAdmin");
  if (isUuid(userId)) await deleteMember(context.db, id, userId);
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

async function readMember(context: ManagerContext, appId: string, userId: string): Promise<MemberDTO> {
  const [member] = await membersOf(context.db, appId, userId);
  // Removed again in between.
  if (member === undefined) throw notFound("Member");
  return memberDTO(member);
}

const memberDTO = (member: Member): MemberDTO => ({
  user_id: member.user_id,
  username: member.username,
  email: member.email,
  instance_role: member.instance_role,
  is_active: member.is_active,
  role: member.role,
  created_at: member.created_at.toISOString(),
});
