import type { Queryable } from "../../database/client.ts";
import type { NativeContext } from "../../rhai/index.ts";
import type { RunLog } from "./log.ts";
import { SdkError } from "./sdk-error.ts";

/** Calls of services that one run may make (CONTRACT 3.6). */
const MAX_CALLS = 1000;

/** What service calls of a worker work with. */
export interface Services {
  readonly db: Queryable;
  /** Told of data that will be over at some moment (milliseconds since the epoch), so that it can be removed then. */
  readonly expires: (at: number) => void;
  /** Told that an index of documents was asked for, or is not wanted any more. */
  readonly indexesChanged: () => void;
  /** What a script may be told of an error; undefined: nothing, it is a fault of ours. */
  readonly explain: (error: unknown) => string | undefined;
}

/** For scripts that mention none. */
const NO_SERVICES: Services = {
  get db(): never {
    throw new Error("a service was called without a connection");
  },
  expires: () => {},
  indexesChanged: () => {},
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
  readonly #services: Services;
  #calls = 0;

  constructor(
    run: Pick<RunContext, "appId" | "scriptId" | "executionId" | "log" | "deadline">,
    services: Services = NO_SERVICES,
  ) {
    this.appId = run.appId;
    this.scriptId = run.scriptId;
    this.executionId = run.executionId;
    this.log = run.log;
    this.deadline = run.deadline;
    this.#services = services;
  }

  /** Where statements go. */
  get sql(): Queryable {
    return this.#services.db;
  }

  expires(at: number): void {
    this.#services.expires(at);
  }

  indexesChanged(): void {
    this.#services.indexesChanged();
  }

  explain(error: unknown): string | undefined {
    return error instanceof SdkError ? error.message : this.#services.explain(error);
  }

  /** Counts one call of a service. @throws SdkError when the run has made as many as it may */
  countCall(): void {
    if (++this.#calls > MAX_CALLS)
      throw new SdkError(`a run may make ${MAX_CALLS} calls of services, no more`);
  }
}

/** The context of the run that a native was called in. */
export function runContext(context: NativeContext): RunContext {
  if (context.host instanceof RunContext) return context.host;
  throw new Error("a native of the platform was called outside of a run");
}
