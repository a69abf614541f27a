import type { Command } from "commander";
import { ADMIN, path } from "../client/api.ts";
import { ApiError } from "../client/api-error.ts";
import { eventsOf } from "../client/events.ts";
import { scriptNamed, type Script } from "../client/names.ts";
import { count, type AppFlag } from "../client/options.ts";
import { openSession, type Session } from "../client/session.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { runPrinter } from "../runs/print-runs.ts";
import type { Run } from "../runs/run.ts";

interface LogsFlags extends AppFlag {
  readonly limit?: number;
  readonly follow?: boolean;
}

/** Runs shown when nothing is said; when following, as a beginning. */
const SHOWN = 50;
const SHOWN_BEFORE = 10;
/** The most that the server gives at once. */
const MOST = 200;

/** `picloud logs SCRIPT`: its latest runs with what they logged, newest first; with --follow in the order of time. */
export function define(command: Command): void {
  command
    .argument("<script>", "its name in the app, or its id")
    .option("--app <app>", "the app, by slug or id", "default")
    .option(
      "--limit <n>",
      `at most so many, up to ${MOST} (default: ${SHOWN}; ${SHOWN_BEFORE} with --follow)`,
      count,
    )
    .option("-f, --follow", "then show runs as they end, until Ctrl-C")
    .action(async (name: string, flags: LogsFlags, self: Command) => {
      const session = openSession(self);
      const { api, print } = session;
      const script = await scriptNamed(api, flags.app, name);
      const limit = Math.min(flags.limit ?? (flags.follow === true ? SHOWN_BEFORE : SHOWN), MOST);
      const target = path`/scripts/${script.id}/logs?limit=${limit}`;
      if (flags.follow === true) return follow(session, script, () => api.get<readonly Run[]>(target));
      const show = runPrinter(print);
      for (const run of await api.get<readonly Run[]>(target)) show(run);
      show.end();
    });
}

/** Listens first and looks back then, so that no run is missed in between; those in both are shown once. */
async function follow(
  { api, print }: Session,
  script: Script,
  before: () => Promise<readonly Run[]>,
): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const show = runPrinter(print, { endless: true });
  try {
    const tail = await api.send(
      "GET",
      `${ADMIN}${path`/apps/${script.app_id}/executions:tail?script=${script.id}`}`,
      {
        headers: { Accept: "text/event-stream" },
        timeoutMs: null,
        signal: stop.signal,
      },
    );
    const shown = new Set<string>();
    const earlier = await before();
    for (const run of earlier.toReversed()) {
      show(run);
      shown.add(run.execution_id);
    }
    if (tail.body === null) return;
    for await (const { event, data } of eventsOf(tail.body)) {
      if (event === "lagged") print.note("Too many runs at once: some are not shown here.");
      const run = runOf(data);
      if (run === null || run.script_id !== script.id || shown.delete(run.execution_id)) continue;
      show(run);
    }
  } catch (error) {
    if (stop.signal.aborted) return;
    if (error instanceof ApiError && error.status === 404) {
      throw new CommandError("This server has no live log yet; leave out --follow.", EXIT.notFound, error);
    }
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The connection to ${api.url} was lost.`, EXIT.failure, error);
  }
  if (!stop.signal.aborted) throw new CommandError(`${api.url} ended the live log; is it restarting?`);
}

function runOf(data: string): Run | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null && "execution_id" in value ? (value as Run) : null;
  } catch {
    return null;
  }
}
