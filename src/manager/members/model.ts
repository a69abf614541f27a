import { Type, type Static } from "@sinclair/typebox";
import { InstanceRole } from "../../services/identity/index.ts";
import { AppRole } from "../apps/model.ts";
import { strict } from "../http/module.ts";

export const MemberDTO = strict({
  user_id: Type.String(),
  username: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
  instance_role: InstanceRole,
  is_active: Type.Boolean(),
  role: AppRole,
  created_at: Type.String(),
});
export type MemberDTO = Static<typeof MemberDTO>;

/** Somebody who could become a member. */
export const CandidateDTO = strict({
  user_id: Type.String(),
  username: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
});
export type CandidateDTO = Static<typeof CandidateDTO>;

export const CreateMember = strict({ user_id: Type.String(), role: AppRole });
export const UpdateMember = strict({ role: AppRole });
export const CandidatesQuery = strict({ q: Type.Optional(Type.String({ maxLength: 256 })) });
export const MemberPath = Type.Object({ app: Type.String(), user_id: Type.String() });
