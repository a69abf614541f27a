import {
  NOT_RECORDED,
  type RecordedBody,
  type RecordedRequest,
  type WholeExecution,
} from "../../services/executions/index.ts";
import { conflict, invalid } from "../../shared/errors.ts";
import type { RunBody, RunInput } from "../context.ts";
import type { RerunBody } from "./model.ts";

/**
 * The request for a run that repeats another, and the names of what of it is not as it was.
 * @throws AppError 409 when what is needed was not recorded, 422 for headers that cannot be sent
 */
export function rerunInput(
  original: Pick<WholeExecution, "request" | "request_body">,
  input: RerunBody,
  remoteIp: string,
): { readonly request: RunInput; readonly masked: ReadonlySet<string> } {
  const { request } = original;
  if (request === null) {
    throw conflict("input_not_recorded", "The run had no HTTP request that could be sent again.");
  }
  const masked = new Set(request.masked);
  const headers = headersOf(request, input.headers ?? {}, masked);
  if (input.query !== undefined) forget(masked, "query");
  const body = bodyOf(original.request_body, input.body, headers, masked);
  return {
    request: {
      method: input.method?.toUpperCase() ?? request.method,
      path: request.path,
      query: input.query ?? request.query ?? "",
      host: request.host ?? "",
      headers: () => [...headers].flat(),
      remoteIp: () => remoteIp,
      params: request.params ?? {},
      rest: request.rest ?? "",
      body,
    },
    masked,
  };
}

/** What was edited is as the caller wants it. */
function forget(masked: Set<string>, place: string): void {
  for (const name of masked) if (name === place || name.startsWith(`${place}.`)) masked.delete(name);
}

/** Headers whose values were not recorded are left out rather than sent with a value that is wrong. */
function headersOf(
  request: RecordedRequest,
  edits: Readonly<Record<string, string | null>>,
  masked: Set<string>,
): Map<string, string> {
  const headers = new Map(Object.entries(request.headers).filter(([, value]) => value !== NOT_RECORDED));
  for (const [given, value] of Object.entries(edits)) {
    const name = given.toLowerCase();
    if (value === null) headers.delete(name);
    else headers.set(name, checkedHeader(name, value));
    forget(masked, `headers.${name}`);
  }
  return headers;
}

function checkedHeader(name: string, value: string): string {
  try {
    return new Headers([[name, value]]).get(name) ?? "";
  } catch (cause) {
    throw invalid("validation", `headers.${name.slice(0, 100)}: not a header that could be sent.`, {
      details: { field: "headers" },
      cause,
    });
  }
}

/** Read as the data plane reads bodies: what it is, the content type says. */
function bodyOf(
  recorded: RecordedBody | null,
  edited: unknown,
  headers: Map<string, string>,
  masked: Set<string>,
): RunBody {
  if (edited !== undefined) {
    forget(masked, "body");
    headers.delete("content-length");
    if (edited === "") return { kind: "none" };
    if (typeof edited !== "string") {
      if (!isJson(headers)) headers.set("content-type", "application/json");
      return { kind: "json", text: JSON.stringify(edited) };
    }
    return { kind: textKind(headers), text: edited };
  }
  if (recorded === null) return { kind: "none" };
  if (recorded.truncated) {
    throw conflict(
      "body_not_recorded",
      `The log keeps only the beginning of the request's body of ${recorded.size} bytes; send it as "body".`,
      { details: { size: recorded.size } },
    );
  }
  return recorded.kind === "bytes"
    ? { kind: "bytes", bytes: Buffer.from(recorded.text, "base64") }
    : { kind: recorded.kind, text: recorded.text };
}

const contentType = (headers: ReadonlyMap<string, string>): string =>
  (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

function isJson(headers: ReadonlyMap<string, string>): boolean {
  const type = contentType(headers);
  return type === "application/json" || type.endsWith("+json");
}

function textKind(headers: ReadonlyMap<string, string>): "json" | "form" | "text" {
  if (isJson(headers)) return "json";
  return contentType(headers) === "application/x-www-form-urlencoded" ? "form" : "text";
}
