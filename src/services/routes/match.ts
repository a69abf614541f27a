import { badRequest } from "../../shared/errors.ts";
import type { RoutePattern } from "./model.ts";
import { ParamPaths, pick, type Methods } from "./param-paths.ts";

export interface RouteMatch<R extends RoutePattern> {
  readonly route: R;
  /** Captured segments and the host's parameter, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /**
   * Remainder of a prefix route without leading slash; else empty. Decoded per segment; a `%2F` inside a segment
   * stays as it is, since decoding it would make two segments of one.
   */
  readonly rest: string;
}

/** Which routes of one app answer what. */
export interface RouteTable<R extends RoutePattern> {
  /**
   * The route that answers (CONTRACT 2.8). The host's buckets are tried in the order strict, wildcard with the longer
   * suffix first, any; in a bucket an exact path wins, then the path with more leading literal segments, a param
   * path before a prefix, the longer prefix. On equal paths a route with the method beats one for any method. HEAD is
   * answered by GET's route where there is none of its own.
   *
   * @param host as `normaliseHost` gives it
   * @param path as received, without the query; duplicate slashes count
   * @throws AppError 400 `malformed_path` for escapes that cannot be decoded
   */
  match(method: string, host: string, path: string): RouteMatch<R> | null;
  /** A binding that conflicts with one that is there is not taken. */
  add(route: R): void;
  /** @param route the very object that was added */
  remove(route: R): void;
}

/** Builds the table of one app. */
export function compileRoutes<R extends RoutePattern>(routes: Iterable<R>): RouteTable<R> {
  const strict = new Map<string, Bucket<R>>();
  /** By suffix, with its dot: `.example.com`. */
  const wildcard = new Map<string, Bucket<R>>();
  const any = new Bucket<R>();
  const names = new Map<R, readonly ParamName[]>();

  function add(route: R): void {
    names.set(route, namesOf(route));
    if (route.hostKind === "any") any.add(route);
    else if (route.hostKind === "strict") bucketOf(strict, route.host).add(route);
    else bucketOf(wildcard, route.host.slice(1)).add(route);
  }

  function remove(route: R): void {
    names.delete(route);
    if (route.hostKind === "any") any.remove(route);
    else if (route.hostKind === "strict") removeFrom(strict, route.host, route);
    else removeFrom(wildcard, route.host.slice(1), route);
  }

  for (const route of routes) add(route);
  return {
    match(method, host, path) {
      const request = readPath(path);
      if (strict.size > 0) {
        const found = strict.get(host)?.find(method, request);
        if (found !== undefined) return answer(found, names.get(found), request, "");
      }
      if (wildcard.size > 0) {
        for (let dot = host.indexOf(".", 1); dot !== -1; dot = host.indexOf(".", dot + 1)) {
          const found = wildcard.get(host.slice(dot))?.find(method, request);
          if (found !== undefined) return answer(found, names.get(found), request, host.slice(0, dot));
        }
      }
      const found = any.find(method, request);
      return found === undefined ? null : answer(found, names.get(found), request, "");
    },
    add,
    remove,
  };
}

/** A path and, when somebody needs them, its decoded segments. */
interface RequestPath {
  /** Decoded; the key of exact and prefix routes. Undefined when a segment holds a slash: no literal is like that. */
  readonly literal: string | undefined;
  readonly path: string;
  segments: readonly string[] | undefined;
}

function readPath(path: string): RequestPath {
  if (!path.includes("%")) return { literal: path, path, segments: undefined };
  const segments = path.slice(1).split("/").map(decode);
  const literal = segments.some((segment) => segment.includes("/")) ? undefined : `/${segments.join("/")}`;
  return { literal, path, segments };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(
      "malformed_path",
      `The path segment "${segment}" holds a percent escape that is not valid UTF-8.`,
    );
  }
}

const segmentsOf = (request: RequestPath): readonly string[] =>
  (request.segments ??= request.path.slice(1).split("/"));

function bucketOf<R extends RoutePattern>(buckets: Map<string, Bucket<R>>, key: string): Bucket<R> {
  let bucket = buckets.get(key);
  if (bucket === undefined) {
    bucket = new Bucket<R>();
    buckets.set(key, bucket);
  }
  return bucket;
}

function removeFrom<R extends RoutePattern>(buckets: Map<string, Bucket<R>>, key: string, route: R): void {
  const bucket = buckets.get(key);
  bucket?.remove(route);
  if (bucket?.isEmpty === true) buckets.delete(key);
}

/** The routes of one host pattern. */
class Bucket<R extends RoutePattern> {
  readonly #exact = new Map<string, Methods<R>>();
  readonly #prefix = new Map<string, Methods<R>>();
  readonly #param = new ParamPaths<R>();

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefix.size === 0 && this.#param.isEmpty;
  }

  add(route: R): void {
    const methods = this.#methodsOf(route);
    const key = route.method ?? "";
    if (!methods.has(key)) methods.set(key, route);
  }

  remove(route: R): void {
    const methods = this.#methodsOf(route);
    const key = route.method ?? "";
    if (methods.get(key) === route) methods.delete(key);
    if (methods.size > 0) return;
    if (route.pathKind === "param") this.#param.prune(route.path);
    else (route.pathKind === "exact" ? this.#exact : this.#prefix).delete(route.path);
  }

  find(method: string, request: RequestPath): R | undefined {
    const { literal } = request;
    if (literal !== undefined) {
      const methods = this.#exact.get(literal);
      const found = methods === undefined ? undefined : pick(methods, method);
      if (found !== undefined) return found.route;
    }
    const param = this.#param.isEmpty ? undefined : this.#param.find(method, segmentsOf(request));
    if (this.#prefix.size === 0) return param?.route;
    return this.#findPrefix(method, request, param?.leading ?? -1) ?? param?.route;
  }

  #methodsOf(route: R): Methods<R> {
    if (route.pathKind === "param") return this.#param.methodsOf(route.path);
    const paths = route.pathKind === "exact" ? this.#exact : this.#prefix;
    let methods = paths.get(route.path);
    if (methods === undefined) {
      methods = new Map();
      paths.set(route.path, methods);
    }
    return methods;
  }

  /** The longest prefix with more than `leading` literal segments. */
  #findPrefix(method: string, request: RequestPath, leading: number): R | undefined {
    // With a slash inside a segment, only the segments before it can be part of a prefix.
    const text = request.literal ?? literalPart(segmentsOf(request));
    for (
      let slash = text.lastIndexOf("/");
      slash >= 0;
      slash = slash === 0 ? -1 : text.lastIndexOf("/", slash - 1)
    ) {
      const methods = this.#prefix.get(text.slice(0, slash + 1));
      if (methods === undefined) continue;
      const found = pick(methods, method);
      if (found === undefined) continue;
      return countSlashes(text, slash) > leading ? found.route : undefined;
    }
    return undefined;
  }
}

/** Slashes before `end`, which is the number of segments of the prefix that ends there. */
function countSlashes(text: string, end: number): number {
  let count = 0;
  for (let index = 0; index < end; index++) if (text.charCodeAt(index) === 47) count++;
  return count;
}

function literalPart(segments: readonly string[]): string {
  const first = segments.findIndex((segment) => segment.includes("/"));
  return `/${segments.slice(0, first).join("/")}${first === 0 ? "" : "/"}`;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** A parameter and the segment that it stands for. */
type ParamName = readonly [name: string, segment: number];

function namesOf(route: RoutePattern): readonly ParamName[] {
  if (route.pathKind !== "param") return [];
  const segments = route.path.slice(1).split("/");
  return segments.flatMap((segment, index) =>
    segment.startsWith(":") ? [[segment.slice(1), index] as const] : [],
  );
}

function answer<R extends RoutePattern>(
  route: R,
  names: readonly ParamName[] = [],
  request: RequestPath,
  hostPart: string,
): RouteMatch<R> {
  const rest = route.pathKind === "prefix" ? restOf(route.path, request) : "";
  if (names.length === 0 && route.hostParamName === null) return { route, params: NO_PARAMS, rest };
  // No prototype: a parameter may have any name.
  const params: Record<string, string> = Object.create(null);
  if (route.hostParamName !== null) params[route.hostParamName] = hostPart;
  if (names.length > 0) {
    const segments = segmentsOf(request);
    for (const [name, index] of names) params[name] = segments[index] ?? "";
  }
  return { route, params, rest };
}

function restOf(prefix: string, request: RequestPath): string {
  if (request.literal !== undefined) return request.literal.slice(prefix.length);
  const depth = countSlashes(prefix, prefix.length) - 1;
  return segmentsOf(request)
    .slice(depth)
    .map((segment) => segment.replaceAll("/", "%2F"))
    .join("/");
}
