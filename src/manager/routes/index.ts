import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import type { ManagerContext } from "../context.ts";
import { internalPath } from "../http/actions.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { ScriptPath } from "../scripts/model.ts";
import {
  CheckAnswer,
  CheckBody,
  MatchAnswer,
  MatchBody,
  RouteBody,
  RouteDTO,
  RoutePatch,
  RoutePath,
} from "./model.ts";
import { addRoute, changeRoute, checkRoute, listRoutes, matchRoute, removeRoute } from "./service.ts";

export const routesModule = (context: ManagerContext) => {
  const parse = jsonBody(context.config.maxBodyBytes);
  return apiModule()
    .get(
      "/scripts/:id/routes",
      ({ request, params }) => listRoutes(context, principalOf(request), params.id),
      {
        params: ScriptPath,
        detail: { summary: "The routes of a script", tags: ["routes"] },
        response: { 200: Type.Array(RouteDTO), ...problems(401, 403, 404) },
      },
    )
    .post(
      "/scripts/:id/routes",
      async ({ request, params, body }) =>
        status(201, await addRoute(context, actorOf(request), params.id, body)),
      {
        parse,
        params: ScriptPath,
        body: RouteBody,
        detail: { summary: "Binds a path to a script", tags: ["routes"] },
        response: { 201: RouteDTO, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .patch(
      "/routes/:route_id",
      ({ request, params, body }) => changeRoute(context, actorOf(request), params.route_id, body),
      {
        parse,
        params: RoutePath,
        body: RoutePatch,
        detail: { summary: "Changes a route", tags: ["routes"] },
        response: { 200: RouteDTO, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .delete(
      "/routes/:route_id",
      async ({ request, params }) => {
        await removeRoute(context, actorOf(request), params.route_id);
        return status(204, undefined);
      },
      {
        params: RoutePath,
        detail: { summary: "Deletes a route", tags: ["routes"] },
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    )
    .post(
      internalPath("/routes:check"),
      ({ request, body }) => checkRoute(context, principalOf(request), body),
      {
        parse,
        body: CheckBody,
        detail: {
          summary: "Whether a route could be created, and which one is in its way",
          tags: ["routes"],
        },
        response: { 200: CheckAnswer, ...problems(401, 403, 404, 422) },
      },
    )
    .post(
      internalPath("/routes:match"),
      ({ request, body }) => matchRoute(context, principalOf(request), body),
      {
        parse,
        body: MatchBody,
        detail: { summary: "Which route answers a URL", tags: ["routes"] },
        response: { 200: MatchAnswer, ...problems(400, 401, 404, 422) },
      },
    );
};
