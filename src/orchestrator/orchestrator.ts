import type { Config } from "../config.ts";
import { toAppError } from "../database/errors.ts";
import type { Executor, RunBody, RunHttpRequest, RunOutcome, RunRequest } from "../executor/index.ts";
import type { Catalog, CatalogRoute, CatalogScript } from "../services/catalog/index.ts";
import type { ExecutionLog } from "../services/executions/index.ts";
import type { Idempotency } from "../services/idempotency/index.ts";
import { HttpRequest, type RequestOrigin } from "./http-request.ts";
import { normaliseHost } from "../services/routes/index.ts";
import { clientAddress, trustedProxies } from "../services/identity/client-address.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, invalid, notFound, unavailable } from "../shared/errors.ts";
import { isUuid, newId } from "../shared/ids.ts";
import type { Principal } from "../shared/principal.ts";
import { problemResponse } from "../shared/problem.ts";
import { isRunProblem, runProblem, scriptResponse } from "./answer.ts";
import { callerOf, hasCredential, type Caller } from "./caller.ts";
import { Gate, type GateStats } from "./gate.ts";
import { bodyPart, idempotencyKey } from "./idempotency-key.ts";
import { RateLimits, subjectOf } from "./rate-limits.ts";
import { executionRow, statusCodeOf } from "./record.ts";
import { hasBody, readBody } from "./request-body.ts";
import { readUrl, type RequestUrl } from "./request-url.ts";

export interface OrchestratorOptions {
  readonly catalog: Catalog;
  readonly executor: Executor;
  readonly executions: ExecutionLog;
  readonly idempotency: Idempotency;
  readonly config: Pick<Config, "maxBodyBytes" | "maxConcurrentExecutions" | "trustedProxies">;
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

export interface ObservedRun {
  readonly appId: string;
  readonly scriptId: string;
  readonly triggerKind: string;
  readonly status: RunOutcome["status"];
  readonly durationMs: number;
}

export interface OrchestratorStats extends GateStats {
  /** Requests turned away by a rate limit, since the start. */
  readonly rateLimited: number;
}

export interface Orchestrator {
  /**
   * Answers any request that is not the control plane's: user routes and POST /api/v1/execute/{script_id}. Never
   * rejects; every answer carries X-Request-Id.
   */
  handle(request: Request, origin: RequestOrigin): Promise<Response>;
  /** Runs one version, live or not, for the control plane, which has checked that the caller may. Never rejects. */
  invoke(request: Request, origin: RequestOrigin, what: Invocation): Promise<Response>;
  /**
   * Runs one version, through the gate and into the log as any other: for runs that no request asked for as it is, such
   * as those that repeat another.
   * @throws AppError 503 when there is no slot or PiCloud is stopping, and whatever reading the source throws
   */
  runOnce(run: OneRun): Promise<EndedRun>;
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

/** One run of one version. */
export interface OneRun {
  /** A new one. */
  readonly executionId: string;
  readonly script: Runnable;
  readonly version: number;
  readonly triggerKind: string;
  /** As whom it runs; the script sees it. */
  readonly principal: Principal | null;
  readonly requestId: string;
  readonly request: RunHttpRequest | null;
  /** `ctx.event` as JSON text. */
  readonly event: string | null;
  /** The run that it repeats. */
  readonly rerun: { readonly of: string; readonly rootExecutionId: string } | null;
}

export interface EndedRun {
  /** Milliseconds in the gate; 0 when there was no wait. */
  readonly queuedMs: number;
  readonly outcome: RunOutcome;
  /** What the data plane answers it with. */
  readonly statusCode: number;
}

/** With the limits of the version that runs. */
type Runnable = Pick<CatalogScript, "appId" | "id" | "name" | "limits">;

const EXECUTE = "/api/v1/execute/";
const ANONYMOUS: Caller = { principal: null, hidesAuthorization: false };
/** What a request may take beyond its script's limit: waiting for a slot, and ending what does not end by itself. */
const MARGIN_SECONDS = 2;
const NO_BODY: RunBody = { kind: "none" };
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** What a request asks to be run. */
interface Target {
  readonly script: Runnable;
  /** Null: it names the script itself. */
  readonly route: CatalogRoute | null;
  readonly version: number;
  readonly triggerKind: "http" | "invoke";
  /** Normalised. */
  readonly host: string;
  readonly params: Readonly<Record<string, string>>;
  readonly rest: string;
}

/** A request of which all is known but its body. */
interface Asked {
  readonly request: Request;
  readonly origin: RequestOrigin;
  readonly url: RequestUrl;
  readonly target: Target;
  readonly caller: Caller;
  readonly requestId: string;
}

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { catalog, executor, executions, config, clock } = options;
  const gate = new Gate(config.maxConcurrentExecutions, clock);
  const limits = new RateLimits(clock);
  const proxies = trustedProxies(config.trustedProxies);
  let underWay = 0;
  let stopping = false;
  let drained: (() => void) | null = null;

  function handle(request: Request, origin: RequestOrigin): Promise<Response> {
    const requestId = newId();
    try {
      if (stopping) throw unavailable("stopping", "PiCloud is stopping. Try again shortly.", 2);
      const url = readUrl(request.url);
      const isDirect = url.path.startsWith(EXECUTE);
      // Most requests have neither credential nor body: nothing to wait for before the run.
      if (isDirect || hasBody(request) || hasCredential(request.headers)) {
        return prepare(request, origin, url, isDirect, requestId).catch((error: unknown) =>
          refuse(error, requestId),
        );
      }
      const target = routeTarget(request, url);
      const asked: Asked = { request, origin, url, target, caller: ANONYMOUS, requestId };
      return limited(asked, () => run(asked, NO_BODY, newId()));
    } catch (error) {
      return Promise.resolve(refuse(error, requestId));
    }
  }

  const refuse = (error: unknown, requestId: string): Response =>
    problemResponse(toAppError(error) ?? error, requestId);

  async function prepare(
    request: Request,
    origin: RequestOrigin,
    url: RequestUrl,
    isDirect: boolean,
    requestId: string,
  ): Promise<Response> {
    // Before anybody is asked who the caller is: most wrong paths come without a valid credential.
    const byRoute = isDirect ? null : routeTarget(request, url);
    const caller = hasCredential(request.headers)
      ? await callerOf(request, origin.remoteAddress, isDirect, options.authenticate)
      : ANONYMOUS;
    const target = byRoute ?? (await directTarget(request, url, caller));
    const asked: Asked = { request, origin, url, target, caller, requestId };
    return limited(asked, async () => {
      const key = target.route?.idempotent === false ? null : idempotencyKey(request);
      const body = hasBody(request) ? await readBody(request, config.maxBodyBytes) : NO_BODY;
      return key === null ? run(asked, body, newId()) : once(asked, key, body);
    });
  }

  /** Carries a request out under the rate limit of its route. @throws AppError 429 */
  function limited(asked: Asked, carryOut: () => Promise<Response>): Promise<Response> {
    const { request, origin, target, caller, requestId } = asked;
    const { route } = target;
    if (route === null || route.rateLimit === null) {
      return carryOut().catch((error: unknown) => refuse(error, requestId));
    }
    const { headers } = request;
    const subject = subjectOf(route.rateLimit.key, {
      headers,
      userId: caller.principal?.userId ?? null,
      address: () => clientAddress(headers, origin.remoteAddress, proxies),
    });
    const rate = limits.take(`${route.id} ${subject}`, route.rateLimit);
    return carryOut()
      .catch((error: unknown) => refuse(error, requestId))
      .then((response) => {
        for (const [name, value] of Object.entries(rate)) response.headers.set(name, value);
        return response;
      });
  }

  /** Carries a request with an Idempotency-Key out, or gives the answer of when it was. */
  function once(asked: Asked, key: string, body: RunBody): Promise<Response> {
    const { request, url, target, caller, requestId } = asked;
    const { script } = target;
    const executionId = newId();
    const credential = caller.hidesAuthorization ? null : request.headers.get("authorization");
    return options.idempotency.once(
      {
        appId: script.appId,
        scopeId: target.route?.id ?? script.id,
        key,
        executionId,
        // Who asks belongs to it: nobody gets the answer to somebody else.
        parts: [
          request.method,
          url.path,
          url.query,
          caller.principal?.userId ?? "",
          credential ?? "",
          bodyPart(body),
        ],
        abandonedSeconds: script.limits.timeoutMs / 1000 + MARGIN_SECONDS,
      },
      async () => {
        try {
          return await run(asked, body, executionId);
        } catch (error) {
          // A script that failed has run: that is its answer, now and later.
          if (error instanceof AppError && isRunProblem(error)) return problemResponse(error, requestId);
          throw error;
        }
      },
    );
  }

  function routeTarget(request: Request, url: RequestUrl): Target {
    const { app, host, params } = catalog.resolveApp(url.host);
    if (app === null) {
      throw new AppError(404, "unknown_host", `No app answers for the host "${host.slice(0, 253)}".`);
    }
    const match = catalog.route(app.id, request.method, host, url.path);
    if (match === null)
      throw new AppError(404, "no_route", `No route answers ${request.method} on this path.`);
    const script = catalog.script(match.route.scriptId);
    if (script === undefined) throw notFound("The script of this route");
    if (script.liveVersion === null) {
      throw new AppError(404, "no_live_version", "The script of this route has no live version yet.");
    }
    if (match.route.dispatchMode === "async") {
      throw new AppError(
        501,
        "not_implemented",
        "This route is asynchronous, which this release cannot serve yet.",
      );
    }
    return {
      script,
      route: match.route,
      version: script.liveVersion,
      triggerKind: "http",
      host,
      params: params === NO_PARAMS || isEmpty(params) ? match.params : { ...params, ...match.params },
      rest: match.rest,
    };
  }

  /** `POST /api/v1/execute/{script_id}`. What the caller may not run does not exist for them. */
  async function directTarget(request: Request, url: RequestUrl, caller: Caller): Promise<Target> {
    if (request.method !== "POST") {
      throw new AppError(405, "method_not_allowed", "A script is executed with POST.", {
        headers: { Allow: "POST" },
      });
    }
    const id = url.path.slice(EXECUTE.length).toLowerCase();
    const script = isUuid(id) ? catalog.script(id) : undefined;
    if (script === undefined || script.liveVersion === null || !(await mayRun(script, caller.principal))) {
      throw new AppError(404, "not_found", "Script not found, or it needs a credential that may run it.");
    }
    if (script.kind === "module") {
      throw invalid(
        "compile_error",
        "This script is a module: it can be imported by other scripts, but not be run.",
      );
    }
    const host = normaliseHost(url.host);
    return {
      script,
      route: null,
      version: script.liveVersion,
      triggerKind: "http",
      host,
      params: NO_PARAMS,
      rest: "",
    };
  }

  async function invoke(request: Request, origin: RequestOrigin, what: Invocation): Promise<Response> {
    const { script, version, caller, path, requestId } = what;
    try {
      if (stopping) throw unavailable("stopping", "PiCloud is stopping. Try again shortly.", 2);
      const url = { ...readUrl(request.url), path };
      const body = hasBody(request) ? await readBody(request, config.maxBodyBytes) : NO_BODY;
      const host = normaliseHost(url.host);
      const target: Target = {
        script,
        route: null,
        version,
        triggerKind: "invoke",
        host,
        params: NO_PARAMS,
        rest: "",
      };
      return await run({ request, origin, url, target, caller, requestId }, body, newId());
    } catch (error) {
      return refuse(error, requestId);
    }
  }

  const mayRun = (script: CatalogScript, principal: Principal | null): boolean | Promise<boolean> =>
    script.directExecute === "public" || (principal !== null && options.mayExecute(principal, script.appId));

  async function run(asked: Asked, body: RunBody, executionId: string): Promise<Response> {
    const { request, origin, url, target, requestId } = asked;
    const { principal, hidesAuthorization } = asked.caller;
    const { script, version, triggerKind } = target;
    origin.mayBeSilentFor?.(script.limits.timeoutMs / 1000 + MARGIN_SECONDS);
    const { outcome, queuedMs } = await runOnce({
      executionId,
      script,
      version,
      triggerKind,
      principal,
      requestId,
      request: new HttpRequest(request, url, target, body, hidesAuthorization, origin, proxies),
      event: null,
      rerun: null,
    });
    const ids = { requestId, executionId, queuedMs };
    const { error, response } = outcome;
    if (response !== null) return scriptResponse(response, ids);
    if (error === null) throw new Error("a run ended with neither an answer nor an error");
    throw runProblem(error, ids, principal !== null && (await options.mayReadLogs(principal, script.appId)));
  }

  async function runOnce(wanted: OneRun): Promise<EndedRun> {
    // It may have begun while the body of the request was read.
    if (stopping) throw unavailable("stopping", "PiCloud is stopping. Try again shortly.", 2);
    const { executionId, script, version, principal, rerun } = wanted;
    const { appId } = script;
    const entered = gate.enter(appId);
    const queuedMs = entered === 0 ? 0 : await entered;
    const runRequest: RunRequest = {
      appId,
      scriptId: script.id,
      scriptName: script.name,
      version,
      limits: script.limits,
      executionId,
      requestId: wanted.requestId,
      rootExecutionId: rerun?.rootExecutionId ?? executionId,
      invocationType: "http",
      triggerDepth: 0,
      attempt: 1,
      principal: principal === null ? null : { id: principal.userId, username: principal.username },
      request: wanted.request,
      event: wanted.event,
    };
    underWay++;
    let released: Promise<void> | null = null;
    try {
      const startedAt = clock.now();
      const outcome = await executor.execute(runRequest);
      ({ released } = outcome);
      if (outcome.error?.code !== "malformed_body") {
        const { status, durationMs } = outcome;
        const { triggerKind } = wanted;
        options.observe?.({ appId, scriptId: script.id, triggerKind, status, durationMs });
        executions.record({ appId, scriptId: script.id, status, createdAt: startedAt }, () =>
          executionRow(runRequest, outcome, startedAt, wanted),
        );
      }
      return { queuedMs, outcome, statusCode: statusCodeOf(outcome) };
    } finally {
      if (released === null) leave(appId);
      else void released.then(() => leave(appId));
    }
  }

  function leave(appId: string): void {
    gate.leave(appId);
    underWay--;
    if (underWay === 0) drained?.();
  }

  return {
    handle,
    invoke,
    runOnce,
    stats: () => ({ ...gate.stats(), rateLimited: limits.rejected }),
    async drain(graceMs) {
      stopping = true;
      if (underWay === 0) return;
      const done = new Promise<void>((resolve) => {
        drained = resolve;
      });
      await Promise.race([done, Bun.sleep(graceMs)]);
    },
  };
}

function isEmpty(record: Readonly<Record<string, string>>): boolean {
  for (const _ in record) return false;
  return true;
}
