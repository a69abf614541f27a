import { DEFAULT_LIMITS } from "../shared/limits.ts";
import { HeapBoard } from "./heap-board.ts";
import { isLong, isWhole, lineLength, MAX_WHOLE_RUNS, type Job } from "./job.ts";
import { busyOf, type Failure, type Result } from "./protocol.ts";
import { LONG_MS } from "./sources.ts";
import { WorkerThread, type WorkerEvents, type WorkerOptions } from "./worker-thread.ts";

/** A run that has not come back this long after its limit is ended from outside. The script ends itself at the limit. */
const WATCHDOG_GRACE_MS = 25;
/** A run that waits behind another one for this long, or twice as long, goes to another worker. */
const STEAL_AFTER_MS = 8;
/** A run that was given up has this long to end; then its worker is ended. */
const LEAVE_WITHIN_MS = 500;
/** What it must have computed by then. The system counts in steps of up to 4 ms. */
const STEAL_AFTER_COMPUTING_MS = 3;
/** Threads that start at the same time: loading takes a processor for some 20 ms, and one is left for what runs. */
const MAX_STARTING = Math.max(1, navigator.hardwareConcurrency - 1);
/** Up to this many workers keep what they have compiled when another app needs one. */
const KEPT_WARM = 4;
/** An idle worker ends after this long. */
const RETIRE_AFTER_MS = 5000;
/** Workers that may die under a job before it has started. */
const MAX_MOVES = 3;
/**
 * Bytes that a run had on the heap, above which its worker is ended, so that the memory goes back to the system at
 * once: an idle thread does not collect its garbage. With many workers the bound is that of the runtime's first look
 * at the heap, else twenty of them keep half a gigabyte between them.
 */
const RETIRE_ABOVE = 16 * 1024 * 1024;
const RETIRE_ABOVE_IN_CROWD = 1024 * 1024;
/**
 * Resident bytes, beyond what the process had before the first run, above which an app that has a run under way gets no
 * further worker: its runs wait for one another. A busy worker takes 6 to 25 MB before any limit of its script is
 * reached; thirty endless loops stay below this.
 */
const SPAWN_BOUND = 176 * 1024 * 1024;
/**
 * The same, above which the largest run is ended. Memory bombs at once overshoot it, most where threads cannot get their
 * priority back (not root): 18 of them peaked at 440 MB resident with a bound of 220. It grows with the largest limit
 * that a script was given.
 */
const RUNS_BOUND = 150 * 1024 * 1024;
/** What workers take besides the largest run. */
const RUNS_BASE = 120 * 1024 * 1024;

/**
 * The workers: who gets which run, which worker is started, ended or replaced.
 *
 * A worker has one app at a time. A run goes to an idle worker of its app, else to a new or another app's idle worker.
 * Runs of scripts known to be fast may stand in line for one worker, because posting many at once is what makes a
 * request cheap; when the line does not move for some milliseconds, those that have not started are taken back and
 * spread over other workers, so that a slow run never delays others for longer than that.
 *
 * Runs that wait for something (a service, mostly) leave the thread to others of their app, so one worker has many under
 * way. The watchdog ends the worker of a run that has the thread for too long. Where others are under way in it, which
 * cannot be run again, an overdue run is only answered for at first, and has a moment to end by itself.
 *
 * A run that takes long gets a lower priority, so that twenty endless loops leave the processor to short runs and to
 * the main thread. Where a thread cannot get its priority back, only long runs go to it from then on.
 *
 * Timers exist only while there is something to watch: runs (the watchdog), lines (stealing), idle workers (retiring).
 */
export class Pool {
  readonly #maxWorkers: number;
  readonly #options: WorkerOptions;
  readonly #heaps: HeapBoard;
  readonly #workers = new Set<WorkerThread>();
  /** The worker that last got a run of an app. */
  readonly #recent = new Map<string, WorkerThread>();
  readonly #freeCells: number[];
  /** Resident bytes of the process before the first run. */
  readonly #emptyProcess = process.memoryUsage.rss();
  #largestLimit = DEFAULT_LIMITS.memoryBytes;
  /** Jobs that no worker could take yet, oldest first. */
  #pending: Job[] = [];
  #toFlush: WorkerThread[] = [];
  #watchdog: { readonly timer: ReturnType<typeof setTimeout>; readonly at: number } | null = null;
  #stealing: ReturnType<typeof setTimeout> | null = null;
  #retiring: ReturnType<typeof setTimeout> | null = null;
  killed = 0;
  crashed = 0;

  constructor(maxWorkers: number, options: WorkerOptions) {
    this.#options = options;
    this.#maxWorkers = maxWorkers;
    // Twice as many cells as workers: one that is being terminated still has its cell when its successor starts.
    this.#freeCells = Array.from({ length: maxWorkers * 2 }, (_, index) => index);
    this.#heaps = new HeapBoard(maxWorkers * 2);
    this.#heaps.setBound(this.#emptyProcess + RUNS_BOUND);
  }

  get size(): number {
    return this.#workers.size;
  }

  get busy(): number {
    let busy = 0;
    for (const worker of this.#workers) if (worker.load > 0) busy++;
    return busy;
  }

  submit(job: Job): void {
    // Nobody who stays with the default needs the bound raised.
    if (job.memoryBytes > this.#largestLimit) {
      this.#largestLimit = job.memoryBytes;
      this.#heaps.setBound(this.#emptyProcess + Math.max(RUNS_BOUND, RUNS_BASE + job.memoryBytes));
    }
    const worker = this.#choose(job);
    if (worker === null) this.#pending.push(job);
    else this.#give(worker, job);
  }

  /** Ends all workers; runs under way are lost. */
  async stop(): Promise<void> {
    for (const timer of [this.#watchdog?.timer, this.#stealing, this.#retiring])
      clearTimeout(timer ?? undefined);
    const gone = [...this.#workers].map((worker) => this.#end(worker, STOPPED));
    for (const job of this.#pending.splice(0)) {
      job.end({ kind: "lost", failure: STOPPED, durationMs: 0, gone: Promise.resolve() });
    }
    await Promise.all(gone);
  }

  #choose(job: Job): WorkerThread | null {
    const fast = lineLength(job) > 1;
    const recent = this.#recent.get(job.appId);
    if (fast && recent !== undefined && canQueue(recent, job)) return recent;
    const long = isLong(job);
    let other: WorkerThread | null = null;
    let lowered: WorkerThread | null = null;
    let idle = 0;
    let starting = 0;
    let hasBusy = false;
    for (const worker of this.#workers) {
      if (!worker.isReady) starting++;
      if (worker.load > 0) {
        if (fast && canQueue(worker, job)) return worker;
        hasBusy ||= worker.appId === job.appId;
        continue;
      }
      if (worker.isLowered && !long) {
        lowered = worker;
        continue;
      }
      if (worker.appId === job.appId) return worker;
      if (!worker.isReady) continue;
      idle++;
      if (other === null || worker.appId === "" || worker.idleSince < other.idleSince) other = worker;
    }
    const isFull = this.#workers.size >= this.#maxWorkers;
    // Another app's idle worker holds what that app compiled: it is taken only when there are several, or no choice.
    if (other !== null && (idle >= KEPT_WARM || isFull)) return other;
    if (isFull && lowered !== null) void this.#end(lowered, STOPPED);
    else if (isFull || starting >= MAX_STARTING) return null;
    if (hasBusy && process.memoryUsage.rss() > this.#emptyProcess + SPAWN_BOUND) return null;
    return this.#spawn();
  }

  #spawn(): WorkerThread {
    const worker = new WorkerThread(this.#freeCells.pop() ?? 0, this.#heaps, this.#events, this.#options);
    this.#workers.add(worker);
    return worker;
  }

  #give(worker: WorkerThread, job: Job): void {
    if (this.#toFlush.length === 0) setImmediate(this.#flush);
    if (!this.#toFlush.includes(worker)) this.#toFlush.push(worker);
    worker.give(job);
    if (this.#recent.get(job.appId) !== worker) this.#recent.set(job.appId, worker);
    if (worker.load > 1 && this.#stealing === null) {
      worker.firstSeen = null;
      this.#stealing = setTimeout(this.#steal, STEAL_AFTER_MS);
    }
    this.#watch(job.postedAt + Math.min(LONG_MS, job.timeoutMs + WATCHDOG_GRACE_MS));
  }

  readonly #flush = (): void => {
    const workers = this.#toFlush;
    this.#toFlush = [];
    for (const worker of workers) worker.flush();
  };

  readonly #events: WorkerEvents = {
    ready: () => this.#serveWaiting(),
    finished: (worker, job, result) => this.#finished(worker, job, result),
    left: (worker) => {
      if (worker.load === 0) this.#becameIdle(worker);
    },
    awoke: () => this.#watch(performance.now() + LONG_MS),
    crashed: (worker, reason) => this.#crashed(worker, reason),
  };

  #finished(worker: WorkerThread, job: Job, result: Result): void {
    if (job.run !== null) job.source.learn(busyOf(result[1]), worker.countRun(job.source));
    // At once, not when it is idle: under load it may never be.
    if (worker.isLowered) worker.restorePriority();
    if (worker.load === 0) worker.idleSince = performance.now();
    job.end({ kind: "result", result });
    if (worker.load === 0) this.#becameIdle(worker);
    else {
      this.#watch(performance.now() + LONG_MS);
      // Others may have waited for its connection.
      if (isWhole(job) && this.#pending.length > 0) this.#serveWaiting();
    }
  }

  #becameIdle(worker: WorkerThread): void {
    worker.idleSince = performance.now();
    const heap = this.#heaps.read(worker.index);
    // Only what runs can be blamed.
    if (heap > 0) this.#heaps.publish(worker.index, 0);
    if (heap > (this.#workers.size > KEPT_WARM ? RETIRE_ABOVE_IN_CROWD : RETIRE_ABOVE))
      void this.#end(worker, STOPPED);
    else if (this.#retiring === null) this.#retiring = setTimeout(this.#retire, RETIRE_AFTER_MS);
    if (this.#pending.length > 0) this.#serveWaiting();
  }

  /** Gives waiting jobs to workers, those of apps with the fewest busy workers first. */
  #serveWaiting(): void {
    while (this.#pending.length > 0) {
      const busy = new Map<string, number>();
      for (const worker of this.#workers) {
        if (worker.load > 0) busy.set(worker.appId, (busy.get(worker.appId) ?? 0) + 1);
      }
      let first = 0;
      let fewest = Number.POSITIVE_INFINITY;
      for (const [index, job] of this.#pending.entries()) {
        const count = busy.get(job.appId) ?? 0;
        if (count < fewest) {
          first = index;
          fewest = count;
        }
      }
      const job = this.#pending[first];
      const worker = job === undefined ? null : this.#choose(job);
      if (job === undefined || worker === null) return;
      this.#pending.splice(first, 1);
      this.#give(worker, job);
    }
  }

  // --- the watchdog: overdue runs, and long ones ---

  /** Makes sure that somebody looks at the given time. */
  #watch(at: number): void {
    if (this.#watchdog !== null) {
      if (this.#watchdog.at <= at) return;
      clearTimeout(this.#watchdog.timer);
    }
    this.#watchdog = { at, timer: setTimeout(this.#look, Math.max(1, at - performance.now())) };
  }

  readonly #look = (): void => {
    this.#watchdog = null;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const worker of this.#workers) {
      if (worker.load > 0) next = Math.min(next, this.#judge(worker, now));
    }
    if (next !== Number.POSITIVE_INFINITY) this.#watch(next);
  };

  /** @returns when to look at the worker again */
  #judge(worker: WorkerThread, now: number): number {
    let next = Number.POSITIVE_INFINITY;
    const started = worker.started();
    for (const { job, ticket, at, hasThread } of started) {
      const due = at + job.timeoutMs + WATCHDOG_GRACE_MS;
      if (due > now + 0.5) {
        next = Math.min(next, due);
        continue;
      }
      const failure = this.#overdue(worker, job);
      if (hasThread && worker.load === 1) {
        this.killed++;
        void this.#end(worker, OTHER_KILLED, { job, failure });
        return Number.POSITIVE_INFINITY;
      }
      // It waits, or it has the thread and others are under way: they cannot be run again, so it may take a moment longer.
      const gone = worker.giveUp(ticket);
      job.end({ kind: "lost", failure, durationMs: now - at, gone });
      if (hasThread) worker.restorePriority();
    }
    const { givenUpSince, heldFor } = worker;
    if (givenUpSince !== null) {
      const isHeldRightfully = started.some(({ ticket, hasThread }) => hasThread && worker.has(ticket));
      if (!isHeldRightfully && givenUpSince + LEAVE_WITHIN_MS <= now + 0.5) {
        this.killed++;
        void this.#end(worker, OTHER_KILLED);
        return Number.POSITIVE_INFINITY;
      }
      return Math.min(next, Math.max(givenUpSince + LEAVE_WITHIN_MS, now + LONG_MS));
    }
    if (worker.isLowered) return next;
    if (heldFor !== null && heldFor >= LONG_MS - 0.5) {
      worker.lowerPriority();
      return next;
    }
    // When all of them wait for long, there is nothing to see before one awakes.
    if (heldFor === null && worker.quietFor > LONG_MS && worker.firstInLine === null) return next;
    return Math.min(next, now + LONG_MS - (heldFor ?? 0));
  }

  #overdue(worker: WorkerThread, job: Job): Failure {
    return this.#heaps.read(worker.index) > job.memoryBytes
      ? { code: "budget_exceeded", message: `Script uses too much memory (limit ${job.memoryBytes} bytes)` }
      : { code: "timeout", message: `Script ran longer than its limit of ${job.timeoutMs} ms` };
  }

  #crashed(worker: WorkerThread, reason: string): void {
    this.crashed++;
    void this.#end(worker, { code: "internal", message: `The worker thread died: ${reason}` });
  }

  /**
   * Ends a worker: what it had started fails, what it had not goes to others. Resolves when the thread is gone.
   * @param culprit the run because of which, and how that one fails
   */
  async #end(
    worker: WorkerThread,
    failure: Failure,
    culprit?: { readonly job: Job; readonly failure: Failure },
  ): Promise<void> {
    this.#workers.delete(worker);
    if (this.#recent.get(worker.appId) === worker) this.#recent.delete(worker.appId);
    this.#toFlush = this.#toFlush.filter((other) => other !== worker);
    const now = performance.now();
    const startedAt = new Map(worker.started().map(({ job, at }) => [job, at]));
    const { started, unstarted, gone } = worker.terminate();
    for (const job of started) {
      const why = job === culprit?.job ? culprit.failure : failure;
      job.end({ kind: "lost", failure: why, durationMs: now - (startedAt.get(job) ?? now), gone });
    }
    for (const job of unstarted) {
      // A worker that dies before it starts anything may be followed by others that do the same.
      if (failure === STOPPED || ++job.moves > MAX_MOVES)
        job.end({ kind: "lost", failure, durationMs: 0, gone });
      else this.submit(job);
    }
    await gone;
    // It may have caused events, and have had no time to tell.
    if (started.length > 0) this.#options.onEvents?.();
    this.#freeCells.push(worker.index);
    this.#serveWaiting();
  }

  // --- lines that do not move ---

  readonly #steal = (): void => {
    this.#stealing = null;
    let lines = false;
    for (const worker of this.#workers) {
      const first = worker.load < 2 ? null : worker.firstInLine;
      if (first === null) continue;
      lines = true;
      if (worker.firstSeen !== first) {
        worker.firstSeen = first;
        worker.computedSeen = worker.computedMs;
      } else if (isSlow(worker)) {
        worker.isStalled = true;
        for (const job of worker.steal()) {
          job.delays++;
          this.submit(job);
        }
      }
    }
    if (lines && this.#stealing === null) this.#stealing = setTimeout(this.#steal, STEAL_AFTER_MS);
  };

  // --- idle workers ---

  readonly #retire = (): void => {
    this.#retiring = null;
    const now = performance.now();
    let wait = Number.POSITIVE_INFINITY;
    for (const worker of this.#workers) {
      if (worker.load > 0) continue;
      const left = worker.idleSince + RETIRE_AFTER_MS - now;
      if (left <= 0) void this.#end(worker, STOPPED);
      else wait = Math.min(wait, left);
    }
    if (wait !== Number.POSITIVE_INFINITY) this.#retiring = setTimeout(this.#retire, wait + 1);
  };
}

const STOPPED: Failure = { code: "internal", message: "PiCloud was stopped while the script ran" };

/** How a run fails whose worker was ended because of another one. It may have had effects, so it is not run again. */
const OTHER_KILLED: Failure = {
  code: "internal",
  message: "Another run of the app did not come back, and the thread of both was ended",
};

/**
 * Whether a worker without progress is so because of what it runs. It is not while it loads, nor while the system gives the
 * processor to others: another worker would be no sooner then, and one more to wait for.
 */
function isSlow({ isReady, computedMs, computedSeen }: WorkerThread): boolean {
  if (!isReady) return false;
  return (
    computedMs === null || computedSeen === null || computedMs - computedSeen >= STEAL_AFTER_COMPUTING_MS
  );
}

/** Whether a fast job may go to a worker of its app: an idle one, or one whose line is short and moves. */
const canQueue = (worker: WorkerThread, job: Job): boolean => {
  if (worker.appId !== job.appId || worker.isLowered) return false;
  if (worker.load === 0) return true;
  if (isWhole(job) && worker.wholeRuns >= MAX_WHOLE_RUNS) return false;
  const { head } = worker;
  if (worker.isStalled || head === undefined) return false;
  return worker.load < Math.min(lineLength(head), lineLength(job));
};
