import type { Database, Queryable, Transaction } from "../../database/client.ts";
import type { RunOrigin } from "../../database/run-origin.ts";
import type { Patience, Turn, Turns } from "../turns.ts";
import { pastDeadline } from "../turns.ts";
import type { NativeContext } from "../../rhai/index.ts";
import type { RunLog } from "./run-log.ts";
import { SdkError } from "./sdk-error.ts";
import { yielding } from "./yielding.ts";

/** What service calls of a worker work with. */
export interface Services {
  /** For what is written, and for transactions. */
  readonly db: Database;
  /** For what is read. */
  readonly reads: Database;
  /** Begins the transaction of a run that is one as a whole. */
  readonly beginWhole: Begin;
  /** Told of data that will be over at some moment (milliseconds since the epoch), so that it can be removed then. */
  readonly expires: (at: number) => void;
  /** Told that an index of documents was asked for, or is not wanted any more. */
  readonly indexesChanged: () => void;
  /** Told that something was written that may have caused events. */
  readonly eventsCaused: () => void;
  /** What a script may be told of an error; undefined: nothing, it is a fault of ours. */
  readonly explain: (error: unknown) => string | undefined;
}

/** As the driver begins a transaction: how, and what it is. */
export type Begin = <T>(mode: string, body: (sql: Transaction) => Promise<Held<T>>) => Promise<Held<T>>;

/** The driver would await an answer that is an array. */
export interface Held<T> {
  readonly answer: T;
}

/** A transaction that is under way. */
export interface RunTransaction {
  readonly sql: Queryable;
  /** In `performance.now()` milliseconds. */
  readonly deadline: number;
  readonly maxCalls: number;
  /** Of a run that is one as a whole: what a `tx::run` inside is made a part of, so that it can be undone alone. */
  readonly parts: Transaction | null;
}

/** How a transaction is begun. */
interface Beginning {
  readonly begin: Begin;
  readonly mode: string;
  /** Sent first. */
  readonly settings: (sql: Transaction) => Promise<unknown> | null;
}

/** How a run gives its thread to others while it waits. */
export interface RunTurns {
  readonly turns: Turns;
  readonly turn: Turn;
}

/** A statement of a whole run that waits for a lock for so long fails, and the run is made again; below the statement timeout. */
const LOCK_TIMEOUT_MS = 4000;
/** Whoever is in a transaction and asks nothing for so long after the run's end is cut off by the server. */
const WHOLE_RUN_GRACE_MS = 5000;

/** For scripts that mention none. */
const NO_SERVICES: Services = {
  get db(): never {
    throw new Error("a service was called without a connection");
  },
  get reads(): never {
    throw new Error("a service was called without a connection");
  },
  beginWhole: () => Promise.reject(new Error("a transaction was begun without a connection")),
  expires: () => {},
  indexesChanged: () => {},
  eventsCaused: () => {},
  explain: () => undefined,
};

/**
 * What the platform's natives know of the run that calls them. They take the app from here and from nowhere else:
 * nothing that a script passes can name another one.
 */
export class RunContext {
  readonly appId: string;
  readonly scriptId: string;
  readonly executionId: string;
  readonly log: RunLog;
  /** In `performance.now()` milliseconds. */
  readonly deadline: number;
  /** The setting `picloud.run` of its writes; null: they cause no events. */
  readonly origin: string | null;
  /** Calls of services that it may make (CONTRACT 3.6). */
  readonly maxCalls: number;
  readonly #services: Services;
  readonly #thread: RunTurns | undefined;
  #reads: Queryable | null = null;
  #writes: Queryable | null = null;
  #calls = 0;
  /** Indexes were asked for in a transaction: to be told when it has committed. */
  #indexesToTell = false;
  /** All that it does is one transaction. */
  #isOneTransaction = false;
  #transaction: (RunTransaction & { calls: number }) | null = null;

  constructor(
    run: Pick<RunContext, "appId" | "scriptId" | "executionId" | "log" | "deadline" | "origin" | "maxCalls">,
    services: Services = NO_SERVICES,
    thread?: RunTurns,
  ) {
    this.appId = run.appId;
    this.scriptId = run.scriptId;
    this.executionId = run.executionId;
    this.log = run.log;
    this.deadline = run.deadline;
    this.origin = run.origin;
    this.maxCalls = run.maxCalls;
    this.#services = services;
    this.#thread = thread;
  }

  /**
   * Where statements go that read, and those that are not worth a connection of their own: to the transaction, when one is
   * under way. Whoever awaits one lets other runs go on meanwhile.
   */
  get sql(): Queryable {
    return this.#transaction?.sql ?? (this.#reads ??= this.#yielding(this.#services.reads));
  }

  get #changes(): Queryable {
    return this.#transaction?.sql ?? (this.#writes ??= this.#yielding(this.#services.db));
  }

  /**
   * Awaits what is not the run's own doing, for as long as the run may take; other runs of the worker go on meanwhile.
   * Everything that a service awaits must go through it, or be a statement of `sql`.
   */
  wait<T>(promise: Promise<T>, patience = this.#patience()): Promise<T> {
    return this.#thread === undefined
      ? promise
      : this.#thread.turns.wait(this.#thread.turn, promise, patience);
  }

  #patience(): Patience {
    const isTransaction = this.waitUntil < this.deadline;
    return { until: this.waitUntil, late: isTransaction ? transactionTooLong : pastDeadline };
  }

  #yielding(sql: Queryable, end?: { readonly isOver: boolean }): Queryable {
    return this.#thread === undefined ? sql : yielding(sql, (promise) => this.wait(promise), end);
  }

  /** How deep the run is, and as whom it runs; nobody, when it is not known. */
  get caller(): { readonly depth: number; readonly userId: string | null; readonly keyId: string | null } {
    const [depth = "", , userId = "", keyId = ""] = this.origin?.split(",") ?? [];
    return { depth: Number(depth), userId: userId || null, keyId: keyId || null };
  }

  get isInTransaction(): boolean {
    return this.#transaction !== null;
  }

  /** Whether all that the run does is one transaction, which may take as long as the run. */
  get isOneTransaction(): boolean {
    return this.#isOneTransaction;
  }

  /** Whether the transaction under way is the run's own, and no part of it. */
  get isWhole(): boolean {
    return this.#transaction !== null && this.#transaction.parts !== null;
  }

  /** How long a call may wait, in `performance.now()` milliseconds: as long as the run, or its transaction, may take. */
  get waitUntil(): number {
    return Math.min(this.deadline, this.#transaction?.deadline ?? Number.POSITIVE_INFINITY);
  }

  /**
   * Changes data by one statement, which is a transaction of its own unless one is under way. The events that it causes tell of
   * this run: the statement gives what `body` is given to `toldBy`.
   */
  async write<T>(body: (sql: Queryable, origin: RunOrigin) => Promise<T>): Promise<T> {
    if (this.origin === null || this.#transaction !== null) return body(this.#changes, null);
    const written = body(this.#services.db, this.origin);
    // It may end when the run is not there any more.
    written.then(this.#services.eventsCaused, () => {});
    return this.wait(written);
  }

  /** Changes data by several statements: in the transaction that is under way, or in one for them. Its events tell of this run. */
  async writeTogether<T>(body: (sql: Queryable) => Promise<T>): Promise<T> {
    if (this.origin === null || this.#transaction !== null) return body(this.#changes);
    return this.#begin(this.#beginning(""), body);
  }

  /** A transaction in which everything has an order, as if there were nobody else. */
  begin<T>(body: (sql: Queryable) => Promise<T>): Promise<T> {
    return this.#begin(this.#beginning("isolation level serializable"), body);
  }

  /**
   * Makes all that the run does one transaction, as long as it may take; see whole-run.ts.
   * @param mode how it is begun, as SQL says it
   */
  beginWhole<T>(mode: string, body: (sql: Queryable) => Promise<T>): Promise<T> {
    const { origin, deadline } = this;
    this.#isOneTransaction = true;
    const restMs = Math.max(1, Math.ceil(deadline - performance.now()));
    const beginning: Beginning = {
      begin: this.#services.beginWhole,
      mode,
      settings: (sql) =>
        sql`select set_config('picloud.run', ${origin ?? ""}, true),
          set_config('lock_timeout', ${String(Math.min(restMs, LOCK_TIMEOUT_MS))}, true),
          set_config('idle_in_transaction_session_timeout', ${String(restMs + WHOLE_RUN_GRACE_MS)}, true)`.execute(),
    };
    return this.#begin(beginning, async (sql, parts) => {
      const leave = this.enterTransaction({ sql, deadline, maxCalls: Number.POSITIVE_INFINITY, parts });
      try {
        return await body(sql);
      } finally {
        leave();
      }
    });
  }

  /** A part of the run's transaction, which is undone alone when it fails. Only where `isWhole`. */
  async part<T>(body: () => Promise<T>): Promise<T> {
    const whole = this.#transaction;
    if (whole === null || whole.parts === null) throw new Error("there is no transaction of the whole run");
    const end = { isOver: false };
    const begun = whole.parts.savepoint(async (parts): Promise<Held<T>> => {
      const answer = await this.#within(() => {
        const leave = this.enterTransaction({ ...whole, sql: this.#yielding(parts, end), parts: null });
        return body().finally(leave);
      });
      return { answer };
    });
    begun.catch(() => (end.isOver = true));
    // Its statements have deadlines; what became of it has to be heard.
    const result = await this.wait(begun, { until: Number.POSITIVE_INFINITY, late: pastDeadline });
    return (result as Held<T>).answer;
  }

  #beginning(mode: string): Beginning {
    const { origin } = this;
    const settings: Beginning["settings"] = (sql) =>
      origin === null ? null : sql`select set_config('picloud.run', ${origin}, true)`.execute();
    const begin: Begin = async (how, body) => (await this.#services.db.begin(how, body)) as never;
    return { begin, mode, settings };
  }

  async #begin<T>(
    { begin, mode, settings }: Beginning,
    body: (sql: Queryable, raw: Transaction) => Promise<T>,
  ): Promise<T> {
    const patience = this.#patience();
    const end = { isOver: false };
    const begun = begin<T>(mode, async (sql) => {
      if (patience.isOver === true) throw pastDeadline();
      // From here on its statements have deadlines; what became of the whole has to be heard.
      patience.until = Number.POSITIVE_INFINITY;
      // Sent together with what follows, which needs no answer to it.
      const told = settings(sql);
      const [answer] = await Promise.all([this.#within(() => body(this.#yielding(sql, end), sql)), told]);
      return { answer };
    });
    // It may be lost while the script is at something else.
    begun.catch(() => (end.isOver = true));
    const { answer } = await this.wait(begun, patience);
    this.committed();
    return answer;
  }

  /** What a transaction changed is there now. */
  committed(): void {
    if (this.#indexesToTell) this.#services.indexesChanged();
    this.#indexesToTell = false;
    if (this.origin !== null) this.#services.eventsCaused();
  }

  #within<T>(work: () => Promise<T>): Promise<T> {
    return this.#thread === undefined ? work() : this.#thread.turns.within(this.#thread.turn, work);
  }

  /** Sends statements there until the answer is called. */
  enterTransaction(transaction: RunTransaction): () => void {
    const outer = this.#transaction;
    this.#transaction = { ...transaction, calls: 0 };
    return () => {
      this.#transaction = outer;
    };
  }

  expires(at: number): void {
    this.#services.expires(at);
  }

  indexesChanged(): void {
    if (this.#transaction === null) this.#services.indexesChanged();
    else this.#indexesToTell = true;
  }

  explain(error: unknown): string | undefined {
    return error instanceof SdkError ? error.message : this.#services.explain(error);
  }

  /**
   * Counts one call of a service.
   * @param memory bytes that the run has counted
   * @throws SdkError when the run has made as many as it may
   */
  countCall(memory: number): void {
    if (this.#thread !== undefined) this.#thread.turn.counted = memory;
    const transaction = this.#transaction;
    if (transaction !== null && ++transaction.calls > transaction.maxCalls) {
      throw new SdkError(`a transaction may make ${transaction.maxCalls} calls of services, no more`);
    }
    if (++this.#calls > this.maxCalls)
      throw new SdkError(`a run may make ${this.maxCalls} calls of services, no more`);
  }
}

const transactionTooLong = () => new SdkError("the transaction took too long");

/** The context of the run that a native was called in. */
export function runContext(context: NativeContext): RunContext {
  if (context.host instanceof RunContext) return context.host;
  throw new Error("a native of the platform was called outside of a run");
}
