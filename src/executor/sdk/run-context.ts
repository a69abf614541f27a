import type { NativeContext } from "../../rhai/index.ts";
import type { RunLog } from "./log.ts";
import { SdkError } from "./sdk-error.ts";

/** Calls of services that one run may make (CONTRACT 3.6). */
const MAX_CALLS = 1000;

/**
 * What the platform's natives know of the run that calls them. They take the app from here and from nowhere else:
 * nothing that a script passes can name another one.
 */
export class RunContext {
  readonly appId: string;
  readonly scriptId: string;
  readonly executionId: string;
  readonly log: RunLog;
  #calls = 0;
  constructor(appId: string, scriptId: string, executionId: string, log: RunLog) {
    this.appId = appId;
    this.scriptId = scriptId;
    this.executionId = executionId;
    this.log = log;
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
