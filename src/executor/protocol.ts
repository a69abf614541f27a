import type { RunLimits } from "../shared/limits.ts";
import type { LogEntry } from "../services/executions/index.ts";
import type { RunBody, RunErrorCode, RunRequest } from "./model.ts";
import type { Needs } from "./sources.ts";

/**
 * What the main thread and a worker post to each other. Always one string, the JSON text of an array: posting a string
 * costs about a microsecond, posting the same arrays as objects sixteen. All commands of one turn of the event loop go
 * in one message, and so do the results of the runs that were made of them.
 */
export type Command = BindCommand | LoadCommand | DropCommand | RunCommand | CheckCommand;

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
];

export type DropCommand = readonly ["drop", handle: number];

export type CheckCommand = readonly ["check", ticket: number, source: string];

export type RunCommand = readonly [
  "run",
  ticket: number,
  handle: number,
  executionId: string,
  context?: ContextFields,
];

/** What `ctx` is made of. */
export type ContextFields = readonly [
  requestId: string,
  rootExecutionId: string,
  invocationType: string,
  triggerDepth: number,
  attempt: number,
  principal: RunRequest["principal"],
  event: string | null,
  request: RequestFields | null,
];

export type RequestFields = readonly [
  method: string,
  path: string,
  query: string,
  host: string,
  remoteIp: string,
  params: Readonly<Record<string, string>> | null,
  rest: string,
  bodyKind: RunBody["kind"],
  /** Base64 for bytes. */
  body: string,
  /** Null when the script cannot look at them. */
  headers: readonly string[] | null,
];

/** A run that answered. `headers` is one of STANDARD_HEADERS when it is a number. */
export type AnsweredResult = readonly [
  ticket: number,
  durationMs: number,
  operations: number,
  statusCode: number,
  headers: number | readonly string[],
  body: string,
  isBase64?: 0 | 1,
  logs?: readonly LogEntry[],
];

/** A run that did not. */
export type FailedResult = readonly [
  ticket: number,
  durationMs: number,
  operations: number,
  failure: Failure,
  logs?: readonly LogEntry[],
];

export interface Failure {
  readonly code: RunErrorCode;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** The diagnostics of a check, as `Diagnostic[]`. */
export type CheckedResult = readonly [
  ticket: number,
  durationMs: number,
  operations: -1,
  diagnostics: readonly unknown[],
];

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
  /** Its cell on the heap board. */
  readonly index: number;
}

export function runCommand(ticket: number, handle: number, run: RunRequest, needs: Needs): RunCommand {
  // A body that is not JSON although it says so is refused whether or not the script looks at it.
  if (needs === "nothing" && run.request?.body.kind !== "json")
    return ["run", ticket, handle, run.executionId];
  return ["run", ticket, handle, run.executionId, contextFields(run, needs === "everything")];
}

function contextFields(run: RunRequest, everything: boolean): ContextFields {
  const { request } = run;
  return [
    run.requestId,
    run.rootExecutionId,
    run.invocationType,
    run.triggerDepth,
    run.attempt,
    run.principal,
    run.event,
    request === null
      ? null
      : [
          request.method,
          request.path,
          request.query,
          request.host,
          everything ? request.remoteIp() : "",
          request.params,
          request.rest,
          request.body.kind,
          bodyText(request.body),
          everything ? request.headers() : null,
        ],
  ];
}

function bodyText(body: RunBody): string {
  if (body.kind === "none") return "";
  return body.kind === "bytes" ? Buffer.from(body.bytes).toString("base64") : body.text;
}
