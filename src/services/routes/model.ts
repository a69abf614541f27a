import { invalid, type AppError } from "../../shared/errors.ts";

export type HostKind = "any" | "strict" | "wildcard";
export type PathKind = "exact" | "prefix" | "param";
export type DispatchMode = "sync" | "async";

/** What a client sends, with the names that it uses. Everything but the path may be left out. */
export interface RouteInput {
  readonly host_kind?: HostKind | undefined;
  readonly host?: string | undefined;
  readonly host_param_name?: string | null | undefined;
  /** Overrides what the text of the path looks like. */
  readonly path_kind?: PathKind | undefined;
  readonly path: string;
  readonly method?: string | null | undefined;
  readonly dispatch_mode?: DispatchMode | undefined;
}

/** A valid, normalised binding. */
export interface RoutePattern {
  readonly hostKind: HostKind;
  /** Lower case; empty for any, `example.com`, or `*.example.com`. */
  readonly host: string;
  /** Name under which the part of the host that `*` stands for appears in the parameters. */
  readonly hostParamName: string | null;
  readonly pathKind: PathKind;
  /** Not percent-encoded. A prefix ends with its slash (`/greet/`), a param path has `:name` segments. */
  readonly path: string;
  /** Upper case; null answers every method. */
  readonly method: string | null;
  readonly dispatchMode: DispatchMode;
}

/** 422 `invalid_route` about one member of the input. */
export function invalidRoute(field: keyof RouteInput, message: string): AppError {
  return invalid("invalid_route", message, { details: { field } });
}
