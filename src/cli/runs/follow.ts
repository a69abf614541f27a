import { ADMIN, path } from "../client/api.ts";
import { ApiError } from "../client/api-error.ts";
import { eventsOf } from "../client/events.ts";
import type { Script } from "../client/names.ts";
import type { Session } from "../client/session.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { isClosedPipe } from "../output.ts";
import { runPrinter } from "./print-runs.ts";
import type { Run } from "./run.ts";

/** Runs of which is remembered that they were shown: more than the server gives at a look back. */
const REMEMBERED = 1000;
/** How far is looked back after runs came too fast to be told one by one; the most that the server gives. */
const LOOK_BACK = 200;

/** Why a stream ended, by the code that it tells. */
const ENDS: Readonly<Record<string, string>> = {
  stopping: "it is stopping",
  unauthorized: "the login is not valid any more",
  forbidden: "you may not read this log any more",
  not_found: "you may not read this log any more",
};

/**
 * Shows the runs of a script in the order of time: some that were, and then each as it ends, until the process is asked to
 * stop (Ctrl-C).
 * @param before how many of those that were
 * @throws CommandError when the server ends it, or cannot be reached any more
 */
export async function follow({ api, print }: Session, script: Script, before: number): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const printer = runPrinter(print, { endless: true });
  const seen = new Set<string>();
  const show = (run: Run): void => {
    if (seen.has(run.execution_id)) return;
    seen.add(run.execution_id);
    for (const id of seen) {
      if (seen.size <= REMEMBERED) break;
      seen.delete(id);
    }
    printer.show(run);
  };

  /** Listens first and looks back then, so that no run is missed in between. @returns why the stream ended */
  const listen = async (back: number): Promise<string> => {
    const target = path`/apps/${script.app_id}/executions:tail?script=${script.id}`;
    const tail = await api.send("GET", ADMIN + target, {
      headers: { Accept: "text/event-stream" },
      timeoutMs: null,
      signal: stop.signal,
    });
    const earlier = await api.get<readonly Run[]>(path`/scripts/${script.id}/logs?limit=${back}`);
    for (const run of earlier.toReversed()) show(run);
    if (tail.body === null) return "";
    for await (const { event, data } of eventsOf(tail.body)) {
      const value: unknown = JSON.parse(data);
      if (event === "message") show(value as Run);
      else return codeIn(value);
    }
    return "";
  };

  try {
    for (let back = before; ; back = LOOK_BACK) {
      const end = await listen(back);
      if (stop.signal.aborted) return;
      if (end !== "lagged")
        throw new CommandError(`${api.url} ended the live log: ${ENDS[end] ?? "the connection was lost"}.`);
    }
  } catch (error) {
    if (stop.signal.aborted) return;
    if (error instanceof ApiError && error.status === 404) {
      throw new CommandError("This server has no live log; leave out --follow.", EXIT.notFound, error);
    }
    if (error instanceof CommandError || isClosedPipe(error)) throw error;
    throw new CommandError(`The connection to ${api.url} was lost.`, EXIT.failure, error);
  }
}

const codeIn = (value: unknown): string =>
  typeof value === "object" && value !== null && "code" in value ? String(value.code) : "";
