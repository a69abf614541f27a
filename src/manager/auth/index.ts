import { status } from "elysia";
import { cookieFor, type User } from "../../services/identity/index.ts";
import type { ManagerContext } from "../context.ts";
import { jsonBody } from "../http/body.ts";
import { callerOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { refuseForeignPage } from "../http/same-origin.ts";
import { LoginAnswer, LoginBody, Me } from "./model.ts";

/** The endpoints that need no credential, as `METHOD path` below the API's root. */
export const UNGUARDED: ReadonlySet<string> = new Set(["POST /auth/login", "POST /auth/logout"]);

export const authModule = (context: ManagerContext) =>
  apiModule()
    .post(
      "/auth/login",
      async ({ request, body, set }) => {
        const { address, secure, requestId } = callerOf(request);
        const { token, expiresAt, user } = await context.identity.login(body, address, requestId);
        set.headers["set-cookie"] = cookieFor(token, { secure, expiresAt });
        return { token, expires_at: expiresAt.toISOString(), user: me(user) };
      },
      {
        parse: jsonBody(16 * 1024),
        body: LoginBody,
        detail: { summary: "Signs in with username and password", tags: ["auth"] },
        response: { 200: LoginAnswer, ...problems(400, 401, 415, 422, 429) },
      },
    )
    .post(
      "/auth/logout",
      async ({ request, set }) => {
        const { address, origin, secure, requestId } = callerOf(request);
        if (!request.headers.has("authorization")) refuseForeignPage(request, origin);
        await context.identity.logout(request.headers, address, requestId);
        set.headers["set-cookie"] = cookieFor(null, { secure });
        return status(204, undefined);
      },
      {
        parse: "none",
        detail: { summary: "Ends the login that the request carries", tags: ["auth"] },
        response: { 204: NoContent, ...problems(403) },
      },
    )
    .get(
      "/auth/me",
      async ({ request }) => {
        const who = principalOf(request);
        return me(await context.users.read(who, who.userId));
      },
      { detail: { summary: "The user who asks", tags: ["auth"] }, response: { 200: Me, ...problems(401) } },
    );

const me = (user: User) => ({
  id: user.id,
  username: user.username,
  instance_role: user.instance_role,
  email: user.email,
});
