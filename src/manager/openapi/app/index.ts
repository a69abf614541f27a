import { Type } from "@sinclair/typebox";
import { openApp } from "../../apps/service.ts";
import { AppPath } from "../../apps/model.ts";
import type { ManagerContext } from "../../context.ts";
import { callerOf, principalOf } from "../../http/caller.ts";
import { apiModule, problems, strict } from "../../http/module.ts";
import { originsOf } from "../../scripts/urls.ts";
import { appDocument } from "./document.ts";
import { userRoutes } from "./queries.ts";

const AppOpenApi = strict({
  openapi: Type.String(),
  info: strict({ title: Type.String(), version: Type.String(), description: Type.Optional(Type.String()) }),
  servers: Type.Array(strict({ url: Type.String() })),
  paths: Type.Record(Type.String(), Type.Record(Type.String(), Type.Object({ summary: Type.String() }))),
});

export const appOpenApiModule = (context: ManagerContext) =>
  apiModule().get(
    "/apps/:app/openapi.json",
    async ({ request, params }) => {
      const app = await openApp(context, principalOf(request), params.app, "AppRead");
      const servers = await originsOf(context, app.id, callerOf(request).origin);
      return appDocument(app, await userRoutes(context.db, app.id), servers);
    },
    {
      params: AppPath,
      detail: { summary: "OpenAPI document of what an app serves", tags: ["apps"] },
      response: { 200: AppOpenApi, ...problems(401, 404) },
    },
  );
