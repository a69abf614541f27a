import type { RunBody, RunHttpRequest } from "../executor/index.ts";
import {
  looksSecret,
  maskJson,
  maskMultipart,
  maskPairs,
  NOT_RECORDED,
  type BodyBudget,
  type OnMasked,
  type RecordedBody,
  type RequestRecord,
} from "../services/executions/index.ts";

const MAX_HEADERS = 64;
const MAX_HEADER_VALUE = 2048;
const MAX_PATH = 2048;
const MAX_QUERY = 8192;
/** Characters of a body that the log keeps (CONTRACT 14.9); of bytes, this many bytes. */
const MAX_BODY = 64 * 1024;
/** What is kept of each body even when the log has no room for all of it. */
const SMALL_BODY = 512;
/** Names that are told of what was masked. */
const MAX_MASKED = 64;
const MAX_MASKED_NAME = 200;

/** What a body keeps in memory, about. */
export const bodyBytes = (body: RunBody): number =>
  body.kind === "none" ? 0 : body.kind === "bytes" ? body.bytes.length : body.text.length;

/**
 * A request as the log keeps it: enough to run it again, without secrets (values whose names look secret, wherever they
 * stand) and without what is too long. What is missing is named in `masked`.
 */
export function recordRequest(request: RunHttpRequest, budget: BodyBudget): RequestRecord {
  const masked = new Set<string>();
  const mask = (name: string): void =>
    void (masked.size < MAX_MASKED && masked.add(name.slice(0, MAX_MASKED_NAME)));
  const cut = (text: string, most: number, name: string): string => {
    if (text.length <= most) return text;
    mask(name);
    return text.slice(0, most).toWellFormed();
  };
  const query = cut(request.query, MAX_QUERY, "query");
  const { headers, contentType } = shownHeaders(request.headers(), mask, cut);
  const { params, path } = shownPath(request, mask);
  const body = shownBody(request.body, contentType, (name) => mask(`body.${name}`), budget);
  if (body?.truncated === true) mask("body");
  return {
    request: {
      method: request.method,
      host: request.host.slice(0, 253),
      path: cut(path, MAX_PATH, "path"),
      query: maskPairs(query, (name) => mask(`query.${name}`)),
      headers,
      params,
      rest: cut(request.rest, MAX_PATH, "rest"),
      masked: [...masked],
    },
    body,
  };
}

function shownHeaders(
  all: readonly string[],
  mask: OnMasked,
  cut: (text: string, most: number, name: string) => string,
) {
  const headers: Record<string, string> = Object.create(null);
  let contentType = "";
  if (all.length > MAX_HEADERS * 2) mask("headers");
  for (let index = 0; index + 1 < all.length && index < MAX_HEADERS * 2; index += 2) {
    const name = all[index] ?? "";
    const value = all[index + 1] ?? "";
    if (name === "content-type") contentType = value.toLowerCase();
    if (looksSecret(name)) {
      mask(`headers.${name}`);
      headers[name] = NOT_RECORDED;
      continue;
    }
    const shown = cut(value, MAX_HEADER_VALUE, `headers.${name}`);
    // Addresses: Referer, and what proxies add. Their parameters are secrets as often as those of the request.
    const mark = shown.indexOf("?");
    headers[name] =
      mark === -1
        ? shown
        : shown.slice(0, mark + 1) + maskPairs(shown.slice(mark + 1), () => mask(`headers.${name}`));
  }
  return { headers, contentType };
}

/** The path names what the route took out of it, so a secret has to go in both. */
function shownPath(request: RunHttpRequest, mask: OnMasked) {
  const params: Record<string, string> = Object.create(null);
  let { path } = request;
  for (const [name, value] of Object.entries(request.params)) {
    if (!looksSecret(name)) params[name] = value.slice(0, MAX_PATH).toWellFormed();
    else {
      mask(`params.${name}`);
      params[name] = NOT_RECORDED;
      path = path
        .split("/")
        .map((segment) => (segment === value || decoded(segment) === value ? NOT_RECORDED : segment))
        .join("/");
    }
  }
  return { params, path };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function shownBody(
  body: RunBody,
  contentType: string,
  mask: OnMasked,
  budget: BodyBudget,
): RecordedBody | null {
  if (body.kind === "none") return null;
  const size = bodyBytes(body);
  const most = size <= SMALL_BODY || budget(Math.min(size, MAX_BODY)) ? MAX_BODY : SMALL_BODY;
  const isMultipart = contentType.startsWith("multipart/");
  if (body.kind === "bytes") {
    const bytes = body.bytes.subarray(0, most);
    const shown = isMultipart
      ? Buffer.from(maskMultipart(Buffer.from(bytes).toString("latin1"), mask), "latin1")
      : Buffer.from(bytes);
    return { kind: "bytes", text: shown.toString("base64"), size, truncated: size > most };
  }
  const text = body.text.slice(0, most).toWellFormed();
  return {
    kind: body.kind,
    text: maskText(body.kind, text, isMultipart, mask),
    size: Buffer.byteLength(body.text),
    truncated: body.text.length > most,
  };
}

function maskText(
  kind: "json" | "form" | "text",
  text: string,
  isMultipart: boolean,
  mask: OnMasked,
): string {
  // Clients that send JSON and do not say so are many: `curl -d` calls it a form.
  if (kind === "json" || /^\s*[{[]/.test(text)) return maskJson(text, mask);
  if (kind === "form") return maskPairs(text, mask);
  return isMultipart ? maskMultipart(text, mask) : text;
}
