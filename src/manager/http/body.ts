import { AppError, badRequest, invalid, tooLarge } from "../../shared/errors.ts";

/**
 * The bytes of a request's body. Reading stops as soon as there are more than `limit`, so that an upload of any size
 * takes no more memory than that.
 * @param what names the thing in the message: "The source", "The body"
 * @throws AppError 413
 */
export async function readBody(request: Request, limit: number, what: string): Promise<Uint8Array> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > limit) {
    await request.body?.cancel().catch(() => {});
    throw overLimit(what, limit);
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > limit) throw overLimit(what, limit);
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : new Uint8Array(Buffer.concat(chunks));
}

function overLimit(what: string, limit: number): AppError {
  const size = limit % 1024 === 0 ? `${limit / 1024} KiB` : `${limit} bytes`;
  return tooLarge(`${what} is larger than ${size}.`, { details: { limit_bytes: limit } });
}

/** Whether a request says that its body is JSON. */
export function isJson(request: Request): boolean {
  return /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(request.headers.get("content-type") ?? "");
}

/**
 * The Elysia `parse` hook of every endpoint that takes JSON.
 * @throws AppError 415 when the request does not say that it is JSON, 400 when it is none, 413 above `limit` bytes,
 *   422 for texts that cannot be stored
 */
export function jsonBody(limit: number): (context: { readonly request: Request }) => Promise<unknown> {
  return async ({ request }) => readJson(request, limit);
}

/**
 * The Elysia `parse` hook of endpoints that store JSON as it was written: the text of the body, not read yet.
 * @throws AppError 415, 400 when it is not UTF-8, 413
 */
export function jsonTextBody(limit: number): (context: { readonly request: Request }) => Promise<string> {
  return async ({ request }) => {
    demandJson(request);
    return decoded(await readBody(request, limit, "The body"));
  };
}

/** The lines of a body of newline-delimited JSON that hold something, with their numbers from 1. @throws AppError 400, 413 */
export async function readLines(
  request: Request,
  limit: number,
): Promise<readonly { readonly line: number; readonly text: string }[]> {
  const text = decoded(await readBody(request, limit, "The body"));
  return text
    .split("\n")
    .map((one, index) => ({ line: index + 1, text: one.trim() }))
    .filter((one) => one.text !== "");
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badRequest("malformed_json", "The body is not JSON: it is not UTF-8.", { cause });
  }
}

function demandJson(request: Request): void {
  if (!isJson(request)) {
    const type = request.headers.get("content-type") ?? "none";
    throw new AppError(
      415,
      "unsupported_media_type",
      `This endpoint takes JSON: send the header "Content-Type: application/json" (got: ${type.slice(0, 100)}).`,
    );
  }
}

export async function readJson(request: Request, limit: number): Promise<unknown> {
  demandJson(request);
  const bytes = await readBody(request, limit, "The body");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason =
      bytes.length === 0 ? "it is empty" : cause instanceof SyntaxError ? cause.message : "it is not UTF-8";
    throw badRequest("malformed_json", `The body is not JSON: ${reason}.`, { cause });
  }
  checkTexts(value);
  return value;
}

/** The `parse` of endpoints that need no body: without one, it is `{}`. @throws AppError as `readJson` */
export const readOptionalJson = async (request: Request, limit: number): Promise<unknown> =>
  request.body === null || request.headers.get("content-length") === "0" ? {} : readJson(request, limit);

const MAX_DEPTH = 32;

/** Postgres stores no NUL and no half of a surrogate pair; here the client can still be told where it is. */
function checkTexts(root: unknown): void {
  const open: { readonly value: unknown; readonly field: string; readonly depth: number }[] = [
    { value: root, field: "", depth: 0 },
  ];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, field, depth } = item;
    if (depth > MAX_DEPTH) {
      throw invalid("too_deep", `The body is nested deeper than ${MAX_DEPTH} levels.`, {
        details: { field },
      });
    }
    if (typeof value === "string") checkText(value, field);
    else if (typeof value === "object" && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        const name = field === "" ? key : `${field}.${key}`;
        checkText(key, name);
        open.push({ value: member, field: name, depth: depth + 1 });
      }
    }
  }
}

function checkText(text: string, field: string): void {
  const nul = text.indexOf("\0");
  if (nul === -1 && text.isWellFormed()) return;
  const problem = nul === -1 ? "half of a surrogate pair" : `a NUL character at position ${nul + 1}`;
  throw invalid(
    "invalid_text",
    `${field.slice(0, 100) || "The body"} holds ${problem}; such text cannot be stored.`,
    {
      details: { field },
    },
  );
}
