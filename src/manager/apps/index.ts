import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import type { ManagerContext } from "../context.ts";
import { jsonBody, readOptionalJson } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { internalPath } from "../http/actions.ts";
import {
  AppDTO,
  AppPath,
  AppWithRole,
  CheckSlug,
  CreateApp,
  DeleteAppQuery,
  PauseApp,
  SlugAnswer,
  UpdateApp,
} from "./model.ts";
import { slugCheck } from "./slugs.ts";
import {
  changeApp,
  createApp,
  openApp,
  pauseApp,
  removeApp,
  resumeApp,
  visibleApps,
  withRole,
} from "./service.ts";

export const appsModule = (context: ManagerContext) => {
  const parse = jsonBody(context.config.maxBodyBytes);
  return apiModule()
    .get("/apps", ({ request }) => visibleApps(context, principalOf(request)), {
      detail: { summary: "The apps that the caller may see", tags: ["apps"] },
      response: { 200: Type.Array(AppDTO), ...problems(401) },
    })
    .post(
      "/apps",
      async ({ request, body }) => status(201, await createApp(context, actorOf(request), body)),
      {
        parse,
        body: CreateApp,
        detail: { summary: "Creates an app", tags: ["apps"] },
        response: { 201: AppWithRole, ...problems(401, 403, 409, 422) },
      },
    )
    .get(
      "/apps/:app",
      async ({ request, params }) => {
        const who = principalOf(request);
        return withRole(await openApp(context, who, params.app, "AppRead"), who);
      },
      {
        params: AppPath,
        detail: { summary: "One app, with the caller's role in it", tags: ["apps"] },
        response: { 200: AppWithRole, ...problems(401, 403, 404) },
      },
    )
    .patch(
      "/apps/:app",
      ({ request, params, body }) => changeApp(context, actorOf(request), params.app, body),
      {
        parse,
        params: AppPath,
        body: UpdateApp,
        detail: {
          summary: "Changes name, description or slug of an app, or pauses it until some time",
          tags: ["apps"],
        },
        response: { 200: AppWithRole, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .delete(
      "/apps/:app",
      async ({ request, params, query }) => {
        await removeApp(context, actorOf(request), params.app, query.force === true);
        return status(204, undefined);
      },
      {
        params: AppPath,
        query: DeleteAppQuery,
        detail: { summary: "Deletes an app with everything in it", tags: ["apps"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .post(
      internalPath("/apps/:app:pause"),
      ({ request, params, body }) => pauseApp(context, actorOf(request), params.app, body),
      {
        parse: ({ request }) => readOptionalJson(request, context.config.maxBodyBytes),
        params: AppPath,
        body: PauseApp,
        detail: {
          summary: "Pauses an app",
          description:
            "Nothing of the app runs: requests of its routes and of `/execute` get 503 `app_paused` with `Retry-After`. What happens is kept: events, messages, requests of asynchronous routes (202) and what is run by hand (`triggers/{tid}:run`, replays) wait until the end of the pause, and are then delivered in order; times that were missed are fired as each cron trigger says. What is under way ends; its retries wait. Members can still try versions (`:invoke`, `:rerun`). Pausing a paused app changes the end.",
          tags: ["apps"],
        },
        response: { 200: AppWithRole, ...problems(400, 401, 403, 404, 413, 415, 422) },
      },
    )
    .post(
      internalPath("/apps/:app:resume"),
      ({ request, params }) => resumeApp(context, actorOf(request), params.app),
      {
        parse: "none",
        params: AppPath,
        detail: { summary: "Ends the pause of an app: what waited is delivered", tags: ["apps"] },
        response: { 200: AppWithRole, ...problems(401, 403, 404) },
      },
    )
    .post(
      internalPath("/apps/:app/slug:check"),
      async ({ request, params, body }) => {
        const who = principalOf(request);
        return slugCheck(context.db, who, await openApp(context, who, params.app, "AppAdmin"), body.slug);
      },
      {
        parse,
        params: AppPath,
        body: CheckSlug,
        detail: { summary: "Whether an app could have a slug, without giving it", tags: ["apps"] },
        response: { 200: SlugAnswer, ...problems(401, 403, 404, 422) },
      },
    );
};
