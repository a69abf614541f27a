import { createHash } from "node:crypto";
import { published, type OpenApiDocument } from "./document.ts";
import { DOCS, docsPage } from "./page/page.ts";
import search from "./page/search.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };

/** A file that never changes while the server runs. */
interface Static {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

const DOCUMENT = "/api/v1/openapi.json";
const PATHS: ReadonlySet<string> = new Set([DOCUMENT, ...Object.values(DOCS)]);

/** The page loads its own two files and nothing else. */
const PAGE_HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "X-Frame-Options": "DENY",
};

/**
 * What anybody may read, since it is the same for all: the document of the API, and the page made of it. Made at the
 * first request for one of them.
 * @returns for a request: null when it asks for something else
 */
export function createPublicPages(
  document: () => OpenApiDocument,
): (request: Request, path: string) => Response | null {
  let files: ReadonlyMap<string, Static> | null = null;
  return (request, path) => {
    if (!PATHS.has(path) || (request.method !== "GET" && request.method !== "HEAD")) return null;
    files ??= makeFiles(document());
    const file = files.get(path);
    return file === undefined ? null : serveStatic(request, file);
  };
}

const makeFiles = (document: OpenApiDocument): ReadonlyMap<string, Static> =>
  new Map([
    [DOCUMENT, staticFile(JSON.stringify(published(document)), "application/json")],
    [DOCS.page, staticFile(docsPage(document), "text/html; charset=utf-8", PAGE_HEADERS)],
    [DOCS.style, staticFile(style, "text/css; charset=utf-8")],
    [DOCS.script, staticFile(search, "text/javascript; charset=utf-8")],
  ]);

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
