import { status } from "elysia";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { internalPath } from "../http/actions.ts";
import { jsonBody, readJson } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, problems } from "../http/module.ts";
import {
  DeadLetterDTO,
  LetterCount,
  LetterPage,
  LetterPath,
  LettersQuery,
  LetterSummary,
  ReplayBody,
  Replayed,
  ResolveBody,
} from "./model.ts";
import {
  closeLetter,
  listLetters,
  replayLetter,
  replayMany,
  unresolvedLetters,
  wholeLetter,
} from "./service.ts";

export const deadLettersModule = (context: ManagerContext) => {
  const limit = context.config.maxBodyBytes;
  return apiModule()
    .get(
      "/apps/:app/dead_letters",
      ({ request, params, query }) => listLetters(context, principalOf(request), params.app, query),
      {
        params: AppPath,
        query: LettersQuery,
        detail: { summary: "Deliveries that failed for the last time, newest first", tags: ["dead letters"] },
        response: { 200: LetterPage, ...problems(401, 403, 404, 422) },
      },
    )
    .get(
      "/apps/:app/dead_letters/count",
      async ({ request, params }) => ({
        count: await unresolvedLetters(context, principalOf(request), params.app),
      }),
      {
        params: AppPath,
        detail: { summary: "How many dead letters are unresolved", tags: ["dead letters"] },
        response: { 200: LetterCount, ...problems(401, 403, 404) },
      },
    )
    .get(
      "/apps/:app/dead_letters/:dl_id",
      ({ request, params }) => wholeLetter(context, principalOf(request), params),
      {
        params: LetterPath,
        detail: { summary: "A dead letter with its event", tags: ["dead letters"] },
        response: { 200: DeadLetterDTO, ...problems(401, 403, 404) },
      },
    )
    .post(
      "/apps/:app/dead_letters/:dl_id/replay",
      async ({ request, params }) => status(202, await replayLetter(context, actorOf(request), params)),
      {
        parse: "none",
        params: LetterPath,
        detail: { summary: "Delivers a dead letter again", tags: ["dead letters"] },
        response: { 202: LetterSummary, ...problems(401, 403, 404, 409) },
      },
    )
    .post(
      "/apps/:app/dead_letters/:dl_id/resolve",
      ({ request, params, body }) => closeLetter(context, actorOf(request), params, body.reason),
      {
        parse: jsonBody(limit),
        params: LetterPath,
        body: ResolveBody,
        detail: { summary: "Marks a dead letter as dealt with", tags: ["dead letters"] },
        response: { 200: LetterSummary, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .post(
      internalPath("/apps/:app/dead_letters:replay"),
      async ({ request, params, body }) =>
        status(202, await replayMany(context, actorOf(request), params.app, body)),
      {
        // Without a body: all of them.
        parse: ({ request }) =>
          request.body === null || request.headers.get("content-length") === "0"
            ? {}
            : readJson(request, limit),
        params: AppPath,
        body: ReplayBody,
        detail: {
          summary: "Delivers unresolved dead letters again, 1000 of a filter's at most",
          tags: ["dead letters"],
        },
        response: { 202: Replayed, ...problems(401, 403, 404, 422) },
      },
    );
};
