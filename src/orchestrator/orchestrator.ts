import type { Config } from "../config.ts";
import { toAppError } from "../database/errors.ts";
import type { Executor, RunBody, RunRequest } from "../executor/index.ts";
import type { Catalog, CatalogScript } from "../services/catalog/index.ts";
import type { ExecutionLog } from "../services/executions/index.ts";
import { normaliseHost } from "../services/routes/index.ts";
import { clientAddress, trustedProxies } from "../services/identity/client-address.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, invalid, notFound, unavailable } from "../shared/errors.ts";
import { isUuid, newId } from "../shared/ids.ts";
import type { Principal } from "../shared/principal.ts";
import { problemResponse } from "../shared/problem.ts";
import { runProblem, scriptResponse } from "./answer.ts";
import { callerOf, hasCredential, visibleHeaders, type Caller } from "./caller.ts";
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

/** What is known of a request beside itself; the address is looked up only when somebody asks. */
export interface RequestOrigin {
  readonly remoteAddress: string;
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
const NO_BODY: RunBody = { kind: "none" };
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** What a request asks to be run. */
interface Target {
  readonly script: CatalogScript;
  readonly version: number;
  /** Normalised. */
  readonly host: string;
  readonly caller: Caller;
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

  async function handle(request: Request, origin: RequestOrigin): Promise<Response> {
    const requestId = newId();
    try {
      if (stopping) throw unavailable("stopping", "PiCloud is stopping. Try again shortly.", 2);
      const url = readUrl(request.url);
      const target = url.path.startsWith(EXECUTE)
        ? await directTarget(request, origin, url)
        : routeTarget(request, url);
      const caller =
        target.caller === ANONYMOUS && hasCredential(request.headers)
          ? await callerOf(request, origin.remoteAddress, false, options.authenticate)
          : target.caller;
      const body =
        (request.method !== "GET" && request.method !== "HEAD") || hasBody(request)
          ? await readBody(request, config.maxBodyBytes)
          : NO_BODY;
      return await run(request, origin, url, { ...target, caller }, body, requestId);
    } catch (error) {
      return problemResponse(toAppError(error) ?? error, requestId);
    }
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
      caller: ANONYMOUS,
      params: params === NO_PARAMS || isEmpty(params) ? match.params : { ...params, ...match.params },
      rest: match.rest,
    };
  }

  /** `POST /api/v1/execute/{script_id}`. What the caller may not run does not exist for them. */
  async function directTarget(request: Request, origin: RequestOrigin, url: RequestUrl): Promise<Target> {
    if (request.method !== "POST") {
      throw new AppError(405, "method_not_allowed", "A script is executed with POST.", {
        headers: { Allow: "POST" },
      });
    }
    const id = url.path.slice(EXECUTE.length).toLowerCase();
    const script = isUuid(id) ? catalog.script(id) : undefined;
    const caller = hasCredential(request.headers)
      ? await callerOf(request, origin.remoteAddress, true, options.authenticate)
      : ANONYMOUS;
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
    return { script, version: script.liveVersion, host, caller, params: NO_PARAMS, rest: "" };
  }

  const mayRun = (script: CatalogScript, principal: Principal | null): boolean | Promise<boolean> =>
    script.directExecute === "public" || (principal !== null && options.mayExecute(principal, script.appId));

  async function run(
    request: Request,
    origin: RequestOrigin,
    url: RequestUrl,
    { script, version, host, caller, params, rest }: Target,
    body: RunBody,
    requestId: string,
  ): Promise<Response> {
    const { appId } = script;
    const entered = gate.enter(appId);
    const queuedMs = entered === 0 ? 0 : await entered;
    const executionId = newId();
    const { principal, hidesAuthorization } = caller;
    const { headers } = request;
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
      request: {
        method: request.method,
        path: url.path,
        query: url.query,
        host,
        remoteIp: () => clientAddress(headers, origin.remoteAddress, proxies),
        headers: () => visibleHeaders(headers, hidesAuthorization),
        params,
        rest,
        body,
      },
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
      if (error?.code !== "malformed_body") executions.record(executionRow(asked, outcome, startedAt));
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
