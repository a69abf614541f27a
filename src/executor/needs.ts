/**
 * Which members of `ctx` a script can look at. The others are neither posted to the worker nor built there, which for a
 * small script is half the cost of a run. There is no way to reach `ctx` but by its name, so reading the text decides;
 * it errs on the side of more: comments and strings count, and whatever is not a plain `ctx.member` means everything.
 */
export interface Needs {
  /** Members of `ctx`, but `request`. */
  readonly members: readonly CtxMember[];
  /** Members of `ctx.request`. */
  readonly request: readonly RequestMember[];
}

export const CTX_MEMBERS = [
  "request_id",
  "root_execution_id",
  "invocation_type",
  "trigger_depth",
  "attempt",
  "principal",
  "event",
] as const;
export type CtxMember = (typeof CTX_MEMBERS)[number];

export const REQUEST_MEMBERS = [
  "method",
  "path",
  "host",
  "remote_ip",
  "rest",
  "params",
  "query",
  "query_all",
  "headers",
  "body",
] as const;
export type RequestMember = (typeof REQUEST_MEMBERS)[number];

/** Always there: the worker knows them anyway. */
export const FREE_MEMBERS = ["sdk_version", "execution_id", "script_id", "script_name"] as const;
export type FreeMember = (typeof FREE_MEMBERS)[number];
const FREE: ReadonlySet<string> = new Set(FREE_MEMBERS);

export const EVERYTHING: Needs = { members: CTX_MEMBERS, request: REQUEST_MEMBERS };

const USE = /\bctx\b(?:\.([a-z_]+)\b(?:\.([a-z_]+)\b)?)?/g;

/** Null: the script does not mention `ctx` at all. */
export function needsOf(source: string): Needs | null {
  if (!source.includes("ctx")) return null;
  const members = new Set<CtxMember>();
  const request = new Set<RequestMember>();
  for (const [, member, nested] of source.matchAll(USE)) {
    if (member === "request") {
      const known = REQUEST_MEMBERS.find((name) => name === nested);
      if (known === undefined) return EVERYTHING;
      request.add(known);
    } else if (member === undefined || !FREE.has(member)) {
      const known = CTX_MEMBERS.find((name) => name === member);
      if (known === undefined) return EVERYTHING;
      members.add(known);
    }
  }
  return { members: [...members], request: [...request] };
}
