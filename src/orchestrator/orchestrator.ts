import type { Config } from "../config.ts";
import { toAppError } from "../database/errors.ts";
import type { Executor, RunBody, RunRequest } from "../executor/index.ts";
import type { Catalog, CatalogScript } from "../services/catalog/index.ts";
import type { ExecutionLog } from "../services/executions/index.ts";
import { HttpRequest, type RequestOrigin } from "./http-request.ts";
import { normaliseHost } from "../services/routes/index.ts";
import { trustedProxies } from "../services/identity/client-address.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, invalid, notFound, unavailable } from "../shared/errors.ts";
import { isUuid, newId } from "../shared/ids.ts";
import type { Principal } from "../shared/principal.ts";
import { problemResponse } from "../shared/problem.ts";
import { runProblem, scriptResponse } from "./answer.ts";
import { callerOf, hasCredential, type Caller } from "./caller.ts";
import { Gate, type GateStats } from "./gate.ts";
import { executionRow } from "./record.ts";
import { hasBody, readBody } from "./request-body.ts";
import { readUrl, type RequestUrl } from "./request-url.ts";

export interface OrchestratorOptions {
  readonly catalog: Catalog;
  readonly executor: Executor;
  readonly executions: ExecutionLog;
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
  /** AppRead: may run scripts whose direct_execute is "members". */
  readonly mayExecute: (principal: Principal, appId: string) => boolean | Promise<boolean>;
  /** AppLogRead: may see what a script threw. */
  readonly mayReadLogs: (principal: Principal, appId: string) => boolean | Promise<boolean>;
}

export interface Orchestrator {
  /**
   * Answers any request that is not the control plane's: user routes and POST /api/v1/execute/{script_id}. Never
   * rejects; every answer carries X-Request-Id.
   */
  handle(request: Request, origin: RequestOrigin): Promise<Response>;
  stats(): GateStats;
  /** Refuses new runs with 503 from now on and waits up to `graceMs` for those under way. */
  drain(graceMs: number): Promise<void>;
}

const EXECUTE = "/api/v1/execute/";
const ANONYMOUS: Caller = { principal: null, hidesAuthorization: false };
/** What a request may take beyond its script's limit: waiting for a slot, and ending what does not end by itself. */
const MARGIN_SECONDS = 2;
const NO_BODY: RunBody = { kind: "none" };
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** What a request asks to be run. */
interface Target {
  readonly script: CatalogScript;
  readonly version: number;
  /** Normalised. */
  readonly host: string;
  readonly params: Readonly<Record<string, string>>;
  readonly rest: string;
}

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { catalog, executor, executions, config, clock } = options;
  const gate = new Gate(config.maxConcurrentExecutions, clock);
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
      return run(request, origin, url, routeTarget(request, url), ANONYMOUS, NO_BODY, requestId).catch(
        (error: unknown) => refuse(error, requestId),
      );
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
    const body = hasBody(request) ? await readBody(request, config.maxBodyBytes) : NO_BODY;
    return run(request, origin, url, target, caller, body, requestId);
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
    if (script === undefined || script.liveVersion === null) throw notFound("The script of this route");
    if (match.route.dispatchMode === "async") {
      throw new AppError(
        501,
        "not_implemented",
        "This route is asynchronous, which this release cannot serve yet.",
      );
    }
    return {
      script,
      version: script.liveVersion,
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
    return { script, version: script.liveVersion, host, params: NO_PARAMS, rest: "" };
  }

  const mayRun = (script: CatalogScript, principal: Principal | null): boolean | Promise<boolean> =>
    script.directExecute === "public" || (principal !== null && options.mayExecute(principal, script.appId));

  async function run(
    request: Request,
    origin: RequestOrigin,
    url: RequestUrl,
    target: Target,
    { principal, hidesAuthorization }: Caller,
    body: RunBody,
    requestId: string,
  ): Promise<Response> {
    const { script, version } = target;
    const { appId } = script;
    origin.mayBeSilentFor?.(script.limits.timeoutMs / 1000 + MARGIN_SECONDS);
    const entered = gate.enter(appId);
    const queuedMs = entered === 0 ? 0 : await entered;
    const executionId = newId();
    const asked: RunRequest = {
      appId,
      scriptId: script.id,
      scriptName: script.name,
      version,
      limits: script.limits,
      executionId,
      requestId,
      rootExecutionId: executionId,
      invocationType: "http",
      triggerDepth: 0,
      attempt: 1,
      principal: principal === null ? null : { id: principal.userId, username: principal.username },
      request: new HttpRequest(request, url, target, body, hidesAuthorization, origin, proxies),
      event: null,
    };
    underWay++;
    let released: Promise<void> | null = null;
    try {
      const startedAt = clock.now();
      const outcome = await executor.execute(asked);
      ({ released } = outcome);
      const ids = { requestId, executionId, queuedMs };
      const { error, response } = outcome;
      if (error?.code !== "malformed_body" && executions.wants(appId, script.id, outcome.status, startedAt)) {
        executions.record(executionRow(asked, outcome, startedAt));
      }
      if (response !== null) return scriptResponse(response, ids);
      if (error === null) throw new Error("a run ended with neither an answer nor an error");
      throw runProblem(error, ids, principal !== null && (await options.mayReadLogs(principal, appId)));
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
    stats: () => gate.stats(),
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
