import type { Server } from "bun";
import type { Config } from "./config.ts";
import { AppError, badRequest, notFound, unavailable } from "./shared/errors.ts";
import { newId } from "./shared/ids.ts";
import { problemResponse } from "./shared/problem.ts";
import { restWhenIdle } from "./rest.ts";

/** What answers below a path; the address is looked up only by those who ask. */
export interface RequestInfo {
  readonly remoteAddress: string;
  /** The answer may take so many seconds: the connection is kept open for it. */
  mayBeSilentFor(seconds: number): void;
}
type Handler = (request: Request, info: RequestInfo) => Response | Promise<Response>;

/** The roles of a running PiCloud, as far as HTTP is concerned. */
export interface Roles {
  /** Everything below /api/ but /api/v1/execute/. */
  readonly manager: Handler;
  /** /api/v1/execute/ and all paths that nobody reserved. */
  readonly orchestrator: Handler;
  /** /admin; null: not a path of the dashboard. */
  readonly dashboard: (request: Request) => Response | null;
  /** Whether requests can be served now: asks the database. */
  readonly ready: () => Promise<boolean>;
  /** The document of /version. */
  readonly version: () => Readonly<Record<string, unknown>>;
}

export interface HttpServer {
  /** Where it can be reached from this machine. */
  readonly url: string;
  /** Hands requests to the roles from now on; until then all but /healthz is answered 503. */
  open(roles: Roles): void;
  /** Stops accepting; resolves when no request is under way, or after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Quiet connections are closed after this many seconds: longer than what most runs may take, and no longer, because
 * each open connection costs a wake-up a second. Whoever may be silent for longer says so (`mayBeSilentFor`).
 */
const IDLE_TIMEOUT_SECONDS = 40;

/** Far above every limit of ours, which answer with a proper document instead of a cut connection. */
const TRANSPORT_BODY_LIMIT = 1024 * 1024 * 1024;

/**
 * Binds the address and answers.
 * @throws AppError `address_in_use` that names the port, or `cannot_listen`
 */
export function listenHttp(config: Config): HttpServer {
  let roles: Roles | null = null;
  let active = 0;
  let drained: (() => void) | null = null;
  const rest = restWhenIdle(() => active === 0);

  const answer = async (request: Request, server: Server<undefined>): Promise<Response> => {
    active++;
    try {
      return await dispatch(request, new LazyInfo(request, server), roles);
    } catch (error) {
      return problemResponse(error, newId());
    } finally {
      active--;
      rest.touched();
      if (active === 0) drained?.();
    }
  };
  const server = bind(config, answer);

  return {
    url: `http://${printable(config.listen.hostname)}:${server.port}`,
    open: (opened) => {
      roles = opened;
    },
    stop: async (graceMs) => {
      rest.stop();
      // Closes the listener; requests under way go on.
      void server.stop(false);
      if (active > 0) {
        const empty = new Promise<void>((resolve) => {
          drained = resolve;
        });
        await Promise.race([empty, Bun.sleep(graceMs)]);
      }
      await server.stop(true);
    },
  };
}

function bind(
  config: Config,
  fetch: (request: Request, server: Server<undefined>) => Promise<Response>,
): Server<undefined> {
  const { hostname, port } = config.listen;
  try {
    return Bun.serve({
      hostname,
      port,
      // With it a second server would silently share the port.
      reusePort: false,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      maxRequestBodySize: TRANSPORT_BODY_LIMIT,
      development: false,
      fetch,
    });
  } catch (cause) {
    const busy = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    throw busy
      ? new AppError(
          500,
          "address_in_use",
          `Port ${port} on ${hostname} is in use by another program. Stop it, or choose another address with --listen HOST:PORT.`,
          { cause },
        )
      : new AppError(
          500,
          "cannot_listen",
          `Cannot listen on ${hostname}:${port}: ${cause instanceof Error ? cause.message : String(cause)}.`,
          { cause },
        );
  }
}

async function dispatch(request: Request, info: RequestInfo, roles: Roles | null): Promise<Response> {
  const path = pathOf(request.url);
  // Most requests are for scripts: one comparison sends them on their way.
  if (request.url.startsWith("/") && path !== "/healthz" && path !== "/readyz") {
    // RFC 9112, 3.2. Without a host there is no absolute URL, on which everything below relies.
    throw badRequest("host_missing", "The request has no Host header. HTTP/1.1 requires one.");
  }
  if (roles !== null && !RESERVED.has(firstSegment(path))) return roles.orchestrator(request, info);
  if (path === "/healthz") return new Response("ok");
  if (path === "/readyz") {
    const ready = roles !== null && (await roles.ready());
    return ready ? new Response("ready") : problemResponse(notReady(roles), newId());
  }
  if (roles === null) return problemResponse(notReady(roles), newId());
  if (path === "/version") return Response.json(roles.version());
  if (path.startsWith("/api/v1/execute/")) return roles.orchestrator(request, info);
  if (path.startsWith("/api/") || path === "/api") return roles.manager(request, info);
  return roles.dashboard(request) ?? problemResponse(notFound("This page"), newId());
}

/** First segments that are not the scripts' (CONTRACT 2.1). Those without an answer yet are 404. */
const RESERVED: ReadonlySet<string> = new Set([
  "api",
  "admin",
  "healthz",
  "readyz",
  "version",
  "metrics",
  "realtime",
]);

const notReady = (roles: Roles | null): AppError =>
  roles === null
    ? unavailable("starting", "PiCloud is starting.", 1)
    : unavailable("database_unavailable", "The database is not reachable at the moment.", 2);

/** The path of a request's URL, without query. The URL of a request without a Host header begins with its path. */
function pathOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("//") + 2);
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}

function firstSegment(path: string): string {
  const end = path.indexOf("/", 1);
  return end === -1 ? path.slice(1) : path.slice(1, end);
}

class LazyInfo implements RequestInfo {
  readonly #request: Request;
  readonly #server: Server<undefined>;
  constructor(request: Request, server: Server<undefined>) {
    this.#request = request;
    this.#server = server;
  }
  get remoteAddress(): string {
    return this.#server.requestIP(this.#request)?.address ?? "";
  }
  mayBeSilentFor(seconds: number): void {
    // Bun knows at most 255 s; 0 is no limit at all.
    if (seconds >= IDLE_TIMEOUT_SECONDS) this.#server.timeout(this.#request, seconds > 255 ? 0 : seconds);
  }
}

function printable(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::") return "127.0.0.1";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
