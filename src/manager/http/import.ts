import { JsonTextError, membersOf } from "../../services/json-text.ts";
import { AppError, invalid } from "../../shared/errors.ts";
import { instantOf } from "./instant.ts";

/** Bytes of one import. What is larger is sent in parts. */
export const MAX_IMPORT_BYTES = 16 * 1024 * 1024;
/** How long an import may take until it is answered. */
export const IMPORT_SECONDS = 300;

/** Lines that are written by one statement, and their characters. */
const BATCH_LINES = 500;
const BATCH_CHARACTERS = 1024 * 1024;

/** One line of an import. */
export interface ImportLine {
  readonly line: number;
  readonly text: string;
}

/**
 * Reads lines and writes them, some at a time, so that others get their turn in between.
 * @param read makes a line what is written @throws AppError about one line, which is then named
 * @param idOf what must be different in each line
 */
export async function importLines<T>(
  lines: readonly ImportLine[],
  read: (members: LineMembers) => T,
  idOf: (item: T) => string,
  write: (items: readonly T[]) => Promise<void>,
): Promise<number> {
  const seen = new Map<string, number>();
  let items: T[] = [];
  let characters = 0;
  for (const { line, text } of lines) {
    const item = readLine(line, text, read);
    const earlier = seen.get(idOf(item));
    if (earlier !== undefined) throw lineFault(line, `names the same as line ${earlier}`, null);
    seen.set(idOf(item), line);
    items.push(item);
    characters += text.length;
    if (items.length < BATCH_LINES && characters < BATCH_CHARACTERS) continue;
    await write(items);
    [items, characters] = [[], 0];
  }
  if (items.length > 0) await write(items);
  return seen.size;
}

function readLine<T>(line: number, text: string, read: (members: LineMembers) => T): T {
  try {
    return read(new LineMembers(membersOf(text)));
  } catch (error) {
    if (error instanceof JsonTextError) throw lineFault(line, error.message, null);
    if (error instanceof AppError) throw lineFault(line, `: ${error.message}`, error);
    throw error;
  }
}

const lineFault = (line: number, why: string, error: AppError | null): AppError =>
  invalid(
    error?.code ?? "invalid_line",
    `Line ${line}${why.startsWith(":") ? "" : " "}${why.replace(/\.$/, "")}. Nothing was imported.`,
    {
      details: { field: "body", ...error?.details, line },
    },
  );

/** The members of one line, each to be asked for once. */
export class LineMembers {
  readonly #members: Map<string, string>;

  constructor(members: Map<string, string>) {
    this.#members = members;
  }

  /** The JSON text of a member. @throws AppError 422 when it is missing */
  json(name: string): string {
    const json = this.#take(name);
    if (json === undefined) throw invalid("validation", `${name} is missing`, { details: { field: name } });
    return json;
  }

  /** @throws AppError 422 for anything but a text */
  text(name: string): string {
    const value = this.optionalText(name);
    if (value === null) throw invalid("validation", `${name} must be a text`, { details: { field: name } });
    return value;
  }

  /** Null for null and for what is missing. @throws AppError 422 for anything but a text */
  optionalText(name: string): string | null {
    const value: unknown = JSON.parse(this.#take(name) ?? "null");
    if (value === null || typeof value === "string") return value;
    throw invalid("validation", `${name} must be a text`, { details: { field: name } });
  }

  /** @throws AppError 422 when there are others than those that were asked for */
  end(): void {
    const [name] = this.#members.keys();
    if (name === undefined) return;
    throw invalid("validation", `there is no field "${name.slice(0, 64)}"`, {
      details: { field: name.slice(0, 64) },
    });
  }

  #take(name: string): string | undefined {
    const json = this.#members.get(name);
    this.#members.delete(name);
    return json;
  }
}

/**
 * A time of a line as Postgres takes it; null stays null.
 * @throws AppError 422 `invalid_time`
 */
export function instantText(text: string | null, field: string): string | null {
  const time = instantOf(text ?? undefined, field);
  if (time === undefined) return null;
  const year = time.getUTCFullYear();
  if (year < 1 || year > 9999)
    throw invalid("invalid_time", `${field} is not in the years 1 to 9999.`, { details: { field } });
  return time.toISOString();
}
