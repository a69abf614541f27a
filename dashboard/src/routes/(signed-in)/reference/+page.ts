import { sdk } from "#lib/api.ts";
import { toLogin } from "#lib/session.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ fetch }) => {
  try {
    return { sdk: await sdk(fetch) };
  } catch (error) {
    toLogin(error);
    throw error;
  }
};
