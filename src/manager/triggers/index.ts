import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { internalPath } from "../http/actions.ts";
import { readJson, readOptionalJson } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { KindPath, RunAccepted, RunBody, SavedTrigger, TriggerDTO, TriggerPath } from "./model.ts";
import { changeTrigger, createTrigger, listTriggers, removeTrigger, runTrigger } from "./service.ts";

export const triggersModule = (context: ManagerContext) => {
  const limit = context.config.maxBodyBytes;
  return (
    apiModule()
      .get(
        "/apps/:app/triggers",
        ({ request, params }) => listTriggers(context, principalOf(request), params.app),
        {
          params: AppPath,
          detail: { summary: "What calls an app's scripts when something happens", tags: ["triggers"] },
          response: { 200: Type.Array(TriggerDTO), ...problems(401, 403, 404) },
        },
      )
      // What a body must be depends on the kind: it is read and checked there.
      .post(
        "/apps/:app/triggers/:kind",
        async ({ request, params }) =>
          status(201, await createTrigger(context, actorOf(request), params, () => readJson(request, limit))),
        {
          parse: "none",
          params: KindPath,
          detail: {
            summary: "Has a script called when something happens",
            description:
              "Kinds: `kv` and `docs` (changes in collections), `cron` (times), `pubsub` (messages of scripts), `email` (posted to " +
              "`details.inbound_path`), `dead_letter` (deliveries that failed for the last time).",
            tags: ["triggers"],
          },
          response: { 201: SavedTrigger, ...problems(400, 401, 403, 404, 413, 415, 422) },
        },
      )
      .patch(
        "/apps/:app/triggers/:tid",
        ({ request, params }) =>
          changeTrigger(context, actorOf(request), params, () => readJson(request, limit)),
        {
          parse: "none",
          params: TriggerPath,
          detail: { summary: "Changes, pauses, disables or enables a trigger", tags: ["triggers"] },
          response: { 200: SavedTrigger, ...problems(400, 401, 403, 404, 413, 415, 422) },
        },
      )
      .delete(
        "/apps/:app/triggers/:tid",
        async ({ request, params }) => {
          await removeTrigger(context, actorOf(request), params);
          return status(204, undefined);
        },
        {
          params: TriggerPath,
          detail: { summary: "Deletes a trigger, and what it had waiting", tags: ["triggers"] },
          response: { 204: NoContent, ...problems(401, 403, 404) },
        },
      )
      .post(
        internalPath("/apps/:app/triggers/:tid:run"),
        async ({ request, params, body }) =>
          status(202, { execution_id: await runTrigger(context, actorOf(request), params, body) }),
        {
          // Without a body the event is empty.
          parse: ({ request }) => readOptionalJson(request, limit),
          params: TriggerPath,
          body: RunBody,
          detail: { summary: "Calls a trigger's script now", tags: ["triggers"] },
          response: { 202: RunAccepted, ...problems(401, 403, 404, 409, 422) },
        },
      )
  );
};
