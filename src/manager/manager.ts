import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import type { Catalog } from "../services/catalog/index.ts";
import {
  cookieFor,
  createUsers,
  requestOrigin,
  isSecure,
  sessionCookie,
  type Identity,
  type User,
} from "../services/identity/index.ts";
import type { Keyring } from "../services/secrets/index.ts";
import { badRequest, unauthorized } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { logger } from "../shared/log.ts";
import { adminsModule } from "./admins/index.ts";
import { apiKeysModule } from "./api-keys/index.ts";
import { appSettingsModule } from "./app-settings/index.ts";
import { appsModule } from "./apps/index.ts";
import { movedSlug, movedTo, SLUG_MOVED } from "./apps/moved.ts";
import { seedDefaultApp } from "./apps/seed.ts";
import { auditModule } from "./audit/index.ts";
import { authModule, UNGUARDED } from "./auth/index.ts";
import type { CheckScript, DataNotices, InvokeVersion, ManagerContext, RunScript } from "./context.ts";
import { docsModule } from "./docs/index.ts";
import { deadLettersModule } from "./dead-letters/index.ts";
import { domainsModule } from "./domains/index.ts";
import { executionsModule } from "./executions/index.ts";
import { createTails } from "./executions/tail.ts";
import { internalPath } from "./http/actions.ts";
import { callerOf, setCaller, type Caller, type Connection } from "./http/caller.ts";
import { deadline } from "./http/deadline.ts";
import { errorResponse, noSuchEndpoint, pathOf } from "./http/errors.ts";
import { apiModule } from "./http/module.ts";
import { checkSameOrigin } from "./http/same-origin.ts";
import { kvModule } from "./kv/index.ts";
import { logsModule } from "./logs/index.ts";
import { membersModule } from "./members/index.ts";
import { appOpenApiModule } from "./openapi/app/index.ts";
import { createPublicPages, openApiDocument } from "./openapi/index.ts";
import { routesModule } from "./routes/index.ts";
import { namedScriptsModule, scriptsModule } from "./scripts/index.ts";
import { sdkModule } from "./sdk/index.ts";
import { secretsModule } from "./secrets/index.ts";
import { usageModule } from "./usage/index.ts";
import { triggersModule } from "./triggers/index.ts";

/** Where the control plane lives. */
export const ROOT = "/api/v1/admin";

/** A request that has no answer by then gets 503. Longer than the database lets a statement run (30 s). */
const REQUEST_TIMEOUT_MS = 40_000;

export interface ManagerDeps {
  readonly db: Database;
  readonly config: Config;
  readonly identity: Identity;
  readonly checkScript: CheckScript;
  readonly invokeVersion: InvokeVersion;
  readonly runScript: RunScript;
  /** Tells of runs as they end. */
  readonly executions: ManagerContext["executions"];
  readonly keyring: Keyring;
  /** Default: nobody is told. */
  readonly data?: DataNotices;
  /** Makes the data plane of this process see what was committed. Awaited before the answer to the change. */
  readonly catalogChanged: (appId: string) => Promise<void>;
  /** Which app answers for a Host header, as the data plane sees it. */
  readonly resolveHost: ManagerContext["resolveHost"];
  /** The route of an app that answers, as the data plane sees it. */
  readonly routeOf: Catalog["route"];
  readonly sdkReference: ManagerContext["sdkReference"];
  /** Called after every change of a password: the file with the first login is of no use any more. */
  readonly onPasswordChanged: (user: Pick<User, "id" | "username">) => Promise<void>;
  /** Default 40 s. */
  readonly requestTimeoutMs?: number;
  /** How often streams of events send a sign of life, and look at the credential again. Default 30 s. */
  readonly heartbeatMs?: number;
}

export interface Manager {
  /**
   * Answers a request under /api/ that is not for the data plane. Never rejects.
   * @param info.remoteAddress the socket's peer; X-Forwarded-* of trusted proxies are evaluated here
   * @param info.mayBeSilentFor told how many seconds the answer may take, when that is unusually long
   */
  handle(
    request: Request,
    info: { readonly remoteAddress: string; mayBeSilentFor?(seconds: number): void },
  ): Promise<Response>;
  /** Streams of events that are open. */
  streams(): number;
  /** Ends the streams of events, which would else keep their connections open. */
  stop(): void;
}

/** Shorter than the time after which a quiet connection is closed. */
const HEARTBEAT_MS = 30_000;

/** Also makes sure that the app `default` exists, with a Hello World when it has to be made. */
export async function createManager(deps: ManagerDeps): Promise<Manager> {
  const { identity } = deps;
  await seedDefaultApp(deps.db, deps.config);
  const context: ManagerContext = {
    db: deps.db,
    config: deps.config,
    identity,
    checkScript: deps.checkScript,
    invokeVersion: deps.invokeVersion,
    runScript: deps.runScript,
    executions: deps.executions,
    tails: createTails(deps, deps.heartbeatMs ?? HEARTBEAT_MS),
    keyring: deps.keyring,
    data: deps.data ?? {
      expires: () => {},
      indexesChanged: () => {},
      eventsCaused: () => {},
      cronChanged: () => {},
    },
    resolveHost: deps.resolveHost,
    routeOf: deps.routeOf,
    sdkReference: deps.sdkReference,
    users: createUsers(deps.db, (user) =>
      quietly("after a change of password", deps.onPasswordChanged(user)),
    ),
    // The change is committed: whatever happens here, the answer is that it is.
    catalogChanged: (appId) => quietly("refreshing the catalog", deps.catalogChanged(appId)),
  };
  const api = createApi(context);
  const publicPage = createPublicPages(() => openApiDocument(api.routes, ROOT));
  const timeoutMs = deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;

  async function enter(request: Request, connection: Connection, requestId: string): Promise<Caller> {
    const { remoteAddress } = connection;
    const path = pathOf(request.url);
    if (!path.startsWith(`${ROOT}/`)) throw noSuchEndpoint(request);
    checkEscapes(path);
    const { headers } = request;
    const caller = {
      requestId,
      connection,
      address: identity.addressOf(headers, remoteAddress),
      origin: requestOrigin(request, remoteAddress, identity.proxies),
      secure: isSecure(request, remoteAddress, identity.proxies),
    };
    if (UNGUARDED.has(`${request.method} ${path.slice(ROOT.length)}`))
      return { ...caller, authentication: null };
    const authentication = await identity.authenticate(headers, caller.address);
    if (authentication === null) throw unauthorized();
    checkSameOrigin(request, caller.origin, authentication);
    return { ...caller, authentication };
  }

  async function answer(request: Request, caller: Caller): Promise<Response> {
    const who = caller.authentication?.principal;
    const path = pathOf(request.url).slice(ROOT.length);
    const slug = who === undefined ? null : await movedSlug(context, who, path);
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (slug !== null && isRead) return movedTo(request, slug);
    const inner = withInternalPath(request);
    setCaller(inner, caller);
    const response = await api.handle(inner);
    if (slug !== null) response.headers.set(SLUG_MOVED, slug);
    return response;
  }

  return {
    async handle(request, info) {
      const requestId = newId();
      const { inTime, extend } = deadline(timeoutMs);
      const connection: Connection = {
        remoteAddress: info.remoteAddress,
        mayBeSilentFor(seconds) {
          extend(seconds * 1000);
          info.mayBeSilentFor?.(seconds);
        },
      };
      try {
        const page = publicPage(request, pathOf(request.url));
        if (page !== null) {
          page.headers.set("X-Request-Id", requestId);
          return page;
        }
        const caller = await inTime(enter(request, connection, requestId));
        const response = await inTime(answer(request, caller));
        response.headers.set("X-Request-Id", requestId);
        if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-store");
        renewCookie(request, caller, response);
        return response;
      } catch (error) {
        return errorResponse(error, request, requestId);
      }
    },
    streams: context.tails.count,
    stop: context.tails.stop,
  };
}

/** The endpoints themselves. */
export const createApi = (context: ManagerContext) =>
  apiModule()
    .onError(({ error, request }) => errorResponse(error, request, callerOf(request).requestId))
    .group(ROOT, (api) =>
      api
        .use(authModule(context))
        .use(adminsModule(context))
        .use(apiKeysModule(context))
        .use(appsModule(context))
        .use(appSettingsModule(context))
        .use(domainsModule(context))
        .use(membersModule(context))
        .use(scriptsModule(context))
        .use(namedScriptsModule(context))
        .use(routesModule(context))
        .use(secretsModule(context))
        .use(kvModule(context))
        .use(docsModule(context))
        .use(usageModule(context))
        .use(triggersModule(context))
        .use(deadLettersModule(context))
        .use(logsModule(context))
        .use(auditModule(context))
        .use(executionsModule(context))
        .use(appOpenApiModule(context))
        .use(sdkModule(context)),
    );

/** The request as Elysia must see it; see `internalPath`. */
function withInternalPath(request: Request): Request {
  const path = pathOf(request.url).slice(ROOT.length);
  const inner = internalPath(path);
  return inner === path ? request : new Request(request.url.replace(path, inner), request);
}

/** @throws AppError 400 for a path whose escapes are not those of UTF-8 text */
function checkEscapes(path: string): void {
  try {
    decodeURIComponent(path);
  } catch (cause) {
    throw badRequest("malformed_path", "The path holds a % escape that cannot be decoded as UTF-8.", {
      cause,
    });
  }
}

/** A login that slides on in the database slides on in the browser too. */
function renewCookie(request: Request, { authentication, secure }: Caller, response: Response): void {
  if (authentication?.kind !== "cookie" || authentication.extended === null) return;
  if (response.headers.has("Set-Cookie")) return;
  const token = sessionCookie(request.headers);
  if (token === null) return;
  response.headers.append("Set-Cookie", cookieFor(token, { secure, expiresAt: authentication.extended }));
}

async function quietly(what: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    logger("manager").error("{what} failed: {error}", { what, error });
  }
}
