import type { Executor, RunHttpRequest, RunOutcome, RunRequest } from "../executor/index.ts";
import type { Catalog } from "../services/catalog/index.ts";
import type { ExecutionLog } from "../services/executions/index.ts";
import type { Clock } from "../shared/clock.ts";
import { unavailable, type AppError } from "../shared/errors.ts";
import type { Principal } from "../shared/principal.ts";
import { Gate, type GateStats } from "./gate.ts";
import { executionRow, statusCodeOf } from "./record.ts";
import type { Runnable } from "./targets.ts";

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
  /** The trigger (or asynchronous route) that started it; absent: none did. */
  readonly trigger?: {
    readonly id: string | null;
    /** Runs that led here, one caused by the other. */
    readonly depth: number;
    /** From 1. */
    readonly attempt: number;
    readonly rootExecutionId: string;
    /** Of a transactional trigger: the event, which the run ends itself. */
    readonly delivery?: { readonly id: string; readonly attempt: number } | undefined;
  };
}

export interface EndedRun {
  /** Milliseconds in the gate; 0 when there was no wait. */
  readonly queuedMs: number;
  readonly outcome: RunOutcome;
  /** What the data plane answers it with. */
  readonly statusCode: number;
  /** Counts and logs it. To be called for a run that collided when it is not made again; others are logged already. */
  readonly record: () => void;
}

/** A run that ended, for whoever counts them. */
export interface ObservedRun {
  readonly appId: string;
  readonly scriptId: string;
  readonly triggerKind: string;
  readonly status: RunOutcome["status"];
  readonly durationMs: number;
}

export interface RunsOptions {
  readonly catalog: Catalog;
  readonly executor: Executor;
  readonly executions: ExecutionLog;
  readonly clock: Clock;
  /** Runs at a time. */
  readonly maxConcurrent: number;
  /** Told of every run that ended; must not throw. */
  readonly observe?: (run: ObservedRun) => void;
}

export interface Runs {
  /**
   * Runs one version, through the gate and into the log.
   * @throws AppError 503 when there is no slot, the app is paused or PiCloud is stopping, and whatever reading the source
   * throws
   */
  runOnce(run: OneRun): Promise<EndedRun>;
  /** @throws AppError 503 `stopping` */
  refuseWhenStopping(): void;
  /** @throws AppError 503 `app_paused`, with when to come back */
  refuseWhenPaused(appId: string): void;
  stats(): GateStats;
  /** Refuses new runs from now on and waits up to `graceMs` for those under way. */
  drain(graceMs: number): Promise<void>;
}

/** Seconds after which to ask again whether an app is paused that nobody has said an end of. */
const PAUSED_SECONDS = 300;

/** What members of an app try for themselves, also while it is paused. */
const isByHand = ({ triggerKind, rerun }: OneRun): boolean => triggerKind === "invoke" || rerun !== null;

/** `ctx.invocation_type` (CONTRACT 3.2). */
function invocationType({ triggerKind, event }: OneRun): RunRequest["invocationType"] {
  if (triggerKind === "cron") return "scheduled";
  return event === null ? "http" : "function";
}

export function createRuns(options: RunsOptions): Runs {
  const { catalog, executor, executions, clock } = options;
  const gate = new Gate(options.maxConcurrent, clock);
  let underWay = 0;
  let stopping = false;
  let drained: (() => void) | null = null;

  function refuseWhenStopping(): void {
    if (stopping) throw unavailable("stopping", "PiCloud is stopping. Try again shortly.", 2);
  }

  /** Null: it is not paused. */
  function pauseOf(appId: string): AppError | null {
    const until = catalog.app(appId)?.pausedUntil ?? null;
    const restMs = until === null ? 0 : until - clock.now();
    if (until === null || restMs <= 0) return null;
    if (until === Infinity) return unavailable("app_paused", "This app is paused.", PAUSED_SECONDS);
    const time = new Date(until).toISOString();
    return unavailable("app_paused", `This app is paused until ${time}.`, Math.ceil(restMs / 1000));
  }

  function refuseWhenPaused(appId: string): void {
    const pause = pauseOf(appId);
    if (pause !== null) throw pause;
  }

  async function runOnce(wanted: OneRun): Promise<EndedRun> {
    // It may have begun while the body of the request was read.
    refuseWhenStopping();
    const { executionId, script, version, principal, rerun, trigger } = wanted;
    const { appId } = script;
    const entered = gate.enter(appId, catalog.app(appId)?.settings);
    const queuedMs = entered === 0 ? 0 : await entered;
    // It may have begun since the run was asked for.
    const pause = isByHand(wanted) ? null : pauseOf(appId);
    if (pause !== null) {
      gate.leave(appId);
      throw pause;
    }
    const runRequest: RunRequest = {
      appId,
      scriptId: script.id,
      scriptName: script.name,
      version,
      limits: script.limits,
      modules: catalog.modules(appId, script.imports),
      executionId,
      requestId: wanted.requestId,
      rootExecutionId: trigger?.rootExecutionId ?? rerun?.rootExecutionId ?? executionId,
      invocationType: invocationType(wanted),
      triggerDepth: trigger?.depth ?? 0,
      attempt: trigger?.attempt ?? 1,
      principal: principal === null ? null : { id: principal.userId, username: principal.username },
      keyId: principal?.key?.id ?? null,
      request: wanted.request,
      event: wanted.event,
      emits: catalog.app(appId)?.emits ?? false,
      delivery: trigger?.delivery,
    };
    underWay++;
    let released: Promise<void> | null = null;
    try {
      const startedAt = clock.now();
      const outcome = await executor.execute(runRequest);
      ({ released } = outcome);
      const record = (): void => {
        const { status, durationMs } = outcome;
        const { triggerKind } = wanted;
        options.observe?.({ appId, scriptId: script.id, triggerKind, status, durationMs });
        executions.record({ appId, scriptId: script.id, status, createdAt: startedAt }, () =>
          executionRow(runRequest, outcome, startedAt, wanted),
        );
      };
      if (outcome.error?.code !== "malformed_body" && outcome.delivery !== "collided") record();
      return { queuedMs, outcome, statusCode: statusCodeOf(outcome), record };
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
    runOnce,
    refuseWhenStopping,
    refuseWhenPaused,
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
