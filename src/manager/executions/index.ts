import { Type } from "@sinclair/typebox";
import { ExecutionDTO } from "../../services/executions/index.ts";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { internalPath } from "../http/actions.ts";
import { readOptionalJson } from "../http/body.ts";
import { actorOf, callerOf, principalOf } from "../http/caller.ts";
import { apiModule, problems } from "../http/module.ts";
import { ExecutionPage, ExecutionPath, ExecutionsQuery, RerunBody, RerunDTO, TailQuery } from "./model.ts";
import { rerun } from "./rerun.ts";
import { listExecutions, wholeExecution } from "./service.ts";

export const executionsModule = (context: ManagerContext) =>
  apiModule()
    .get(
      "/apps/:app/executions",
      ({ request, params, query }) => listExecutions(context, principalOf(request), params.app, query),
      {
        params: AppPath,
        query: ExecutionsQuery,
        detail: { summary: "Runs of an app, newest first", tags: ["executions"] },
        response: { 200: ExecutionPage, ...problems(401, 403, 404, 422) },
      },
    )
    .get(
      "/executions/:execution_id",
      ({ request, params }) => wholeExecution(context, principalOf(request), params.execution_id),
      {
        params: ExecutionPath,
        detail: { summary: "A run with all that is kept of it", tags: ["executions"] },
        response: { 200: ExecutionDTO, ...problems(401, 403, 404) },
      },
    )
    .get(
      internalPath("/apps/:app/executions:tail"),
      ({ request, params, query }) => context.tails.open(request, params.app, query),
      {
        params: AppPath,
        query: TailQuery,
        detail: { summary: "Runs of an app as they end, as a stream of events", tags: ["executions"] },
        response: {
          200: Type.String({ description: "Each event's data is a run as in the list, its id the run's" }),
          ...problems(401, 403, 404, 422, 503),
        },
      },
    )
    .post(
      internalPath("/executions/:execution_id:rerun"),
      ({ request, params, body }) =>
        rerun(context, actorOf(request), params.execution_id, body, callerOf(request).connection),
      {
        // Without a body all stays as it was.
        parse: ({ request }) => readOptionalJson(request, context.config.maxBodyBytes),
        params: ExecutionPath,
        body: RerunBody,
        detail: { summary: "Run again what ran, with the same input or an edited one", tags: ["executions"] },
        response: { 200: RerunDTO, ...problems(401, 403, 404, 409, 422, 503) },
      },
    );
