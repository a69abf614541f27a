import { invalid, unavailable } from "../shared/errors.ts";
import type { JobEnd } from "./job.ts";
import type { Checked, Executor, ExecutorOptions, RunErrorCode, RunOutcome, RunRequest } from "./model.ts";
import { Pool } from "./pool.ts";
import { durationOf, STANDARD_HEADERS, type Failure, type Result, type RunTime } from "./protocol.ts";
import { Sources, type Source } from "./sources.ts";

/** Compiling the largest source takes far less; a source that takes longer is made to. */
const CHECK_TIMEOUT_MS = 5000;
/** Checks come on top of the runs that the gate lets through, at most this many at once. */
const MAX_CHECKS = 2;
/** A check has no limit of its own; this is only what the heap budget must allow. */
const CHECK_MEMORY = 64 * 1024 * 1024;

export function createExecutor(options: ExecutorOptions): Executor {
  const pool = new Pool(options.maxConcurrent + MAX_CHECKS, options);
  const sources = new Sources(options.loadSource);
  let running = 0;
  let stopped = false;
  let idle: (() => void) | null = null;
  let checks = 0;
  const waitingChecks: (() => void)[] = [];

  function start(run: RunRequest, source: Source): Promise<RunOutcome> {
    // It may have been stopped while the source was read.
    if (stopped) return Promise.resolve(outcomeOf(NOT_ANY_MORE));
    return new Promise((resolve) => {
      running++;
      pool.submit({
        appId: run.appId,
        timeoutMs: run.limits.timeoutMs,
        memoryBytes: run.limits.memoryBytes,
        postedAt: 0,
        delays: 0,
        moves: 0,
        run,
        source,
        end: (end) => {
          running--;
          resolve(run.event === null ? outcomeOf(end) : unheard(outcomeOf(end)));
          if (running === 0) idle?.();
        },
      });
    });
  }

  async function check(appId: string, text: string): Promise<Checked> {
    if (checks >= MAX_CHECKS) await new Promise<void>((resolve) => waitingChecks.push(resolve));
    checks++;
    try {
      if (stopped) throw unavailable("stopping", "PiCloud is stopping. Try again shortly.", 2);
      const end = await new Promise<JobEnd>((resolve) => {
        pool.submit({
          appId,
          timeoutMs: CHECK_TIMEOUT_MS,
          memoryBytes: CHECK_MEMORY,
          postedAt: 0,
          delays: 0,
          moves: 0,
          run: null,
          text,
          end: resolve,
        });
      });
      if (end.kind === "result") return end.result[3] as Checked;
      if (end.failure.code === "internal") {
        throw unavailable(
          "check_failed",
          "The script could not be checked just now. Try again.",
          1,
          end.failure.message,
        );
      }
      throw invalid(
        "compile_timeout",
        `The script takes longer than ${CHECK_TIMEOUT_MS / 1000} s to compile; make it smaller.`,
      );
    } finally {
      checks--;
      waitingChecks.shift()?.();
    }
  }

  return {
    execute(run) {
      const source = sources.get(run);
      if (!(source instanceof Promise)) return start(run, source);
      return source.then((found) => (found === null ? outcomeOf(NO_SOURCE) : start(run, found)));
    },
    check: (appId, source) => check(appId, source),
    stats: () => ({
      workers: pool.size,
      busy: pool.busy,
      running,
      killed: pool.killed,
      crashed: pool.crashed,
    }),
    async stop(graceMs) {
      stopped = true;
      if (running > 0 && graceMs > 0) {
        const done = new Promise<void>((resolve) => {
          idle = resolve;
        });
        await Promise.race([done, Bun.sleep(graceMs)]);
      }
      await pool.stop();
    },
  };
}

const lost = (message: string): JobEnd => ({
  kind: "lost",
  failure: { code: "internal", message },
  durationMs: 0,
  gone: Promise.resolve(),
});
const NOT_ANY_MORE = lost("PiCloud is stopping");
const NO_SOURCE = lost("the version that should run does not exist");

const STATUS: Readonly<Record<RunErrorCode, RunOutcome["status"]>> = {
  script_error: "error",
  invalid_response: "error",
  compile_error: "error",
  malformed_body: "error",
  timeout: "timeout",
  budget_exceeded: "budget_exceeded",
  internal: "error",
};

function outcomeOf(end: JobEnd): RunOutcome {
  if (end.kind === "lost") return failed(end.failure, end.durationMs, 0, [], end.gone);
  const { result } = end;
  if (!isAnswer(result))
    return {
      ...failed(result[3] as Failure, durationOf(result[1]), result[2], result[4] ?? [], null),
      delivery: result[5],
    };
  const [, time, operations, statusCode, headers, body, isBase64, logs, delivery] = result;
  return {
    status: "success",
    response: {
      statusCode,
      headers: typeof headers === "number" ? (STANDARD_HEADERS[headers] ?? []) : headers,
      body: isBase64 === 1 ? new Uint8Array(Buffer.from(body, "base64")) : body,
    },
    error: null,
    logs: logs ?? [],
    operations,
    durationMs: durationOf(time),
    released: null,
    delivery,
  };
}

/** Nobody gets the answer of a run that an event started: one that is not valid is no failure (CONTRACT 3.4). */
function unheard(outcome: RunOutcome): RunOutcome {
  if (outcome.error?.code !== "invalid_response") return outcome;
  const response = { statusCode: 200, headers: [], body: outcome.error.message };
  return { ...outcome, status: "success", response, error: null };
}

const isAnswer = (
  result: Result,
): result is Extract<Result, readonly [number, RunTime, number, number, ...unknown[]]> =>
  typeof result[3] === "number";

function failed(
  failure: Failure,
  durationMs: number,
  operations: number,
  logs: RunOutcome["logs"],
  released: Promise<void> | null,
): RunOutcome {
  return {
    status: STATUS[failure.code],
    response: null,
    error: failure,
    logs,
    operations,
    durationMs,
    released,
  };
}
