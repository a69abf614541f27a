import { ApiError, me } from "#lib/api.ts";
import { toLogin } from "#lib/session.ts";
import type { LayoutLoad } from "./$types";

/** Who is signed in; null while the server cannot say (its database is away): the status is then what one wants. */
export const load: LayoutLoad = async ({ fetch }) => {
  try {
    return { user: await me(fetch) };
  } catch (error) {
    toLogin(error);
    if (error instanceof ApiError) return { user: null };
    throw error;
  }
};
