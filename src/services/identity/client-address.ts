import { BlockList, isIP } from "node:net";

/** Who may say, by X-Forwarded-*, whom a request really came from. */
export interface TrustedProxies {
  includes(address: string): boolean;
}

/** @param entries addresses and networks: `127.0.0.1`, `::1`, `10.0.0.0/8`; others are ignored */
export function trustedProxies(entries: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (isIP(address) === 0) continue;
    if (bits === undefined) list.addAddress(address, family);
    else if (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === "ipv4" ? 32 : 128)) {
      list.addSubnet(address, Number(bits), family);
    }
  }
  return {
    includes(address) {
      const family = isIP(address);
      return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
    },
  };
}

/** An address in one spelling: an IPv4 address that came over an IPv6 socket loses its `::ffff:`. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

/** Some proxies write the client's port too: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
function withoutPort(text: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  return bracketed ?? plain ?? text;
}

/**
 * The address that a request came from: the socket's peer, or, where that is a trusted proxy, the last address in
 * X-Forwarded-For that is none.
 */
export function clientAddress(headers: Headers, peer: string, proxies: TrustedProxies): string {
  let address = plainAddress(peer);
  const chain = (headers.get("x-forwarded-for") ?? "")
    .split(",")
    .map((text) => plainAddress(withoutPort(text.trim())));
  while (proxies.includes(address)) {
    const previous = chain.pop();
    if (previous === undefined || isIP(previous) === 0) break;
    address = previous;
  }
  return address;
}

/** Whether the client speaks TLS to us, or to the trusted proxy in front of us. */
export function isSecure(request: Request, peer: string, proxies: TrustedProxies): boolean {
  if (request.url.startsWith("https:")) return true;
  if (!proxies.includes(plainAddress(peer))) return false;
  const forwarded = request.headers.get("x-forwarded-proto");
  return forwarded?.split(",")[0]?.trim().toLowerCase() === "https";
}

/** `http://host:port` (no slash at the end) as the client addressed us. */
export function requestOrigin(request: Request, peer: string, proxies: TrustedProxies): string {
  const trusted = proxies.includes(plainAddress(peer));
  const forwardedHost = trusted ? request.headers.get("x-forwarded-host")?.split(",")[0]?.trim() : undefined;
  const host = forwardedHost || request.headers.get("host") || new URL(request.url).host;
  const origin = `${isSecure(request, peer, proxies) ? "https" : "http"}://${host}`;
  // A Host header may hold anything.
  return URL.canParse(origin) ? origin : "http://localhost";
}

/** What login throttling counts by: an IPv4 address, or an IPv6 network, since one customer has a whole /64. */
export function throttleAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    while (groups.length + after.length < 8) groups.push("0");
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
