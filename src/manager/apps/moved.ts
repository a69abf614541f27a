import { effectiveRole } from "../../services/identity/index.ts";
import { isUuid } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import type { ManagerContext } from "../context.ts";
import { findApp } from "./queries.ts";
import { isSlug } from "./slugs.ts";

/** Told to clients that used an app's former slug where they cannot be redirected. */
export const SLUG_MOVED = "X-PiCloud-Slug-Moved";

/**
 * The current slug of the app that a path names by a former one (CONTRACT 2.1); null: it names none, or one that the
 * caller may not know of.
 * @param path below the API's root
 */
export async function movedSlug(
  { db }: Pick<ManagerContext, "db">,
  who: Principal,
  path: string,
): Promise<string | null> {
  const slug = slugIn(path);
  if (slug === null) return null;
  const app = await findApp(db, { formerSlug: slug }, who);
  if (app === undefined) return null;
  return effectiveRole(who, { app_id: app.id, granted: app.granted }) === null ? null : app.slug;
}

/** Where a request for a former slug finds what it asked for. */
export function movedTo(request: Request, slug: string): Response {
  const { pathname, search } = new URL(request.url);
  const location = pathname.replace(/(?<=\/apps\/)[^/]+/, slug) + search;
  return new Response(null, { status: 301, headers: { Location: location, [SLUG_MOVED]: slug } });
}

function slugIn(path: string): string | null {
  const key = /^\/apps\/([^/]+)/.exec(path)?.[1];
  return key !== undefined && isSlug(key) && !isUuid(key) ? key : null;
}
