import type { RoutePattern } from "./pattern.ts";

export interface RouteMatch<R extends RoutePattern> {
  readonly route: R;
  /** Captured segments and the host's parameter, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Remainder of a prefix route, decoded per segment, without leading slash; else empty. */
  readonly rest: string;
}

export interface RouteTable<R extends RoutePattern> {
  /**
   * @param host as `normaliseHost` gives it
   * @param path as received, without the query
   * @throws AppError 400 `malformed_path`
   */
  match(method: string, host: string, path: string): RouteMatch<R> | null;
}

export declare function compileRoutes<R extends RoutePattern>(routes: Iterable<R>): RouteTable<R>;
