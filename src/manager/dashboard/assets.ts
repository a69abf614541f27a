import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

/** Where the dashboard lives; the same as `paths.base` in dashboard/vite.config.ts. */
const BASE = "/admin";
const SHELL = "200.html";

/** In the binary the bundle and what is embedded share one folder; in a checkout the build is where Vite puts it. */
const FOLDER = import.meta.dir.startsWith("/$bunfs")
  ? join(import.meta.dir, "dashboard")
  : join(import.meta.dir, "../../../dashboard/build");

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** By path below BASE; read at the first request, some hundred kilobytes in all. */
let assets: ReadonlyMap<string, Asset> | null = null;

/**
 * Answers for `/admin` and everything below it: the built files, and the app's shell for every path that is a page
 * of it (the browser routes those). Hashed files may be cached for ever; the rest is revalidated by ETag.
 * @returns null when the path is not the dashboard's
 */
export function serveDashboard(request: Request): Response | null {
  // The base is for clients that send no Host, which HTTP/1.0 allows: the URL is then a path alone.
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname !== BASE && !pathname.startsWith(`${BASE}/`)) return null;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "The dashboard only answers GET and HEAD.", { Allow: "GET, HEAD" });
  }
  assets ??= readAssets(FOLDER);
  const path = pathname.slice(BASE.length + 1);
  const asset = assets.get(path) ?? (isPage(path) ? assets.get(SHELL) : undefined);
  if (asset === undefined) {
    return isPage(path)
      ? plain(503, "The dashboard is not built. `npm start` and `npm run build` build it.")
      : plain(404, "The dashboard has no such file.");
  }
  if (matches(request.headers.get("If-None-Match"), asset.headers["ETag"])) {
    return new Response(null, { status: 304, headers: asset.headers });
  }
  return new Response(request.method === "HEAD" ? null : asset.bytes, {
    headers: { ...asset.headers, "Content-Length": String(asset.bytes.byteLength) },
  });
}

/** A file that is not there must not be answered with HTML: a script tag of an older build would choke on it. */
function isPage(path: string): boolean {
  return !path.startsWith("_app/") && extname(path) === "";
}

function readAssets(folder: string): ReadonlyMap<string, Asset> {
  const found = new Map<string, Asset>();
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch {
    return found;
  }
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue; // A folder, or nothing a browser asks for.
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    found.set(name, { bytes, headers: headersOf(name, type, bytes) });
  }
  return found;
}

function headersOf(name: string, type: string, bytes: Uint8Array): Record<string, string> {
  const hashed = name.startsWith("_app/immutable/");
  return {
    "Content-Type": type,
    "Cache-Control": hashed ? "public, max-age=31536000, immutable" : "no-cache",
    ETag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    ...(type.startsWith("text/html") ? pageHeaders(Buffer.from(bytes).toString("utf8")) : {}),
  };
}

/**
 * The shell's own bootstrap is the one inline script that may run, named by its hash. Style attributes are allowed:
 * Svelte writes some, and they cannot run anything.
 */
function pageHeaders(html: string): Record<string, string> {
  const bootstraps = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, code = ""]) => ` 'sha256-${createHash("sha256").update(code).digest("base64")}'`,
  );
  const policy = {
    "default-src": "'none'",
    "script-src": `'self'${bootstraps.join("")}`,
    "style-src": "'self'",
    "style-src-attr": "'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
  };
  return {
    "Content-Security-Policy": Object.entries(policy)
      .map(([directive, sources]) => `${directive} ${sources}`)
      .join("; "),
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
  };
}

/** Weak comparison of RFC 9110 section 13.1.2; a proxy that compresses turns our tag into a weak one. */
function matches(header: string | null, tag: string | undefined): boolean {
  if (header === null || tag === undefined) return false;
  return header
    .split(",")
    .some((candidate) => candidate.trim().replace(/^W\//, "") === tag || candidate.trim() === "*");
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", ...headers },
  });
}
