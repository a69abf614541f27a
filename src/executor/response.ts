import { JsonError, toJson, RhaiArray, RhaiBlob, RhaiMap, type Value } from "../rhai/index.ts";

/** A script's answer that breaks the response convention; 502 `invalid_response`. */
export class InvalidResponse {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** What the worker posts for a run that answered. `headers`: an index into STANDARD_HEADERS, or name and value by turns. */
export interface ScriptAnswer {
  readonly statusCode: number;
  readonly headers: number | readonly string[];
  readonly body: string;
  readonly isBase64: boolean;
}

/** Longest body (CONTRACT Q33): it is built in memory. */
export const MAX_BODY = 10 * 1024 * 1024;

/** Connection-level headers, and the length, are the server's own affair. */
const DROPPED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** RFC 9110 token. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What a value may hold once it is sent as bytes: no controls but the tab. */
const FORBIDDEN_IN_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * Turns what a script returned into an answer (CONTRACT 2.9, 3.4): a map with `statusCode` says all of it, anything
 * else is the body of a 200.
 * @throws InvalidResponse
 */
export function answerOf(value: Value): ScriptAnswer {
  if (!(value instanceof RhaiMap) || !value.entries.has("statusCode")) {
    const { headers, body, isBase64 } = bodyOf(value);
    return { statusCode: 200, headers, body, isBase64 };
  }
  const statusCode = value.entries.get("statusCode");
  if (typeof statusCode !== "number" || statusCode < 100 || statusCode > 599) {
    throw new InvalidResponse("statusCode is not an integer from 100 to 599");
  }
  if (statusCode < 200)
    throw new InvalidResponse(`the status ${statusCode} is only provisional; answer with 200 or above`);
  const body = value.entries.has("body") ? bodyOf(value.entries.get("body")) : EMPTY;
  const own = value.entries.get("headers");
  if (own === undefined) return { statusCode, ...body };
  if (!(own instanceof RhaiMap)) throw new InvalidResponse("headers is not a map");
  return { ...body, statusCode, headers: headersOf(own, body) };
}

type Body = Omit<ScriptAnswer, "statusCode">;

const EMPTY: Body = { headers: 0, body: "", isBase64: false };
const CONTENT_TYPES = ["text/plain; charset=utf-8", "application/json", "application/octet-stream"];

function bodyOf(value: Value): Body {
  if (typeof value === "string") return { headers: 0, body: value, isBase64: false };
  if (value instanceof RhaiBlob) {
    if (value.length > MAX_BODY) throw new InvalidResponse(`the body has more than ${MAX_BODY} bytes`);
    return { headers: 2, body: Buffer.from(value.view()).toString("base64"), isBase64: true };
  }
  try {
    return { headers: 1, body: toJson(value, MAX_BODY), isBase64: false };
  } catch (error) {
    if (error instanceof JsonError)
      throw new InvalidResponse(`the body cannot be written as JSON: ${error.message}`);
    throw error;
  }
}

function headersOf(own: RhaiMap, body: Body): readonly string[] {
  const headers: string[] = [];
  let hasType = false;
  for (const [name, value] of own.entries) {
    if (!NAME.test(name))
      throw new InvalidResponse(`${JSON.stringify(name.slice(0, 80))} is not a header name`);
    const lower = name.toLowerCase();
    hasType ||= lower === "content-type";
    for (const text of valuesOf(name, value)) {
      if (DROPPED.has(lower) || (lower === "set-cookie" && isSessionCookie(text))) continue;
      headers.push(lower, text);
    }
  }
  if (!hasType && typeof body.headers === "number")
    headers.push("content-type", CONTENT_TYPES[body.headers] ?? "");
  return headers;
}

function valuesOf(name: string, value: Value): readonly string[] {
  const values = value instanceof RhaiArray ? value.items : [value];
  return values.map((text) => {
    if (typeof text !== "string") {
      throw new InvalidResponse(`the header ${name} is neither a string nor an array of strings`);
    }
    if (FORBIDDEN_IN_VALUE.test(text)) {
      throw new InvalidResponse(`the header ${name} holds a line break, NUL or another control character`);
    }
    if (/[^\u0000-\u00ff]/.test(text)) {
      throw new InvalidResponse(`the header ${name} holds a character that headers cannot carry; encode it`);
    }
    return text;
  });
}

/** A script must not sign people in to the control plane. */
const isSessionCookie = (text: string): boolean => /^\s*picloud_session\s*=/i.test(text);
