import { createHash } from "node:crypto";
import type { OpenApiDocument } from "./document.ts";

/** A document that never changes while the server runs. */
interface Static {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

function staticFile(text: string, type: string, headers: Readonly<Record<string, string>> = {}): Static {
  const bytes = new TextEncoder().encode(text);
  return {
    bytes,
    headers: {
      "Content-Type": type,
      "Cache-Control": "no-cache",
      ETag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      ...headers,
    },
  };
}

/** Answers GET and HEAD with a file, 304 when the client has it. */
function serveStatic(request: Request, { bytes, headers }: Static): Response {
  const known =
    request.headers
      .get("If-None-Match")
      ?.replaceAll("W/", "")
      .split(/\s*,\s*/) ?? [];
  if (known.some((tag) => tag === headers["ETag"] || tag === "*"))
    return new Response(null, { status: 304, headers });
  return new Response(request.method === "HEAD" ? null : bytes, {
    headers: { ...headers, "Content-Length": String(bytes.byteLength) },
  });
}

/**
 * What anybody may read, since it is the same for all: the document of the API. Made at the first request.
 * @returns for a request: null when it asks for something else
 */
export function createPublicPages(
  document: () => OpenApiDocument,
): (request: Request, path: string) => Response | null {
  let files: ReadonlyMap<string, Static> | null = null;
  const make = (): ReadonlyMap<string, Static> =>
    new Map([["/api/v1/openapi.json", staticFile(JSON.stringify(document()), "application/json")]]);
  return (request, path) => {
    if (!PUBLIC.has(path) || (request.method !== "GET" && request.method !== "HEAD")) return null;
    files ??= make();
    const file = files.get(path);
    return file === undefined ? null : serveStatic(request, file);
  };
}

const PUBLIC: ReadonlySet<string> = new Set(["/api/v1/openapi.json"]);
