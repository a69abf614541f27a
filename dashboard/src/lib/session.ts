import { resolve } from "$app/paths";
import { redirect } from "@sveltejs/kit";
import { ApiError } from "./api.ts";

/** For load functions: a credential that is missing or over leads to the login page; other faults go on. */
export function toLogin(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) redirect(307, resolve("/login"));
}
