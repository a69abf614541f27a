import { parseRouteHost } from "./host-pattern.ts";
import { invalidRoute, type PathKind, type RouteInput, type RoutePattern } from "./model.ts";
import { isReserved } from "./reserved.ts";

const MAX_PATH_LENGTH = 1024;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** RFC 9110 token. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;
/** What cannot be part of a path: controls, space, query and fragment marks, backslash. */
const FORBIDDEN = /[\u0000-\u0020\u007f?#\\]/;

/**
 * Validates and normalises a binding (CONTRACT 2.5, 2.8). A trailing `/*` makes a prefix, a `:name` segment a param
 * path, anything else is exact, unless `path_kind` says otherwise.
 * @throws AppError 422 `invalid_route`; `details.field` names the member at fault
 */
export function parseRoute(input: RouteInput): RoutePattern {
  const host = parseRouteHost(input.host_kind, input.host ?? "", input.host_param_name ?? null);
  const { pathKind, path } = parsePath(input.path, input.path_kind);
  if (host.hostParamName !== null && pathKind === "param" && paramNames(path).includes(host.hostParamName)) {
    throw invalidRoute(
      "host_param_name",
      `"${host.hostParamName}" is also a parameter of the path; rename one of them.`,
    );
  }
  return {
    ...host,
    pathKind,
    path,
    method: parseMethod(input.method ?? null),
    dispatchMode: input.dispatch_mode ?? "sync",
  };
}

/** Names of the `:name` segments of a param path, in order. */
export function paramNames(path: string): string[] {
  return path
    .split("/")
    .filter((segment) => segment.startsWith(":"))
    .map((segment) => segment.slice(1));
}

function parseMethod(method: string | null): string | null {
  if (method === null || method === "") return null;
  if (!METHOD.test(method)) {
    throw invalidRoute(
      "method",
      `"${method}" is not an HTTP method; write GET, POST, … or leave it out for every method.`,
    );
  }
  return method.toUpperCase();
}

function parsePath(text: string, explicit: PathKind | undefined): Pick<RoutePattern, "path" | "pathKind"> {
  checkText(text);
  const pathKind = explicit ?? detectKind(text);
  let path = text;
  if (pathKind === "prefix") {
    path = text.endsWith("/*") ? text.slice(0, -1) : text.endsWith("/") ? text : `${text}/`;
  }
  if (pathKind !== "exact" || explicit === undefined) checkSegments(path, pathKind);
  if (isReserved(path, pathKind)) {
    throw invalidRoute("path", `The path ${text} is reserved for PiCloud itself; choose another one.`);
  }
  return { pathKind, path };
}

function checkText(text: string): void {
  if (!text.startsWith("/"))
    throw invalidRoute("path", `The path "${text.slice(0, 80)}" does not start with a slash.`);
  if (text.length > MAX_PATH_LENGTH) {
    throw invalidRoute("path", `The path has ${text.length} characters; ${MAX_PATH_LENGTH} are allowed.`);
  }
  if (!text.isWellFormed()) throw invalidRoute("path", "The path is not valid Unicode text.");
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden !== null) {
    throw invalidRoute(
      "path",
      `The path holds ${JSON.stringify(forbidden[0])} at position ${forbidden.index + 1}; spaces, control characters, "?", "#" and "\\" cannot be part of it.`,
    );
  }
  const escape = /%[0-9a-fA-F]{2}/.exec(text);
  if (escape !== null) {
    throw invalidRoute(
      "path",
      `The path holds the escape ${escape[0]}; write the character itself, requests are decoded before they are matched.`,
    );
  }
  if (/[{}]/.test(text)) {
    throw invalidRoute(
      "path",
      "Braces are reserved in paths; a parameter is written :name, as in /users/:id.",
    );
  }
  for (const segment of text.split("/")) {
    if (segment === "." || segment === "..") {
      throw invalidRoute(
        "path",
        `A segment of the path is "${segment}"; clients resolve it before they send a request, so it would never match.`,
      );
    }
  }
}

function detectKind(text: string): PathKind {
  if (text.endsWith("/*")) return "prefix";
  return text.split("/").some((segment) => segment.startsWith(":")) ? "param" : "exact";
}

function checkSegments(path: string, kind: PathKind): void {
  const names = new Set<string>();
  for (const segment of path.split("/")) {
    if (segment.includes("*")) {
      throw invalidRoute(
        "path",
        `"*" stands only at the end, as in /files/*; for a literal star set path_kind to "exact".`,
      );
    }
    if (!segment.includes(":")) continue;
    if (!segment.startsWith(":") || segment.indexOf(":", 1) !== -1) {
      throw invalidRoute(
        "path",
        `The segment "${segment}" holds a colon; a parameter is a whole segment (/users/:id). For a literal colon set path_kind to "exact".`,
      );
    }
    if (kind === "prefix") {
      throw invalidRoute(
        "path",
        `A prefix path has no parameters; "${segment}" and "/*" cannot be combined.`,
      );
    }
    const name = segment.slice(1);
    if (!IDENTIFIER.test(name)) {
      throw invalidRoute(
        "path",
        `"${segment}" is not a parameter: its name is made of letters, digits and _, and starts with no digit.`,
      );
    }
    if (names.has(name)) throw invalidRoute("path", `The parameter "${segment}" stands twice in the path.`);
    names.add(name);
  }
  if (kind === "param" && names.size === 0) {
    throw invalidRoute("path", `path_kind is "param", but the path has no :name segment.`);
  }
}
