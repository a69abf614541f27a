import type { Queryable } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import { effectiveRole } from "../../services/identity/index.ts";
import { conflict, invalid } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import type { SlugAnswer } from "./model.ts";
import { deleteFormerSlug, findApp, type App } from "./queries.ts";

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Words that mean something else in URLs of the dashboard and the API. */
const RESERVED: ReadonlySet<string> = new Set([
  "new",
  "api",
  "admin",
  "admins",
  "healthz",
  "version",
  "login",
  "logout",
  "apps",
]);

export const isSlug = (text: string): boolean => SLUG.test(text);

/** Reserved are also texts that look like an app's id, which paths take for one. */
const isReserved = (slug: string): boolean => RESERVED.has(slug) || isUuid(slug);

/** @throws AppError 422 `slug_reserved` */
export function checkSlug(slug: string): void {
  if (!isReserved(slug)) return;
  throw invalid("slug_reserved", `The slug ${slug} is reserved; choose another one.`, {
    details: { field: "slug" },
  });
}

/**
 * Clears the way for a slug that is about to be given to an app, in the transaction that does it (after `lockSlugs`).
 * An app takes its own former slug back freely; what another one had before only by `force`, since links lead there.
 * That no app has it now is for the table to say.
 * @param appId null: an app that is about to be made
 * @throws AppError 409 `slug_historic`
 */
export async function takeSlug(
  sql: Queryable,
  who: Actor,
  slug: string,
  appId: string | null,
  force: boolean,
): Promise<void> {
  const holder = await findApp(sql, { formerSlug: slug }, who);
  if (holder === undefined) return;
  if (holder.id !== appId) {
    if (!force) {
      throw conflict(
        "slug_historic",
        "The slug belonged to another app before, and old links still lead there. Send force_takeover: true to take it.",
        { details: { slug, ...nameOf(holder, who) } },
      );
    }
    await recordAudit(sql, who, {
      action: "app.update",
      appId: holder.id,
      target: { kind: "app", id: holder.id, name: holder.slug },
      changed: ["former_slugs"],
    });
  }
  await deleteFormerSlug(sql, slug);
}

/** Whether an app could have a slug. */
export async function slugCheck(
  sql: Queryable,
  who: Principal,
  app: Pick<App, "id">,
  slug: string,
): Promise<SlugAnswer> {
  if (!isSlug(slug)) return { available: false, reason: "malformed" };
  if (isReserved(slug)) return { available: false, reason: "reserved" };
  const holder = await findApp(sql, { slug }, who);
  if (holder !== undefined && holder.id !== app.id) return { available: false, reason: "taken" };
  const former = await findApp(sql, { formerSlug: slug }, who);
  if (former === undefined || former.id === app.id) return { available: true };
  return { available: false, reason: "historic", ...nameOf(former, who) };
}

/** Whose former slug it is stays unsaid to those who may not know of that app. */
function nameOf(app: App, who: Principal): { historic_owner?: string } {
  const role = effectiveRole(who, { app_id: app.id, granted: app.granted });
  return role === null ? {} : { historic_owner: app.slug };
}
