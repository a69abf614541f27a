import { oneLine } from "./visible.ts";

/** Narrower than this no column gets. */
const LEAST = 8;
const GAP = "  ";

/** What a cell says. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null)) {
    return value.map(cell).join(",");
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** One line of tab-separated values. */
export const tsvLine = (values: readonly unknown[]): string =>
  `${values.map((value) => oneLine(cell(value))).join("\t")}\n`;

/** Lines of tab-separated values: a header, and one line a row. */
export const tsvRows = (names: readonly string[], rows: readonly (readonly unknown[])[]): string =>
  [names, ...rows].map(tsvLine).join("");

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/;

/** An RFC 3339 instant in this machine's time zone, to the second. */
export function shortTime(instant: string): string {
  const time = new Date(instant);
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** What a cell says to a person. */
const shownCell = (value: unknown): string =>
  typeof value === "string" && INSTANT.test(value) ? shortTime(value) : oneLine(cell(value));

/** Of a column's mark: the name of the member that it shows. */
export const columnName = (column: string): string => column.replace(/[!?]$/, "");

/**
 * Aligned columns for a terminal. Where the lines would be too wide, columns marked `?` are left out, the last first,
 * and then the widest are cut, with `…`; those marked `!` never are.
 */
export function tableRows(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  width: number,
): string {
  const table = [
    columns.map((column) => columnName(column).toUpperCase().replaceAll("_", " ")),
    ...rows.map((row) => row.map(shownCell)),
  ];
  const widths = columns.map((_, column) =>
    Math.max(...table.map((line) => Bun.stringWidth(line[column] ?? ""))),
  );
  const shown = columns.map((_, column) => column);
  const total = (): number =>
    shown.reduce((sum, column) => sum + (widths[column] ?? 0), 0) + GAP.length * (shown.length - 1);
  while (total() > width) {
    const dropped = shown.findLastIndex((column) => columns[column]?.endsWith("?"));
    if (dropped !== -1) shown.splice(dropped, 1);
    else if (
      !cutWidest(
        widths,
        shown.filter((column) => columns[column]?.endsWith("!") === false),
      )
    )
      break;
  }
  return table
    .map((line) => shown.map((column) => padded(line[column] ?? "", widths[column] ?? 0)).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** `NAME  value` lines of one object. */
export function tableOf(entries: readonly (readonly [string, unknown])[]): string {
  const widest = Math.max(0, ...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${name.padEnd(widest)}${GAP}${shownCell(value)}`.trimEnd() + "\n")
    .join("");
}

/** Makes the widest of some columns narrower. @returns false when none can give any more */
function cutWidest(widths: number[], columns: readonly number[]): boolean {
  const width = (column: number): number => widths[column] ?? 0;
  const [widest] = columns.toSorted((a, b) => width(b) - width(a));
  if (widest === undefined || width(widest) <= LEAST) return false;
  widths[widest] = width(widest) - 1;
  return true;
}

function padded(text: string, width: number): string {
  const own = Bun.stringWidth(text);
  if (own <= width) return text + " ".repeat(width - own);
  let cut = "";
  for (const character of text) {
    if (Bun.stringWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut}…`.padEnd(width);
}
