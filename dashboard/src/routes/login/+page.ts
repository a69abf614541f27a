import { resolve } from "$app/paths";
import { ApiError, me } from "#lib/api.ts";
import { redirect } from "@sveltejs/kit";
import type { PageLoad } from "./$types";

/** Whoever is signed in has no business here. */
export const load: PageLoad = async ({ fetch }) => {
  try {
    await me(fetch);
  } catch (error) {
    if (error instanceof ApiError) return;
    throw error;
  }
  redirect(307, resolve("/(signed-in)"));
};
