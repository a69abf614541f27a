import { readOverview } from "#lib/overview.ts";
import { toLogin } from "#lib/session.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ fetch }) => {
  try {
    return { overview: await readOverview(fetch) };
  } catch (error) {
    toLogin(error);
    throw error;
  }
};
