import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { internalPath } from "../http/actions.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { CandidateDTO, CandidatesQuery, CreateMember, MemberDTO, MemberPath, UpdateMember } from "./model.ts";
import { addMember, candidates, changeMember, listMembers, removeMember } from "./service.ts";

export const membersModule = (context: ManagerContext) => {
  const parse = jsonBody(context.config.maxBodyBytes);
  return apiModule()
    .get(
      "/apps/:app/members",
      ({ request, params }) => listMembers(context, principalOf(request), params.app),
      {
        params: AppPath,
        detail: { summary: "The members of an app, by username", tags: ["members"] },
        response: { 200: Type.Array(MemberDTO), ...problems(401, 403, 404) },
      },
    )
    .post(
      "/apps/:app/members",
      async ({ request, params, body }) =>
        status(201, await addMember(context, actorOf(request), params.app, body)),
      {
        parse,
        params: AppPath,
        body: CreateMember,
        detail: { summary: "Makes a user a member of an app", tags: ["members"] },
        response: { 201: MemberDTO, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .patch(
      "/apps/:app/members/:user_id",
      ({ request, params, body }) =>
        changeMember(context, actorOf(request), params.app, params.user_id, body.role),
      {
        parse,
        params: MemberPath,
        body: UpdateMember,
        detail: { summary: "Changes the role of a member", tags: ["members"] },
        response: { 200: MemberDTO, ...problems(401, 403, 404, 422) },
      },
    )
    .delete(
      "/apps/:app/members/:user_id",
      async ({ request, params }) => {
        await removeMember(context, actorOf(request), params.app, params.user_id);
        return status(204, undefined);
      },
      {
        params: MemberPath,
        detail: { summary: "Ends a membership", tags: ["members"] },
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    )
    .get(
      internalPath("/apps/:app/members:candidates"),
      ({ request, params, query }) => candidates(context, principalOf(request), params.app, query.q ?? ""),
      {
        params: AppPath,
        query: CandidatesQuery,
        detail: { summary: "Users who could become members", tags: ["members"] },
        response: { 200: Type.Array(CandidateDTO), ...problems(401, 403, 404, 422) },
      },
    );
};
