import { RhaiArray, RhaiBlob, RhaiMap, type Value } from "../../rhai/index.ts";
import { VERSIONS } from "../../shared/version.ts";
import { readJson } from "../json-read.ts";
import type { ContextFields, RequestFields } from "../protocol.ts";

/** What `ctx` says of the script itself. */
export interface ScriptIdentity {
  readonly scriptId: string;
  readonly scriptName: string;
}

/**
 * The constant `ctx` of one run (CONTRACT 3.2).
 * @throws JsonProblem when the body says it is JSON but is not
 */
export function buildCtx(executionId: string, script: ScriptIdentity, fields: ContextFields): RhaiMap {
  const [requestId, rootExecutionId, invocationType, triggerDepth, attempt, principal, event, request] =
    fields;
  const entries = new Map<string, Value>([
    ["sdk_version", VERSIONS.sdk],
    ["execution_id", executionId],
    ["request_id", requestId],
    ["root_execution_id", rootExecutionId],
    ["script_id", script.scriptId],
    ["script_name", script.scriptName],
    ["invocation_type", invocationType],
    ["trigger_depth", triggerDepth],
    ["attempt", attempt],
    [
      "principal",
      principal === null
        ? undefined
        : mapOf([
            ["id", principal.id],
            ["username", principal.username],
          ]),
    ],
    ["request", buildRequest(request ?? NO_REQUEST)],
  ]);
  if (event !== null) entries.set("event", readJson(event));
  return new RhaiMap(entries);
}

/** Triggered runs have a request too, an empty one. */
const NO_REQUEST: RequestFields = ["", "", "", "", "", null, "", "none", "", null];

function buildRequest(request: RequestFields): RhaiMap {
  const [method, path, query, host, remoteIp, params, rest, bodyKind, body, headers] = request;
  const entries = new Map<string, Value>([
    ["method", method],
    ["path", path],
    ["host", host],
    ["remote_ip", remoteIp],
    ["rest", rest],
    ["params", mapOf(Object.entries(params ?? {}))],
    ["headers", headerMap(headers ?? [])],
    ["body", readBody(bodyKind, body)],
  ]);
  const { last, all } = readQuery(query);
  entries.set("query", last);
  entries.set("query_all", all);
  return new RhaiMap(entries);
}

const mapOf = (entries: Iterable<readonly [string, string]>): RhaiMap =>
  new RhaiMap(new Map<string, Value>(entries));

/** Repeated names are joined with a comma, cookies with a semicolon. */
function headerMap(headers: readonly string[]): RhaiMap {
  const map = new Map<string, Value>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    const before = map.get(name);
    map.set(
      name,
      before === undefined ? value : `${String(before)}${name === "cookie" ? "; " : ", "}${value}`,
    );
  }
  return new RhaiMap(map);
}

/** The last of repeated names wins in `query`; `query_all` holds them all. */
function readQuery(query: string): { readonly last: RhaiMap; readonly all: RhaiMap } {
  const last = new Map<string, Value>();
  const all = new Map<string, Value>();
  if (query !== "") {
    for (const [name, value] of new URLSearchParams(query)) {
      last.set(name, value);
      const values = all.get(name);
      if (values instanceof RhaiArray) values.items.push(value);
      else all.set(name, new RhaiArray([value]));
    }
  }
  return { last: new RhaiMap(last), all: new RhaiMap(all) };
}

function readBody(kind: RequestFields[7], body: string): Value {
  switch (kind) {
    case "none":
      return undefined;
    case "json":
      return readJson(body);
    case "form":
      return readQuery(body).last;
    case "text":
      return body;
    case "bytes":
      return new RhaiBlob(new Uint8Array(Buffer.from(body, "base64")));
  }
}
