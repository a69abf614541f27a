import { invalidRoute, type HostKind, type RoutePattern } from "./model.ts";

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const IPV6 = /^\[[0-9a-f:.]+\]$/;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PARAMETER = /^\{([^}]*)\}\./;

/**
 * A host as it is compared: lower case, without port and trailing dot. `Example.COM.:8080` is `example.com`.
 */
export function normaliseHost(host: string): string {
  let end = host.length;
  // An IPv6 literal has colons of its own, inside brackets.
  const colon = host.lastIndexOf(":");
  if (colon !== -1 && colon > host.lastIndexOf("]")) end = colon;
  while (end > 0 && host.charCodeAt(end - 1) === 46) end--;
  return host.slice(0, end).toLowerCase();
}

/** Whether a text is a host name or an IP address as `normaliseHost` gives it. */
export const isHostName = (text: string): boolean =>
  text.length <= 253 && (HOSTNAME.test(text) || IPV6.test(text));

/**
 * The host part of a binding: nothing (any host), a name, `*.suffix`, or `{name}.suffix`, which is the wildcard with
 * a name for what `*` stands for.
 */
export function parseRouteHost(
  explicit: HostKind | undefined,
  text: string,
  paramName: string | null,
): Pick<RoutePattern, "hostKind" | "host" | "hostParamName"> {
  const parameter = PARAMETER.exec(text);
  const name = parameter?.[1] ?? paramName;
  const written = parameter === null ? text : `*.${text.slice(parameter[0].length)}`;
  const host = written.replace(/\.$/, "").toLowerCase();
  const hostKind = explicit ?? (host === "" ? "any" : host.startsWith("*.") ? "wildcard" : "strict");

  if (hostKind === "any" && host !== "") {
    throw invalidRoute("host", `host_kind is "any", but the host "${text}" is given; leave one of them out.`);
  }
  const literal = hostKind === "wildcard" && host.startsWith("*.") ? host.slice(2) : host;
  if (hostKind === "wildcard" && literal === host) {
    throw invalidRoute("host", `A wildcard host starts with "*.", as in *.example.com; got "${text}".`);
  }
  if (hostKind !== "any" && !isHostName(literal)) {
    throw invalidRoute(
      "host",
      `"${text}" is not a host; write a name such as example.com or *.example.com, without scheme, port and path.`,
    );
  }
  if (name !== null) {
    if (hostKind !== "wildcard")
      throw invalidRoute("host_param_name", "Only a wildcard host (*.example.com) has a parameter.");
    if (!IDENTIFIER.test(name)) {
      throw invalidRoute(
        "host_param_name",
        `"${name}" is not a parameter name: letters, digits and _, no digit first.`,
      );
    }
  }
  return { hostKind, host, hostParamName: name };
}
