import type { NativeContext } from "../../rhai/index.ts";
import type { RunLog } from "./log.ts";

/**
 * What the platform's natives know of the run that calls them. They take the app from here and from nowhere else:
 * nothing that a script passes can name another one.
 */
export class RunContext {
  readonly appId: string;
  readonly scriptId: string;
  readonly executionId: string;
  readonly log: RunLog;
  constructor(appId: string, scriptId: string, executionId: string, log: RunLog) {
    this.appId = appId;
    this.scriptId = scriptId;
    this.executionId = executionId;
    this.log = log;
  }
}

/** The context of the run that a native was called in. */
export function runContext(context: NativeContext): RunContext {
  if (context.host instanceof RunContext) return context.host;
  throw new Error("a native of the platform was called outside of a run");
}
