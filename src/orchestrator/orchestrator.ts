import type { Config } from "../config.ts";
import { toAppError } from "../database/errors.ts";
import type { Executor, RunBody } from "../executor/index.ts";
import type { Catalog } from "../services/catalog/index.ts";
import type { Database } from "../database/client.ts";
import { insertRequest } from "../services/events/index.ts";
import type { ExecutionLog } from "../services/executions/index.ts";
import type { Idempotency, KeepAnswer } from "../services/idempotency/index.ts";
import { clientAddress, trustedProxies } from "../services/identity/client-address.ts";
import type { Keyring } from "../services/secrets/index.ts";
import type { Clock } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { Principal } from "../shared/principal.ts";
import { problemResponse } from "../shared/problem.ts";
import { runProblem, scriptResponse } from "./answer.ts";
import { callerOf, hasCredential, type Caller } from "./caller.ts";
import { preflight } from "./cors.ts";
import type { GateStats } from "./gate.ts";
import { HttpRequest, type RequestOrigin } from "./http-request.ts";
import { carryOutOnce, idempotencyKey } from "./idempotency-key.ts";
import { createInboundMail, EMAIL_INBOUND } from "./inbound-mail.ts";
import { createPolicies } from "./policies.ts";
import { RateLimits } from "./rate-limits.ts";
import { checkJson, hasBody, readBody } from "./request-body.ts";
import { readUrl, type RequestUrl } from "./request-url.ts";
import { storedRequest } from "./stored-request.ts";
import { createRuns, type ObservedRun, type Runs } from "./runs.ts";
import { directTarget, EXECUTE, executeTarget, routeTarget, type Asked, type Runnable } from "./targets.ts";

export interface OrchestratorOptions {
  /** Where requests of asynchronous routes and e-mail wait. */
  readonly db: Database;
  /** Told that one does. */
  readonly onAccepted?: () => void;
  readonly catalog: Catalog;
  readonly executor: Executor;
  readonly executions: ExecutionLog;
  readonly idempotency: Idempotency;
  /** Opens what e-mail is signed with. */
  readonly keyring: Keyring;
  readonly config: Pick<
    Config,
    "maxBodyBytes" | "maxConcurrentExecutions" | "triggerRetry" | "trustedProxies"
  >;
  readonly clock: Clock;
  /**
   * Who sends this request; null for nobody or a bad credential. Only asked when there is a credential. `direct`: the
   * request is for /api/v1/execute, so that Basic credentials are meant for PiCloud and not for the script.
   */
  readonly authenticate: (
    request: Request,
    remoteAddress: string,
    options: { readonly direct: boolean },
  ) => Promise<Principal | null>;
  /** Told of every run that ended; must not throw. */
  readonly observe?: (run: ObservedRun) => void;
  /** AppRead: may run scripts whose direct_execute is "members". */
  readonly mayExecute: (principal: Principal, appId: string) => boolean | Promise<boolean>;
  /** AppLogRead: may see what a script threw. */
  readonly mayReadLogs: (principal: Principal, appId: string) => boolean | Promise<boolean>;
}

export interface OrchestratorStats extends GateStats {
  /** Requests turned away by a rate limit, since the start. */
  readonly rateLimited: number;
}

export interface Orchestrator {
  /**
   * Answers any request that is not the control plane's: user routes, POST /api/v1/execute/{script_id}, and e-mail. Never
   * rejects; every answer carries X-Request-Id.
   */
  handle(request: Request, origin: RequestOrigin): Promise<Response>;
  /** Runs one version, live or not, for the control plane, which has checked that the caller may. Never rejects. */
  invoke(request: Request, origin: RequestOrigin, what: Invocation): Promise<Response>;
  /** For runs that no request asked for as it is, such as those that repeat another. */
  readonly runOnce: Runs["runOnce"];
  stats(): OrchestratorStats;
  /** Refuses new runs with 503 from now on and waits up to `graceMs` for those under way. */
  drain(graceMs: number): Promise<void>;
}

/** A version that somebody wants to try, whether or not it is live. */
export interface Invocation {
  readonly script: Runnable;
  readonly version: number;
  readonly caller: Caller;
  /** As the client wrote it. */
  readonly path: string;
  readonly requestId: string;
}

const ANONYMOUS: Caller = { principal: null, hidesAuthorization: false };
/** What a request may take beyond its script's limit: waiting for a slot, and ending what does not end by itself. */
const MARGIN_SECONDS = 2;
const NO_BODY: RunBody = { kind: "none" };

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { catalog, config, idempotency } = options;
  const runs = createRuns({ ...options, maxConcurrent: config.maxConcurrentExecutions });
  const limits = new RateLimits(options.clock);
  const proxies = trustedProxies(config.trustedProxies);
  const policies = createPolicies(catalog, limits, proxies);
  const inboundMail = createInboundMail({ ...options, limits });

  function handle(request: Request, origin: RequestOrigin): Promise<Response> {
    const requestId = newId();
    const refused = (error: unknown): Response => refuse(error, requestId);
    try {
      runs.refuseWhenStopping();
      const url = readUrl(request.url);
      if (url.path.startsWith(EMAIL_INBOUND)) {
        const address = (): string => clientAddress(request.headers, origin.remoteAddress, proxies);
        return inboundMail(request, url, requestId, address).catch(refused);
      }
      // Most requests have neither credential nor body: nothing to wait for before the run.
      if (url.path.startsWith(EXECUTE) || hasBody(request) || hasCredential(request.headers)) {
        return prepare(request, origin, url, requestId).catch(refused);
      }
      const target = routeTarget(catalog, request, url);
      const asked: Asked = { request, origin, url, target, caller: ANONYMOUS, requestId };
      return policies.govern(asked, () => answer(asked, NO_BODY, newId()), refused);
    } catch (error) {
      return Promise.resolve(refused(error));
    }
  }

  async function prepare(
    request: Request,
    origin: RequestOrigin,
    url: RequestUrl,
    requestId: string,
  ): Promise<Response> {
    const question = preflight(catalog, request, url);
    if (question !== null) return question;
    const isDirect = url.path.startsWith(EXECUTE);
    // Before anybody is asked who the caller is: most wrong paths come without a valid credential.
    const byRoute = isDirect ? null : routeTarget(catalog, request, url);
    const caller = hasCredential(request.headers)
      ? await callerOf(request, origin.remoteAddress, isDirect, options.authenticate)
      : ANONYMOUS;
    const target = byRoute ?? (await executeTarget(catalog, request, url, caller, options.mayExecute));
    const asked: Asked = { request, origin, url, target, caller, requestId };
    const carryOut = async (): Promise<Response> => {
      const { route } = target;
      if (route?.dispatchMode !== "async") runs.refuseWhenPaused(target.script.appId);
      const honoursKeys = route === null || route.idempotent || route.dispatchMode === "async";
      const key = honoursKeys ? idempotencyKey(request) : null;
      const body = await bodyOf(request);
      if (key === null) return answer(asked, body, newId());
      return carryOutOnce(idempotency, asked, key, body, (executionId, keep) =>
        answer(asked, body, executionId, keep),
      );
    };
    return policies.govern(asked, carryOut, (error) => refuse(error, requestId));
  }

  async function invoke(request: Request, origin: RequestOrigin, what: Invocation): Promise<Response> {
    const { script, version, caller, path, requestId } = what;
    try {
      runs.refuseWhenStopping();
      const url = { ...readUrl(request.url), path };
      const body = await bodyOf(request);
      const target = directTarget(script, version, url, "invoke");
      return await run({ request, origin, url, target, caller, requestId }, body, newId());
    } catch (error) {
      return refuse(error, requestId);
    }
  }

  const bodyOf = async (request: Request): Promise<RunBody> =>
    hasBody(request) ? readBody(request, config.maxBodyBytes) : NO_BODY;

  const answer = (asked: Asked, body: RunBody, executionId: string, keep?: KeepAnswer): Promise<Response> =>
    asked.target.route?.dispatchMode === "async"
      ? accept(asked, body, executionId, keep)
      : run(asked, body, executionId);

  const httpRequest = (asked: Asked, body: RunBody): HttpRequest =>
    new HttpRequest(
      asked.request,
      asked.url,
      asked.target,
      body,
      asked.caller.hidesAuthorization,
      asked.origin,
      proxies,
    );

  /**
   * Keeps a request of an asynchronous route, which is carried out afterwards, and again if it fails.
   * @throws AppError 400 `malformed_body`
   */
  async function accept(
    asked: Asked,
    body: RunBody,
    executionId: string,
    keep?: KeepAnswer,
  ): Promise<Response> {
    const { target, caller, requestId } = asked;
    const { script, route } = target;
    checkJson(body);
    const request = {
      appId: script.appId,
      id: executionId,
      routeId: route?.id ?? script.id,
      scriptId: script.id,
      request: JSON.stringify(storedRequest(httpRequest(asked, body), requestId, caller.principal)),
      principalId: caller.principal?.userId ?? null,
      retries: config.triggerRetry,
    };
    const accepted = Response.json(
      { accepted_at: new Date(options.clock.now()).toISOString(), execution_id: executionId },
      { status: 202, headers: { "X-Request-Id": requestId, "X-Execution-Id": executionId } },
    );
    if (keep === undefined) await insertRequest(options.db, request);
    else
      await options.db.begin(async (sql) => {
        await insertRequest(sql, request);
        await keep(sql, accepted);
      });
    options.onAccepted?.();
    return accepted;
  }

  async function run(asked: Asked, body: RunBody, executionId: string): Promise<Response> {
    const { origin, target, requestId } = asked;
    const { principal } = asked.caller;
    const { script, version, triggerKind } = target;
    origin.mayBeSilentFor?.(script.limits.timeoutMs / 1000 + MARGIN_SECONDS);
    const { outcome, queuedMs } = await runs.runOnce({
      executionId,
      script,
      version,
      triggerKind,
      principal,
      requestId,
      request: httpRequest(asked, body),
      event: null,
      rerun: null,
    });
    const ids = { requestId, executionId, queuedMs };
    const { error, response } = outcome;
    if (response !== null) return scriptResponse(response, ids);
    if (error === null) throw new Error("a run ended with neither an answer nor an error");
    throw runProblem(error, ids, await maySeeErrors(principal, script.appId));
  }

  const maySeeErrors = async (principal: Principal | null, appId: string): Promise<boolean> =>
    catalog.app(appId)?.settings.exposeErrors === true ||
    (principal !== null && options.mayReadLogs(principal, appId));

  return {
    handle,
    invoke,
    runOnce: runs.runOnce,
    stats: () => ({ ...runs.stats(), rateLimited: limits.rejected }),
    drain: runs.drain,
  };
}

const refuse = (error: unknown, requestId: string): Response =>
  problemResponse(toAppError(error) ?? error, requestId);
