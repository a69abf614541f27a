import { Option, type Command } from "commander";
import { ADMIN, path } from "../client/api.ts";
import { headersOf, textBodyOf } from "../client/request-options.ts";
import { collect, count, appCommand, type AppFlag } from "../client/options.ts";
import { firstOf } from "../client/pages.ts";
import { openSession } from "../client/session.ts";
import { CommandError } from "../command-error.ts";
import { paragraph, runRow } from "../runs/print-runs.ts";
import type { Run } from "../runs/run.ts";

interface ListFlags extends AppFlag {
  readonly script?: string;
  readonly status?: string;
  readonly trigger?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

interface RerunFlags {
  readonly live?: boolean;
  readonly body?: string;
  readonly header?: readonly string[];
  readonly method?: string;
  readonly query?: string;
}

interface Rerun extends Omit<Run, "script_id" | "request" | "trigger_kind" | "created_at"> {
  readonly masked: readonly string[];
}

/** A script may take up to 300 s, and wait for its turn before that. */
const RERUN_TIMEOUT_MS = 330_000;

/** `picloud executions`: every run of an app's scripts. */
export function define(command: Command): void {
  appCommand(command, "ls", "list runs, newest first")
    .option("--script <script>", "only this script's, by name or id")
    .addOption(
      new Option("--status <status>", "only with this outcome").choices([
        "success",
        "error",
        "timeout",
        "budget_exceeded",
      ]),
    )
    .option("--trigger <kind>", "only what this started, such as http or cron")
    .option("--from <time>", "started at or after it, such as 2026-01-31T12:00:00Z")
    .option("--to <time>", "started before it")
    .option("--limit <n>", "at most so many", count, 50)
    .action(async (flags: ListFlags, self: Command) => {
      const { api, print } = openSession(self);
      const query = new URLSearchParams();
      for (const name of ["script", "status", "trigger", "from", "to"] as const) {
        const value = flags[name];
        if (value !== undefined) query.set(name, value);
      }
      const [runs, scripts] = await Promise.all([
        firstOf<Run>(
          api,
          `${path`/apps/${flags.app}/executions`}${query.size === 0 ? "" : `?${query}`}`,
          flags.limit,
        ),
        api.get<readonly { readonly id: string; readonly name: string }[]>(
          path`/scripts?fields=summary&app=${flags.app}`,
        ),
      ]);
      const names = new Map(scripts.map(({ id, name }) => [id, name]));
      print.rows(
        [
          "created_at!",
          "script",
          "status",
          "status_code",
          "duration_ms",
          "method?",
          "path?",
          "operations?",
          "version?",
          "trigger_kind?",
          "error?",
          "execution_id!",
        ],
        runs.map((run) => ({ ...runRow(run), script: names.get(run.script_id) ?? run.script_id })),
      );
    });
  command
    .command("show <execution>")
    .description("show all that is kept of a run, by its id")
    .action(async (id: string, _flags: object, self: Command) => {
      const { api, print } = openSession(self);
      const run = await api.get<Run & Record<string, unknown>>(path`/executions/${id}`);
      if (print.format !== "table") return print.one(run);
      print.text(`${paragraph(run)}\n`);
      const shown = new Set(["logs", "error", "status", "status_code", "duration_ms", "created_at", "id"]);
      print.one(Object.fromEntries(Object.entries(run).filter(([name]) => !shown.has(name))));
    });
  command
    .command("rerun <execution>")
    .description("run again what ran, with the same input or an edited one")
    .option("--live", "with the version that is live now, instead of the one that ran")
    .option("--body <body>", "another body: the text itself, @FILE, or @- for stdin")
    .option("--header <name:value>", "another header; may be repeated", collect)
    .option("--method <method>", "another HTTP method")
    .option("--query <query>", "another query, without the ?")
    .action(async (id: string, flags: RerunFlags, self: Command) => {
      const { api, print } = openSession(self);
      const { live, body, header, method, query } = flags;
      const response = await api.send("POST", `${ADMIN}${path`/executions/${id}:rerun`}`, {
        timeoutMs: RERUN_TIMEOUT_MS,
        json: {
          ...(live === true && { version: "live" }),
          ...(body !== undefined && { body: await textBodyOf(body) }),
          ...(header !== undefined && { headers: Object.fromEntries(headersOf(header)) }),
          ...(method !== undefined && { method }),
          ...(query !== undefined && { query }),
        },
      });
      const run = (await response.json()) as Rerun;
      if (print.format === "table") {
        print.text(
          paragraph({
            ...run,
            created_at: new Date().toISOString(),
            script_id: "",
            request: null,
            trigger_kind: `rerun of ${id}`,
          }),
        );
      } else print.one(run);
      if (run.masked.length > 0) {
        print.note(`The log keeps no secrets, so these were not as before: ${run.masked.join(", ")}.`);
      }
      if (run.status !== "success") throw new CommandError(`The run ended with ${run.status}.`);
    });
}
