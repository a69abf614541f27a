import { write } from "../output.ts";
import type { Format } from "./formats.ts";
import { cell, columnName, tableOf, tableRows, tsvRows } from "./table.ts";
import { jsonText, oneLine, visible } from "./visible.ts";

type Row = Readonly<Record<string, unknown>>;

/** Data goes to stdout, in the form that was asked for; messages go to stderr. */
export interface Printer {
  readonly format: Format;
  /** Several things of a kind. @param columns members of the rows to show, with the marks of `tableRows` */
  rows(columns: readonly string[], rows: readonly object[]): void;
  /** One thing: `key<TAB>value` lines, or a JSON object. */
  one(thing: object): void;
  /** A text as it is. */
  text(text: string): void;
  /** A text of somebody else's: as it is for programs, without what a terminal would act on for people. */
  foreign(text: string): void;
  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void;
  /** A sentence for the person, on stderr. */
  note(text: string): void;
}

/** A table on a terminal, tab-separated values elsewhere, or what `--output` says. */
export function createPrinter(wanted: Format | undefined): Printer {
  const format = wanted ?? (process.stdout.isTTY ? "table" : "tsv");
  return {
    format,
    rows: (columns, rows) => {
      const names = columns.map(columnName);
      const values = (rows as readonly Row[]).map((row) => names.map((name) => row[name]));
      if (format === "json") {
        const picked = (rows as readonly Row[]).map((row) =>
          Object.fromEntries(names.map((name) => [name, row[name] ?? null])),
        );
        write("stdout", `${jsonText(picked, 2)}\n`);
      } else if (format === "tsv") write("stdout", tsvRows(names, values));
      else write("stdout", tableRows(columns, values, process.stdout.columns || 80));
    },
    one: (thing) => {
      const entries = Object.entries(thing);
      if (format === "json") write("stdout", `${jsonText(thing, 2)}\n`);
      else if (format === "table") write("stdout", tableOf(entries));
      else
        write(
          "stdout",
          entries.map(([name, value]) => `${oneLine(name)}\t${oneLine(cell(value))}\n`).join(""),
        );
    },
    text: (text) => write("stdout", text),
    foreign: (text) => write("stdout", process.stdout.isTTY ? visible(text) : text),
    bytes: (bytes) => write("stdout", bytes),
    note: (text) => write("stderr", `${visible(text)}\n`),
  };
}
