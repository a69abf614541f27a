import type { Printer } from "../client/printer.ts";
import { shortTime, tsvLine } from "../client/table.ts";
import { jsonText, oneLine, visible } from "../client/visible.ts";
import type { Run } from "./run.ts";

const COLUMNS = [
  "created_at",
  "status",
  "status_code",
  "duration_ms",
  "operations",
  "version",
  "trigger_kind",
  "method",
  "path",
  "error",
  "logs",
  "execution_id",
];

/** How each outcome is called on a terminal. */
const LABELS: Readonly<Record<string, string>> = {
  success: "ok",
  error: "ERROR",
  timeout: "TIMEOUT",
  budget_exceeded: "BUDGET",
};
const LONGEST_LABEL = 7;
/** An answer is shown so far. */
const SUMMARY = 60;

export interface RunPrinter {
  show(run: Run): void;
  /** There are no more. */
  end(): void;
}

/**
 * Prints runs as they come: a paragraph each for people; for programs a line each, or one JSON array.
 * @param options.endless there is no last one: JSON is one object a line
 */
export function runPrinter(print: Printer, options: { readonly endless?: boolean } = {}): RunPrinter {
  const nothing = (): void => {};
  if (print.format === "table") return { show: (run) => print.text(paragraph(run)), end: nothing };
  if (print.format === "tsv") {
    print.text(tsvLine(COLUMNS));
    return {
      show: (run) => print.text(tsvLine(COLUMNS.map((name) => Reflect.get(runRow(run), name)))),
      end: nothing,
    };
  }
  if (options.endless === true) {
    return { show: (run) => print.text(`${jsonText(runRow(run))}\n`), end: nothing };
  }
  const rows: object[] = [];
  return { show: (run) => void rows.push(runRow(run)), end: () => print.rows(COLUMNS, rows) };
}

/** A run as a row of a table. */
export const runRow = (run: Run): object => ({
  created_at: run.created_at,
  status: run.status,
  status_code: run.status_code,
  duration_ms: Math.round(run.duration_ms * 1000) / 1000,
  operations: run.operations,
  version: run.version,
  trigger_kind: run.trigger_kind,
  method: run.request?.method ?? null,
  path: run.request?.path ?? null,
  error: run.error === null ? null : errorText(run.error),
  logs: run.logs,
  execution_id: run.execution_id,
});

/** A line about the run, and indented below it what it logged and why it failed. */
export function paragraph(run: Run): string {
  const head = [
    shortTime(run.created_at),
    (LABELS[run.status] ?? run.status).padEnd(LONGEST_LABEL),
    String(run.status_code ?? "-").padEnd(3),
    `${run.duration_ms.toFixed(1)} ms`.padStart(10),
    run.request === null ? run.trigger_kind : `${run.request.method} ${run.request.path}`,
    ...(run.response_summary === null ? [] : [`-> ${cut(run.response_summary)}`]),
  ];
  const below = [
    ...run.logs.map(
      ({ level, message, data }) =>
        `${level.padEnd(5)} ${message}${data === undefined ? "" : ` ${JSON.stringify(data)}`}`,
    ),
    ...(run.error === null ? [] : [errorText(run.error)]),
  ];
  return `${head.map(oneLine).join("  ")}\n${below.map((text) => `${indented(visible(text))}\n`).join("")}`;
}

const indented = (text: string): string => text.replaceAll(/^/gm, "    ");

const cut = (text: string): string => (text.length > SUMMARY ? `${text.slice(0, SUMMARY)}…` : text);

function errorText({ code, message, line, column }: NonNullable<Run["error"]>): string {
  const place =
    line === undefined ? "" : ` (line ${line}${column === undefined ? "" : `, column ${column}`})`;
  return `${code}: ${message}${/\(line \d+/.test(message) ? "" : place}`;
}
