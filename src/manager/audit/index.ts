import type { ManagerContext } from "../context.ts";
import { principalOf } from "../http/caller.ts";
import { apiModule, problems } from "../http/module.ts";
import { AuditPage, AuditQuery } from "./model.ts";
import { readAudit } from "./service.ts";

/** The record of every change. */
export const auditModule = (context: ManagerContext) =>
  apiModule().get("/audit", ({ request, query }) => readAudit(context, principalOf(request), query), {
    query: AuditQuery,
    detail: { summary: "Changes made through the control plane, newest first", tags: ["audit"] },
    response: { 200: AuditPage, ...problems(401, 403, 404, 422) },
  });
