import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { parseDomainClaim } from "../../services/catalog/index.ts";
import { conflict, notFound } from "../../shared/errors.ts";
import { isUuid, newId } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { lockAndTouch } from "../apps/queries.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { patternOf, routeDTO } from "../routes/model.ts";
import { routesOfApp } from "../routes/queries.ts";
import { isCovered } from "./coverage.ts";
import type { DomainDTO } from "./model.ts";
import { claimOwner, deleteDomain, domainsOf, insertDomain, type Domain } from "./queries.ts";

export async function listDomains(
  context: ManagerContext,
  who: Principal,
  app: string,
): Promise<DomainDTO[]> {
  const { id } = await openApp(context, who, app, "AppRead");
  return (await domainsOf(context.db, id)).map(domainDTO);
}

/** Claims a host for an app. @throws AppError 409 `domain_claimed`, 422 `invalid_domain` */
export async function claimDomain(
  context: ManagerContext,
  who: Actor,
  app: string,
  text: string,
): Promise<DomainDTO> {
  const { id: appId } = await openApp(context, who, app, "AppManageDomains");
  const claim = parseDomainClaim(text);
  const domain = await context.db.begin(async (sql) => {
    if (!(await lockAndTouch(sql, appId))) throw notFound("App");
    const row = await insertDomain(sql, {
      app_id: appId,
      id: newId(),
      pattern: claim.pattern,
      shape: claim.shape,
      shape_key: claim.shapeKey,
    });
    if (row !== undefined) {
      await recordAudit(sql, who, {
        action: "domain.add",
        appId,
        target: target(row),
        after: domainDTO(row),
      });
      return row;
    }
    // Whose it is stays unsaid: the caller may not see that app.
    const own = (await claimOwner(sql, claim.shapeKey)) === appId;
    throw conflict(
      "domain_claimed",
      `${claim.pattern} is already claimed by ${own ? "this" : "another"} app.`,
      {
        details: { pattern: claim.pattern },
      },
    );
  });
  await context.catalogChanged(appId);
  return domainDTO(domain);
}

/** Gives a claim up. @throws AppError 409 `domain_in_use` while a route needs it */
export async function releaseDomain(
  context: ManagerContext,
  who: Actor,
  app: string,
  domainId: string,
): Promise<void> {
  const { id: appId } = await openApp(context, who, app, "AppManageDomains");
  await context.db.begin(async (sql) => {
    if (!(await lockAndTouch(sql, appId))) throw notFound("App");
    const [claims, routes] = await Promise.all([domainsOf(sql, appId), routesOfApp(sql, appId)]);
    const claim = isUuid(domainId) ? claims.find((row) => row.id === domainId.toLowerCase()) : undefined;
    if (claim === undefined) throw notFound("Domain");
    const rest = claims.filter((row) => row !== claim);
    const orphan = routes.find((route) => !isCovered(patternOf(route), rest));
    if (orphan !== undefined) {
      throw conflict(
        "domain_in_use",
        `A route for ${orphan.host} needs this claim; delete the route first.`,
        {
          details: { route: routeDTO(orphan) },
        },
      );
    }
    await deleteDomain(sql, appId, claim.id);
    await recordAudit(sql, who, {
      action: "domain.remove",
      appId,
      target: target(claim),
      before: domainDTO(claim),
    });
  });
  await context.catalogChanged(appId);
}

const target = (domain: Domain) => ({ kind: "domain", id: domain.id, name: domain.pattern });

const domainDTO = (domain: Domain): DomainDTO => ({
  id: domain.id,
  app_id: domain.app_id,
  pattern: domain.pattern,
  shape: domain.shape,
  shape_key: domain.shape_key,
  created_at: domain.created_at.toISOString(),
});
