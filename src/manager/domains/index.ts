import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { CreateDomain, DomainDTO, DomainPath } from "./model.ts";
import { claimDomain, listDomains, releaseDomain } from "./service.ts";

export const domainsModule = (context: ManagerContext) =>
  apiModule()
    .get(
      "/apps/:app/domains",
      ({ request, params }) => listDomains(context, principalOf(request), params.app),
      {
        params: AppPath,
        detail: { summary: "The hosts that an app claims", tags: ["domains"] },
        response: { 200: Type.Array(DomainDTO), ...problems(401, 403, 404) },
      },
    )
    .post(
      "/apps/:app/domains",
      async ({ request, params, body }) =>
        status(201, await claimDomain(context, actorOf(request), params.app, body.pattern)),
      {
        parse: jsonBody(context.config.maxBodyBytes),
        params: AppPath,
        body: CreateDomain,
        detail: { summary: "Claims a host for an app", tags: ["domains"] },
        response: { 201: DomainDTO, ...problems(401, 403, 404, 409, 422) },
      },
    )
    .delete(
      "/apps/:app/domains/:domain_id",
      async ({ request, params }) => {
        await releaseDomain(context, actorOf(request), params.app, params.domain_id);
        return status(204, undefined);
      },
      {
        params: DomainPath,
        detail: { summary: "Gives the claim of a host up", tags: ["domains"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 409) },
      },
    );
