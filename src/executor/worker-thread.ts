import { statementCount } from "../database/statements.ts";
import { Claims, sharedNow, SLOTS } from "./claims.ts";
import type { HeapBoard } from "./heap-board.ts";
import { isWhole, type Job } from "./job.ts";
import { computedBy, lowerPriority, restorePriority } from "./priority.ts";
import type { ExecutorOptions } from "./model.ts";
import { runCommand, type Command, type Greeting, type Result, type WorkerMessage } from "./protocol.ts";
import type { ModuleSource, Source } from "./sources.ts";

/** What a worker tells its pool. */
export interface WorkerEvents {
  /** It has loaded and takes commands without delay. */
  ready(worker: WorkerThread): void;
  finished(worker: WorkerThread, job: Job, result: Result): void;
  /** A run that was given up has ended after all. */
  left(worker: WorkerThread): void;
  /** A run goes on that had waited for long. */
  awoke(worker: WorkerThread): void;
  /** It died without being told to. */
  crashed(worker: WorkerThread, reason: string): void;
}

/** Compiled modules kept per worker, beside those of the scripts that it keeps. */
const MAX_MODULES = 512;

/** Runs of a version in a worker until it is fast. */
const COLD_RUNS = 20;

/** What all workers of a pool have in common. */
export type WorkerOptions = Pick<
  ExecutorOptions,
  "cacheSize" | "database" | "onEvents" | "onExpiry" | "onIndexes" | "workerUrl"
>;

/** The main thread's side of one worker. */
export class WorkerThread {
  /** Its cell on the heap board. */
  readonly index: number;
  /** The app whose scripts it holds; empty before the first. */
  appId = "";
  isReady = false;
  /** When it last became idle, on `performance.now()`. */
  idleSince = 0;
  /** What stood first in its line when the pool last looked, and `computedMs` when it first saw it there; see Pool's stealing. */
  firstSeen: number | null = null;
  computedSeen: number | null = null;
  /** Its line did not move when the pool last looked; until its next result nothing is added. */
  isStalled = false;
  /** Its thread yields to others, because what it runs takes long; or did, and that could not be undone. */
  isLowered = false;
  #threadId = 0;
  readonly #worker: Worker;
  readonly #claims = new Claims();
  readonly #cacheSize: number;
  /** Oldest first. */
  readonly #jobs = new Map<number, Job>();
  /** Runs that were answered for it, and of which it has not said that they ended: since when, and who waits for that. */
  readonly #givenUp = new Map<
    number,
    { readonly since: number; readonly isWhole: boolean; readonly ended: () => void }
  >();
  readonly #freeSlots = Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index);
  /** What the worker holds, by least recent use. */
  readonly #loaded = new Map<Source, { readonly handle: number; runs: number }>();
  readonly #modules = new Map<ModuleSource, number>();
  /** What waits to be posted. */
  #outbox: Command[] = [];
  /** Whether it has not gone yet through what was last posted. */
  #isBusy = false;
  #given = 0;
  #handle = 0;
  #stopping = false;
  readonly #gone = Promise.withResolvers<void>();

  constructor(index: number, heaps: HeapBoard, events: WorkerEvents, options: WorkerOptions) {
    const { cacheSize, database, workerUrl: url } = options;
    this.index = index;
    this.#cacheSize = cacheSize;
    // Written out, so that the bundler of the binary recognises it.
    this.#worker =
      url === undefined ? new Worker(new URL("./worker.ts", import.meta.url).href) : new Worker(url);
    this.#worker.addEventListener("message", ({ data }: MessageEvent<string>) => {
      if (!this.isReady) {
        this.isReady = true;
        this.#threadId = Number(data);
        events.ready(this);
        return;
      }
      const message = JSON.parse(data) as WorkerMessage | number | "indexes" | "events";
      if (typeof message === "number") return options.onExpiry?.(message);
      if (message === "indexes") return options.onIndexes?.();
      if (message === "events") return options.onEvents?.();
      const [isThrough, ...results] = message;
      this.#isBusy = isThrough === 0;
      // Before the results are handed on, so that the worker is at work again meanwhile.
      this.flush();
      if (results.length === 0) events.awoke(this);
      for (const result of results) this.#receive(result, events);
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (!this.#stopping) events.crashed(this, event.message);
    });
    this.#worker.addEventListener("close", () => {
      heaps.publish(index, 0);
      for (const { ended } of this.#givenUp.values()) ended();
      this.#gone.resolve();
      if (!this.#stopping) events.crashed(this, "the thread ended");
    });
    const greeting: Greeting = {
      claims: this.#claims.buffer,
      heaps: heaps.buffer,
      statements: statementCount(),
      index,
      database: database ?? null,
    };
    this.#worker.postMessage(greeting);
  }

  /** Runs that it was given and that have not ended. */
  get load(): number {
    return this.#jobs.size + this.#givenUp.size;
  }

  /** Runs among them that are transactions as a whole. */
  get wholeRuns(): number {
    let count = 0;
    for (const job of this.#jobs.values()) if (isWhole(job)) count++;
    for (const run of this.#givenUp.values()) if (run.isWhole) count++;
    return count;
  }

  /** The oldest of its runs. */
  get head(): Job | undefined {
    for (const job of this.#jobs.values()) return job;
    return undefined;
  }

  has(ticket: number): boolean {
    return this.#jobs.has(ticket);
  }

  /** The ticket of the run that will be started next; null: all have been. */
  get firstInLine(): number | null {
    for (const ticket of this.#jobs.keys()) if (this.#claims.isQueued(ticket)) return ticket;
    return null;
  }

  /** The runs that have started, with the moment in `performance.now()` milliseconds of this thread. */
  started(): {
    readonly job: Job;
    readonly ticket: number;
    readonly at: number;
    readonly hasThread: boolean;
  }[] {
    const started = [];
    for (const [ticket, job] of this.#jobs) {
      const at = this.#claims.startedAt(ticket);
      if (at === null) continue;
      const now = performance.now();
      const local = at - sharedNow() + now;
      // The system clock may have been set between the starts of the two threads; then the time of posting counts.
      const isPlausible = local >= job.postedAt - 5 && local <= now + 5;
      started.push({
        job,
        ticket,
        at: isPlausible ? local : job.postedAt,
        hasThread: this.#claims.holds(ticket),
      });
    }
    return started;
  }

  /** How long, in milliseconds, the run that has the thread has had it; null when none has. */
  get heldFor(): number | null {
    const { at, isTaken } = this.#claims.lastTurn;
    return isTaken ? sharedNow() - at : null;
  }

  /** Milliseconds since a run last got the thread. */
  get quietFor(): number {
    return sharedNow() - this.#claims.lastTurn.at;
  }

  /** Answers for a run that it has not ended. @returns resolves when it has, or when the thread is gone */
  giveUp(ticket: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const job = this.#jobs.get(ticket);
    this.#jobs.delete(ticket);
    this.#givenUp.set(ticket, {
      since: performance.now(),
      isWhole: job !== undefined && isWhole(job),
      ended: resolve,
    });
    return promise;
  }

  /** Since when there is a run that was given up and has still not ended; null: there is none. */
  get givenUpSince(): number | null {
    for (const { since } of this.#givenUp.values()) return since;
    return null;
  }

  /** Puts a run in line. Nothing is sent before `flush`. */
  give(job: Job): void {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new Error("a worker was given more runs than it can take");
    const ticket = ++this.#given * SLOTS + slot;
    if (job.appId !== this.appId) {
      this.appId = job.appId;
      this.#loaded.clear();
      this.#modules.clear();
      this.#outbox.push(["bind", job.appId]);
    }
    this.#outbox.push(
      job.run === null
        ? ["check", ticket, job.text]
        : runCommand(ticket, this.#load(job.source), job.run, job.source),
    );
    this.#claims.queue(ticket);
    this.#jobs.set(ticket, job);
    job.postedAt = performance.now();
  }

  /**
   * Posts what waits, unless the worker is still at its last message: waking a thread costs as much as twenty runs of a
   * small script, so runs that come in meanwhile go together in the next one.
   */
  flush(): void {
    if (this.#isBusy || this.#outbox.length === 0) return;
    this.#isBusy = true;
    this.#worker.postMessage(JSON.stringify(this.#outbox));
    this.#outbox = [];
  }

  /** Milliseconds of processor time that it has had; null where it cannot be told. */
  get computedMs(): number | null {
    return computedBy(this.#threadId);
  }

  lowerPriority(): void {
    this.isLowered = lowerPriority(this.#threadId);
  }

  restorePriority(): void {
    this.isLowered = !restorePriority(this.#threadId);
  }

  /** Counts a run of a version. @returns whether it was one of the first here, for which much was done the first time */
  countRun(source: Source): boolean {
    const loaded = this.#loaded.get(source);
    return loaded === undefined || ++loaded.runs <= COLD_RUNS;
  }

  /** Takes back every run behind the first that has not started. */
  steal(): Job[] {
    const stolen: Job[] = [];
    let isHead = true;
    for (const [ticket, job] of this.#jobs) {
      if (!isHead && this.#claims.steal(ticket)) {
        this.#jobs.delete(ticket);
        this.#freeSlots.push(ticket % SLOTS);
        stolen.push(job);
      }
      isHead = false;
    }
    return stolen;
  }

  /** Ends the thread; what it was given and has not started is the caller's again. */
  terminate(): { readonly unstarted: Job[]; readonly started: Job[]; readonly gone: Promise<void> } {
    const started: Job[] = [];
    const unstarted: Job[] = [];
    for (const [ticket, job] of this.#jobs) (this.#claims.steal(ticket) ? unstarted : started).push(job);
    this.#jobs.clear();
    this.#stopping = true;
    this.#worker.terminate();
    return { unstarted, started, gone: this.#gone.promise };
  }

  #receive(result: Result, events: WorkerEvents): void {
    const [ticket] = result;
    const job = this.#jobs.get(ticket);
    this.#freeSlots.push(ticket % SLOTS);
    if (job === undefined) {
      this.#givenUp.get(ticket)?.ended();
      this.#givenUp.delete(ticket);
      events.left(this);
      return;
    }
    this.#jobs.delete(ticket);
    this.isStalled = false;
    events.finished(this, job, result);
  }

  /** The handle of a version in the worker; what it does not hold yet is sent first. */
  #load(source: Source): number {
    const known = this.#loaded.get(source);
    if (known !== undefined) {
      // The order matters only when something will have to go soon.
      if (this.#loaded.size > this.#cacheSize / 2) {
        this.#loaded.delete(source);
        this.#loaded.set(source, known);
      }
      return known.handle;
    }
    for (const [oldest, { handle }] of this.#loaded) {
      if (this.#loaded.size < this.#cacheSize) break;
      this.#loaded.delete(oldest);
      this.#outbox.push(["drop", handle]);
    }
    const handle = ++this.#handle;
    this.#loaded.set(source, { handle, runs: 0 });
    const modules = source.modules.map((module) => [module.name, this.#loadModule(module)] as const);
    const { text, scriptId, scriptName, limits, set } = source;
    this.#outbox.push(["load", handle, text, scriptId, scriptName, limits, modules, set.endpoints]);
    return handle;
  }

  /** What a worker drops, scripts that import it still hold. */
  #loadModule(module: ModuleSource): number {
    let handle = this.#modules.get(module);
    if (handle !== undefined) return handle;
    for (const [oldest, its] of this.#modules) {
      if (this.#modules.size < MAX_MODULES) break;
      this.#modules.delete(oldest);
      this.#outbox.push(["drop", its]);
    }
    handle = ++this.#handle;
    this.#modules.set(module, handle);
    this.#outbox.push(["module", handle, module.text]);
    return handle;
  }
}
