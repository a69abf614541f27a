import type { ConnectionTarget } from "../database/target.ts";
import type { RunLimits } from "../shared/limits.ts";
import type { LogEntry } from "../services/executions/index.ts";
import type { Checked, DeliveryEnd, RunBody, RunErrorCode, RunHttpRequest, RunRequest } from "./model.ts";
import type { CtxMember, Needs, RequestMember } from "./needs.ts";

/**
 * What the main thread and a worker post to each other. Always one string, the JSON text of an array: posting a string
 * costs about a microsecond, posting the same arrays as objects sixteen. All commands of one turn of the event loop go
 * in one message, and so do results; see WorkerMessage. A number that a worker posts is a moment, in
 * milliseconds since the epoch, at which data that it wrote expires; "indexes" says that there are some to build or drop, "events"
 * that some may have been caused.
 */
export type Command = BindCommand | ModuleCommand | LoadCommand | DropCommand | RunCommand | CheckCommand;

/** Another app's runs follow: forget everything of the former one. */
export type BindCommand = readonly ["bind", appId: string];

/** A version that runs will name by its handle. Compiled at its first run. */
export type LoadCommand = readonly [
  "load",
  handle: number,
  source: string,
  scriptId: string,
  scriptName: string,
  limits: RunLimits,
  modules: readonly (readonly [name: string, handle: number])[],
  /** Names that scripts have which are no modules. */
  endpoints: readonly string[],
];

/** One version of a module, for the scripts that follow. */
export type ModuleCommand = readonly ["module", handle: number, source: string];

export type DropCommand = readonly ["drop", handle: number];

export type CheckCommand = readonly ["check", ticket: number, source: string];

export type RunCommand = readonly [
  "run",
  ticket: number,
  handle: number,
  executionId: string,
  context: ContextFields | null,
  /** The setting `picloud.run` of its writes; null or absent: they cause no events. */
  origin?: string | null,
  /** Of a transactional run: the event that it is for, and the attempt. */
  delivery?: readonly [id: string, attempt: number],
];

/** What `ctx` is made of, as far as the script can look at it: names and values, of `ctx` and of `ctx.request`. */
export type ContextFields = readonly [
  members: readonly (readonly [CtxMember, unknown])[],
  request: readonly (readonly [RequestMember, unknown])[],
];

/** How a body is posted; base64 for bytes. */
export type BodyField = readonly [kind: RunBody["kind"], text: string];

/**
 * What a worker posts: whether it has gone through all that was posted to it, so that more is welcome; and results, in
 * whatever order runs ended. No results at all: a run goes on after a long time.
 */
export type WorkerMessage = readonly [isThrough: 0 | 1, ...results: Result[]];

/** How long a run took in milliseconds; and how much of that it computed, if that is less. */
export type RunTime = number | readonly [durationMs: number, busyMs: number];

export const durationOf = (time: RunTime): number => (typeof time === "number" ? time : time[0]);
export const busyOf = (time: RunTime): number => (typeof time === "number" ? time : time[1]);

/** A run that answered. `headers` is one of STANDARD_HEADERS when it is a number. */
export type AnsweredResult = readonly [
  ticket: number,
  time: RunTime,
  operations: number,
  statusCode: number,
  headers: number | readonly string[],
  body: string,
  isBase64?: 0 | 1,
  logs?: readonly LogEntry[],
  delivery?: DeliveryEnd,
];

/** A run that did not. */
export type FailedResult = readonly [
  ticket: number,
  time: RunTime,
  operations: number,
  failure: Failure,
  logs?: readonly LogEntry[],
  delivery?: DeliveryEnd,
];

export interface Failure {
  readonly code: RunErrorCode;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** What a check found. */
export type CheckedResult = readonly [ticket: number, time: RunTime, operations: -1, checked: Checked];

export type Result = AnsweredResult | FailedResult | CheckedResult;

/** Headers of answers that set none, by what the body is. */
export const STANDARD_HEADERS: readonly (readonly string[])[] = [
  ["content-type", "text/plain; charset=utf-8"],
  ["content-type", "application/json"],
  ["content-type", "application/octet-stream"],
];

/** The first message to a worker. It answers with the id of its thread, as text, once it has loaded. */
export interface Greeting {
  readonly claims: SharedArrayBuffer;
  readonly heaps: SharedArrayBuffer;
  /** Where statements to the database are counted. */
  readonly statements: SharedArrayBuffer;
  /** Its cell on the heap board. */
  readonly index: number;
  /** Where service calls go. */
  readonly database: ConnectionTarget | null;
}

/** @param isPrivileged whether the script may ask what only some may, so that it matters who runs it */
export function runCommand(
  ticket: number,
  handle: number,
  run: RunRequest,
  { needs, isPrivileged }: { readonly needs: Needs | null; readonly isPrivileged: boolean },
): RunCommand {
  // A body that is not JSON although it says so is refused whether or not the script looks at it.
  const hasJson = run.request?.body.kind === "json";
  const cause = causeOf(run, isPrivileged);
  if (needs === null && !hasJson) return ["run", ticket, handle, run.executionId, null, ...cause];
  const { members, request } = needs ?? NOTHING;
  const requestNames = hasJson && !request.includes("body") ? [...request, "body" as const] : request;
  const context: ContextFields = [
    members.map((name) => [name, memberOf(run, name)] as const),
    requestNames.map((name) => [name, requestMemberOf(run.request, name)] as const),
  ];
  return ["run", ticket, handle, run.executionId, context, ...cause];
}

/** Origin and delivery, as far as there are any. */
function causeOf(
  run: RunRequest,
  isPrivileged: boolean,
): readonly [] | readonly [string] | readonly [string | null, readonly [string, number]] {
  const origin = run.emits || isPrivileged ? originOf(run) : null;
  const { delivery } = run;
  if (delivery !== undefined) return [origin, [delivery.id, delivery.attempt]];
  return origin === null ? [] : [origin];
}

/** As `emit_event` reads it: depth, root execution, user; and the user's API key. */
const originOf = ({ triggerDepth, rootExecutionId, principal, keyId }: RunRequest): string =>
  `${triggerDepth},${rootExecutionId},${principal?.id ?? ""},${keyId ?? ""}`;

const NOTHING: Needs = { members: [], request: [] };

function memberOf(run: RunRequest, name: CtxMember): unknown {
  switch (name) {
    case "request_id":
      return run.requestId;
    case "root_execution_id":
      return run.rootExecutionId;
    case "invocation_type":
      return run.invocationType;
    case "trigger_depth":
      return run.triggerDepth;
    case "attempt":
      return run.attempt;
    case "principal":
      return run.principal;
    case "event":
      return run.event;
  }
}

/** Triggered runs have a request too, an empty one. */
const NO_REQUEST: RunHttpRequest = {
  method: "",
  path: "",
  query: "",
  host: "",
  remoteIp: () => "",
  headers: () => [],
  params: {},
  rest: "",
  body: { kind: "none" },
};

function requestMemberOf(given: RunHttpRequest | null, name: RequestMember): unknown {
  const request = given ?? NO_REQUEST;
  switch (name) {
    case "remote_ip":
      return request.remoteIp();
    case "headers":
      return request.headers();
    case "query_all":
      return request.query;
    case "body":
      return bodyField(request.body);
    default:
      return request[name];
  }
}

function bodyField(body: RunBody): BodyField {
  if (body.kind === "none") return ["none", ""];
  return [body.kind, body.kind === "bytes" ? Buffer.from(body.bytes).toString("base64") : body.text];
}
