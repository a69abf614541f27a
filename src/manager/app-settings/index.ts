import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, problems } from "../http/module.ts";
import { AppSettingsDTO, UpdateSettings } from "./model.ts";
import { changeSettings, settingsOf } from "./service.ts";

export const appSettingsModule = (context: ManagerContext) =>
  apiModule()
    .get(
      "/apps/:app/settings",
      ({ request, params }) => settingsOf(context, principalOf(request), params.app),
      {
        params: AppPath,
        detail: { summary: "The settings of an app", tags: ["apps"] },
        response: { 200: AppSettingsDTO, ...problems(401, 403, 404) },
      },
    )
    .patch(
      "/apps/:app/settings",
      ({ request, params, body }) => changeSettings(context, actorOf(request), params.app, body),
      {
        parse: jsonBody(context.config.maxBodyBytes),
        params: AppPath,
        body: UpdateSettings,
        detail: { summary: "Changes some settings of an app", tags: ["apps"] },
        response: { 200: AppSettingsDTO, ...problems(401, 403, 404, 422) },
      },
    );
