import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import { AdminDTO, adminDTO } from "../../services/identity/index.ts";
import { notFound } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { ManagerContext } from "../context.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { AdminPath, CreateAdmin, UpdateAdmin } from "./model.ts";

export const adminsModule = (context: ManagerContext) => {
  const { users } = context;
  const parse = jsonBody(context.config.maxBodyBytes);
  return apiModule()
    .get("/admins", async ({ request }) => (await users.list(principalOf(request))).map(adminDTO), {
      detail: { summary: "All users", tags: ["users"] },
      response: { 200: Type.Array(AdminDTO), ...problems(401, 403) },
    })
    .post(
      "/admins",
      async ({ request, body }) => status(201, adminDTO(await users.create(actorOf(request), body))),
      {
        parse,
        body: CreateAdmin,
        detail: { summary: "Creates a user", tags: ["users"] },
        response: { 201: AdminDTO, ...problems(401, 403, 409, 422) },
      },
    )
    .get(
      "/admins/:id",
      async ({ request, params }) => adminDTO(await users.read(principalOf(request), idOf(params))),
      {
        params: AdminPath,
        detail: { summary: "One user", tags: ["users"] },
        response: { 200: AdminDTO, ...problems(401, 403, 404) },
      },
    )
    .patch(
      "/admins/:id",
      async ({ request, params, body }) => adminDTO(await users.update(actorOf(request), idOf(params), body)),
      {
        parse,
        params: AdminPath,
        body: UpdateAdmin,
        detail: { summary: "Changes a user", tags: ["users"] },
        response: { 200: AdminDTO, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .delete(
      "/admins/:id",
      async ({ request, params }) => {
        await users.remove(actorOf(request), idOf(params));
        return status(204, undefined);
      },
      {
        params: AdminPath,
        detail: { summary: "Deletes a user", tags: ["users"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 422) },
      },
    );
};

function idOf(params: { readonly id: string }): string {
  if (!isUuid(params.id)) throw notFound("User");
  return params.id.toLowerCase();
}
