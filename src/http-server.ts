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

/** What a request is for: the scripts, the control plane, or anything else. */
type Plane = "data" | "control" | "other";
type Handler = (request: Request, info: RequestInfo) => Response | Promise<Response>;

/** The roles of a running PiCloud, as far as HTTP is concerned. */
export interface Roles {
  /** Everything below /api/ but /api/v1/execute/ and /api/v1/email-inbound/. */
  readonly manager: Handler;
  /** /api/v1/execute/, /api/v1/email-inbound/ and all paths that nobody reserved. */
  readonly orchestrator: Handler;
  /** /admin; null: not a path of the dashboard. */
  readonly dashboard: (request: Request) => Response | null;
  /** Whether requests can be served now: asks the database. */
  readonly ready: () => Promise<boolean>;
  /** /metrics */
  readonly metrics: Handler;
  /** The document of /version. */
  readonly version: () => Readonly<Record<string, unknown>>;
}

export interface HttpServer {
  /** Where it can be reached from this machine. */
  readonly url: string;
  /** Requests since the start, by what they were for. */
  requests(): Readonly<Record<Plane, number>>;
  /** Hands requests to the roles from now on; until then all but /healthz is answered 503. */
  open(roles: Roles): void;
  /** Something else than a request was done: when that ends too, memory is given back. */
  touched(): void;
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
  const requests = { data: 0, control: 0, other: 0 };

  // Not async: a promise of ours around the role's own would be paid for by every request.
  const answer = (request: Request, server: Server<undefined>): Response | Promise<Response> => {
    rest.touched();
    try {
      return dispatch(request, new LazyInfo(request, server), roles, requests);
    } catch (error) {
      return problemResponse(error, newId());
    }
  };
  const server = bind(config, answer);
  const rest = restWhenIdle(() => server.pendingRequests === 0);

  return {
    url: `http://${printable(config.listen.hostname)}:${server.port}`,
    requests: () => requests,
    open: (opened) => {
      roles = opened;
      // The start was a busy phase too.
      rest.touched();
    },
    touched: rest.touched,
    stop: async (graceMs) => {
      rest.stop();
      // Closes the listener; requests under way go on.
      void server.stop(false);
      const end = performance.now() + graceMs;
      while (server.pendingRequests > 0 && performance.now() < end) await Bun.sleep(10);
      await server.stop(true);
    },
  };
}

function bind(
  config: Config,
  fetch: (request: Request, server: Server<undefined>) => Response | Promise<Response>,
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

function dispatch(
  request: Request,
  info: RequestInfo,
  roles: Roles | null,
  requests: Record<Plane, number>,
): Response | Promise<Response> {
  const { url } = request;
  const start = pathStart(url);
  // Most requests are for scripts: one look sends them on their way.
  if (roles !== null && !isReserved(url, start) && start > 0) {
    requests.data++;
    return roles.orchestrator(request, info);
  }
  const path = pathOf(url, start);
  const plane = planeOf(path);
  requests[plane]++;
  if (path === "/healthz") return new Response("ok");
  if (path === "/readyz") return readiness(roles);
  if (roles === null) throw notReady(roles);
  if (start === 0) {
    // RFC 9112, 3.2. Without a host there is no absolute URL, on which everything below relies.
    throw badRequest("host_missing", "The request has no Host header. HTTP/1.1 requires one.");
  }
  if (path === "/version") return Response.json(roles.version());
  if (path === "/metrics") return roles.metrics(request, info);
  if (plane === "data") return roles.orchestrator(request, info);
  if (plane === "control") return roles.manager(request, info);
  return roles.dashboard(request) ?? problemResponse(notFound("This page"), newId());
}

function planeOf(path: string): Plane {
  if (path.startsWith("/api/v1/execute/") || path.startsWith("/api/v1/email-inbound/")) return "data";
  return path.startsWith("/api/") || path === "/api" ? "control" : "other";
}

async function readiness(roles: Roles | null): Promise<Response> {
  const ready = roles !== null && (await roles.ready());
  return ready ? new Response("ready") : problemResponse(notReady(roles), newId());
}

/** Paths that are not the scripts', with all below them (CONTRACT 2.1). Those without an answer yet are 404. */
const RESERVED = ["/api", "/admin", "/healthz", "/readyz", "/version", "/metrics", "/realtime"];

/** Whether a URL's path, which begins at `start`, is reserved. Allocates nothing: each request comes by here. */
function isReserved(url: string, start: number): boolean {
  for (const path of RESERVED) {
    if (!url.startsWith(path, start)) continue;
    const next = url[start + path.length];
    if (next === undefined || next === "/" || next === "?") return true;
  }
  return false;
}

const notReady = (roles: Roles | null): AppError =>
  roles === null
    ? unavailable("starting", "PiCloud is starting.", 1)
    : unavailable("database_unavailable", "The database is not reachable at the moment.", 2);

/** Where the path of a request's URL begins. 0: the request had no Host header, so its URL is the bare path. */
const pathStart = (url: string): number =>
  url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("//") + 2);

function pathOf(url: string, start: number): string {
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
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
