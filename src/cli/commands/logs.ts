import type { Command } from "commander";
import { path } from "../client/api.ts";
import { scriptNamed } from "../client/names.ts";
import { count, type AppFlag } from "../client/options.ts";
import { openSession } from "../client/session.ts";
import { follow } from "../runs/follow.ts";
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
      if (flags.follow === true) return follow(session, script, limit);
      const printer = runPrinter(print);
      for (const run of await api.get<readonly Run[]>(path`/scripts/${script.id}/logs?limit=${limit}`))
        printer.show(run);
      printer.end();
    });
}
