import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import { KeyDTO, keyDTO, refuseKeys } from "../../services/identity/index.ts";
import { invalid } from "../../shared/errors.ts";
import type { Actor } from "../../services/audit/index.ts";
import { openVisibleApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { parseInstant } from "../../shared/instant.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { CreatedKey, CreateKey, KeyPath } from "./model.ts";

/** A user's own API keys. */
export const apiKeysModule = (context: ManagerContext) =>
  apiModule()
    .get(
      "/api-keys",
      async ({ request }) => (await context.identity.keys.list(principalOf(request))).map(keyDTO),
      {
        detail: { summary: "The caller's API keys, without their texts", tags: ["api-keys"] },
        response: { 200: Type.Array(KeyDTO), ...problems(401, 403) },
      },
    )
    .post(
      "/api-keys",
      async ({ request, body }) => status(201, await createKey(context, actorOf(request), body)),
      {
        parse: jsonBody(context.config.maxBodyBytes),
        body: CreateKey,
        detail: { summary: "Makes an API key; its text is in this answer only", tags: ["api-keys"] },
        response: { 201: CreatedKey, ...problems(401, 403, 404, 422) },
      },
    )
    .delete(
      "/api-keys/:id",
      async ({ request, params }) => {
        await context.identity.keys.revoke(actorOf(request), params.id);
        return status(204, undefined);
      },
      {
        params: KeyPath,
        detail: { summary: "Revokes an API key at once", tags: ["api-keys"] },
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    );

async function createKey(context: ManagerContext, who: Actor, input: CreateKey) {
  refuseKeys(who, "Managing API keys");
  const { app_id: appKey = null, expires_at: end = null } = input;
  const app = appKey === null ? null : await openVisibleApp(context, who, appKey);
  const { key, text } = await context.identity.keys.create(who, {
    name: input.name,
    scopes: input.scopes,
    appId: app?.id ?? null,
    expiresAt: end === null ? null : instant(end),
  });
  return { ...keyDTO(key), raw_token: text };
}

/** @throws AppError 422 for what only looks like a time, such as a 31st of April */
function instant(text: string): Date {
  const time = parseInstant(text);
  if (time !== null) return time;
  throw invalid("validation", `expires_at: there is no such time as ${text}.`, {
    details: { field: "expires_at" },
  });
}
