import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import { SecretDTO } from "../../services/secrets/index.ts";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { SecretPath, SetSecret } from "./model.ts";
import { deleteSecret, secretNames, setSecret } from "./service.ts";

export const secretsModule = (context: ManagerContext) =>
  apiModule()
    .get(
      "/apps/:app/secrets",
      ({ request, params }) => secretNames(context, principalOf(request), params.app),
      {
        params: AppPath,
        detail: { summary: "Names of an app's secrets; never their values", tags: ["secrets"] },
        response: { 200: Type.Array(SecretDTO), ...problems(401, 403, 404) },
      },
    )
    .post(
      "/apps/:app/secrets",
      async ({ request, params, body }) => {
        const { created, secret } = await setSecret(context, actorOf(request), params.app, body);
        return status(created ? 201 : 200, secret);
      },
      {
        parse: jsonBody(context.config.maxBodyBytes),
        params: AppPath,
        body: SetSecret,
        detail: { summary: "Sets a secret, which only the app's scripts can read", tags: ["secrets"] },
        response: { 200: SecretDTO, 201: SecretDTO, ...problems(401, 403, 404, 413, 422) },
      },
    )
    .delete(
      "/apps/:app/secrets/:name",
      async ({ request, params }) => {
        await deleteSecret(context, actorOf(request), params.app, params.name);
        return status(204, undefined);
      },
      {
        params: SecretPath,
        detail: { summary: "Deletes a secret", tags: ["secrets"] },
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    );
