import type { RunBody } from "../executor/index.ts";
import { badRequest, tooLarge } from "../shared/errors.ts";

const NONE: RunBody = { kind: "none" };

/** Keeps a byte order mark: what a script gets is what was sent. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether there may be a body to read; GET and HEAD seldom have one. */
export function hasBody({ method, headers }: Request): boolean {
  if (method !== "GET" && method !== "HEAD") return true;
  const length = headers.get("content-length");
  return length === null ? headers.has("transfer-encoding") : length !== "0";
}

/**
 * Reads a body (CONTRACT 2.9): JSON by its content type, an HTML form likewise, other UTF-8 as text, the rest as bytes.
 * JSON stays text here: it is parsed in the worker, where hostile text delays nobody.
 * @throws AppError 413 as soon as the limit is passed, whether or not a length was announced; 400 `malformed_body`
 */
export async function readBody(request: Request, maxBytes: number): Promise<RunBody> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return NONE;
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const isJson = type === "application/json" || type.endsWith("+json");
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    if (isJson) throw badRequest("malformed_body", "The request's body is not JSON: it is not valid UTF-8.");
    return { kind: "bytes", bytes };
  }
  if (isJson) return { kind: "json", text: text.startsWith("\ufeff") ? text.slice(1) : text };
  return { kind: type === "application/x-www-form-urlencoded" ? "form" : "text", text };
}

/**
 * Whether a body that says it is JSON is. For requests that are carried out later, when nobody can be told any more: of all
 * others the worker finds out.
 * @throws AppError 400 `malformed_body`
 */
export function checkJson(body: RunBody): void {
  if (body.kind !== "json") return;
  try {
    JSON.parse(body.text);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^JSON Parse error: /, "") : String(error);
    throw badRequest("malformed_body", `The request's body is not JSON: ${why}.`);
  }
}

/** The bytes of a body. @throws AppError 413 */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (announced > maxBytes) throw bodyTooLarge(maxBytes);
  if (announced >= 0) return request.bytes();
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop cancels the stream: the rest is not read.
    if (length > maxBytes) throw bodyTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

const bodyTooLarge = (maxBytes: number) =>
  tooLarge(`The request's body is larger than the limit of ${maxBytes} bytes.`, {
    details: { limit: maxBytes },
  });
