import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { AppError, forbidden } from "../../shared/errors.ts";

/**
 * Lets a scrape pass. With a token, whoever shows it; without one, a caller on this machine that also addresses us as
 * such: a web page that had its own host name point here would be on this machine too.
 * @param address the client's, behind trusted proxies
 * @throws AppError 401, 403
 */
export function demandMetrics(request: Request, address: string, token: string | null): void {
  if (token === null) {
    const host = new URL(request.url).hostname.replace(/^\[(.*)\]$/, "$1");
    if (isLoopback(address) && (host === "localhost" || isLoopback(host))) return;
    throw forbidden(
      "Metrics are shown on the machine itself (http://localhost). For others, set PICLOUD_METRICS_TOKEN and send it as a bearer token.",
    );
  }
  const shown = /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (shown !== undefined && timingSafeEqual(digest(shown), digest(token))) return;
  throw new AppError(401, "unauthorized", "Send the value of PICLOUD_METRICS_TOKEN as a bearer token.", {
    headers: { "WWW-Authenticate": "Bearer" },
  });
}

/** Equal lengths, whatever is compared. */
const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest();

const isLoopback = (address: string): boolean =>
  isIP(address) === 4 ? address.startsWith("127.") : address === "::1";
