import { parseJson, RhaiArray, RhaiBlob, RhaiMap, type Value } from "../../rhai/index.ts";
import { VERSIONS } from "../../shared/version.ts";
import type { CtxMember, RequestMember } from "../needs.ts";
import type { BodyField, ContextFields } from "../protocol.ts";

/** What `ctx` says of the script itself. */
export interface ScriptIdentity {
  readonly scriptId: string;
  readonly scriptName: string;
}

/**
 * The constant `ctx` of one run (CONTRACT 3.2), with the members that the script can look at.
 * @throws JsonError when the body says it is JSON but is not
 */
export function buildCtx(
  executionId: string,
  script: ScriptIdentity,
  [members, request]: ContextFields,
): RhaiMap {
  const ctx = new RhaiMap();
  const { entries } = ctx;
  entries.setUsual("sdk_version", VERSIONS.sdk);
  entries.setUsual("execution_id", executionId);
  entries.setUsual("script_id", script.scriptId);
  entries.setUsual("script_name", script.scriptName);
  for (const [name, value] of members) {
    // Absent, not (): `"event" in ctx` is the test for a triggered run.
    if (name !== "event" || value !== null) entries.setUsual(name, memberValue(name, value));
  }
  const fields = new RhaiMap();
  for (const [name, value] of request) fields.entries.setUsual(name, requestValue(name, value));
  entries.setUsual("request", fields);
  return ctx;
}

function memberValue(name: CtxMember, value: unknown): Value {
  if (name === "event") return parseJson(String(value));
  if (name === "principal")
    return value === null ? undefined : mapOf(value as Readonly<Record<string, string>>);
  return value as string | number;
}

function requestValue(name: RequestMember, value: unknown): Value {
  switch (name) {
    case "params":
      return mapOf(value as Readonly<Record<string, string>>);
    case "query":
      return lastValues(value as string);
    case "query_all":
      return allValues(value as string);
    case "headers":
      return headerMap(value as readonly string[]);
    case "body":
      return readBody(value as BodyField);
    default:
      return value as string;
  }
}

function mapOf(record: Readonly<Record<string, string>>): RhaiMap {
  const map = new RhaiMap();
  for (const name of Object.keys(record)) map.entries.setUsual(name, record[name]);
  return map;
}

/** Repeated names are joined with a comma, cookies with a semicolon. */
function headerMap(headers: readonly string[]): RhaiMap {
  const map = new Map<string, string>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    const before = map.get(name);
    map.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  return RhaiMap.of(map);
}

/** The last of repeated names wins. */
function lastValues(query: string): RhaiMap {
  return query === "" ? new RhaiMap() : RhaiMap.of(new Map<string, Value>(new URLSearchParams(query)));
}

function allValues(query: string): RhaiMap {
  const all = new Map<string, Value>();
  for (const [name, value] of new URLSearchParams(query)) {
    const values = all.get(name);
    if (values instanceof RhaiArray) values.items.push(value);
    else all.set(name, new RhaiArray([value]));
  }
  return RhaiMap.of(all);
}

function readBody([kind, text]: BodyField): Value {
  switch (kind) {
    case "none":
      return undefined;
    case "json":
      return parseJson(text);
    case "form":
      return lastValues(text);
    case "text":
      return text;
    case "bytes":
      return new RhaiBlob(new Uint8Array(Buffer.from(text, "base64")));
  }
}
