import type { Credential } from "./logins.ts";

export const SESSION_COOKIE = "picloud_session";

/** The token of `Authorization: Bearer …`. */
export function bearerToken(headers: Headers): string | null {
  return /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

/** The username and password of `Authorization: Basic …` (RFC 7617, UTF-8); null when there are none or unreadable. */
export function basicCredential(headers: Headers): Credential | null {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon === -1 || text.includes("\0")) return null;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The value of the login cookie. */
export function sessionCookie(headers: Headers): string | null {
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && pair.slice(0, equals).trim() === SESSION_COOKIE) {
      const value = pair.slice(equals + 1).trim();
      return value === "" ? null : value;
    }
  }
  return null;
}

/** The Set-Cookie value that stores a token; a null token deletes it. */
export function cookieFor(
  token: string | null,
  options: { readonly secure: boolean; readonly expiresAt?: Date },
): string {
  const parts = [`${SESSION_COOKIE}=${token ?? ""}`, "Path=/", "HttpOnly", "SameSite=Lax"];
  if (options.secure) parts.push("Secure");
  if (token === null) parts.push("Max-Age=0");
  else if (options.expiresAt !== undefined) parts.push(`Expires=${options.expiresAt.toUTCString()}`);
  return parts.join("; ");
}
