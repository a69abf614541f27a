import { carriesKey, SESSION_COOKIE } from "../services/identity/index.ts";
import type { Principal } from "../shared/principal.ts";
import type { OrchestratorOptions } from "./orchestrator.ts";

/** Who sends a request, and which of its headers a script must not see. */
export interface Caller {
  readonly principal: Principal | null;
  /** Whether Authorization was a credential of PiCloud itself. */
  readonly hidesAuthorization: boolean;
}

const ANONYMOUS: Caller = { principal: null, hidesAuthorization: false };

/** Whether a request carries anything that could be a credential. */
export const hasCredential = (headers: Headers): boolean =>
  headers.has("authorization") || (headers.get("cookie")?.includes(SESSION_COOKIE) ?? false);

/**
 * The principal of a data-plane request. A credential is optional there: a bad one, and a fault while checking it,
 * mean anonymous.
 */
export async function callerOf(
  request: Request,
  peer: string,
  direct: boolean,
  authenticate: OrchestratorOptions["authenticate"],
): Promise<Caller> {
  const ask = async (asked: Request): Promise<Principal | null> => {
    try {
      return await authenticate(asked, peer, { direct });
    } catch {
      return null;
    }
  };
  const authorization = request.headers.get("authorization");
  const principal = await ask(request);
  // An API key that is not accepted now may be later: the database may be away.
  if (carriesKey(request.headers)) return { principal, hidesAuthorization: true };
  if (principal === null || authorization === null)
    return principal === null ? ANONYMOUS : { principal, hidesAuthorization: false };
  // Beside a cookie, the header may be a credential of the script's own: then the script must see it.
  const both = request.headers.get("cookie")?.includes(SESSION_COOKIE) ?? false;
  const byHeader = both ? await ask(new Request(request.url, { headers: { authorization } })) : principal;
  return { principal, hidesAuthorization: byHeader !== null };
}

/** Headers as the script gets them: name and value by turns, credentials of the control plane removed (CONTRACT 2.9). */
export function visibleHeaders(headers: Headers, hidesAuthorization: boolean): readonly string[] {
  const visible: string[] = [];
  for (const [name, value] of headers) {
    if (name === "authorization" && hidesAuthorization) continue;
    if (name !== "cookie") visible.push(name, value);
    else {
      const cookies = withoutSession(value);
      if (cookies !== "") visible.push(name, cookies);
    }
  }
  return visible;
}

function withoutSession(cookies: string): string {
  if (!cookies.includes(SESSION_COOKIE)) return cookies;
  return cookies
    .split(";")
    .filter((cookie) => cookie.split("=", 1)[0]?.trim() !== SESSION_COOKIE)
    .join(";")
    .trim();
}
