import { columnOf, lineOf, NONE } from "../syntax/position.ts";
import type { RhaiError } from "./errors.ts";

/** Where one function of a script stood when an error came up. */
export interface TraceEntry {
  /** The function; null for the statements of the script (or module) itself, `closure` for one without a name. */
  readonly function: string | null;
  /** Counted from 1; null where the error tells no place. */
  readonly line: number | null;
  readonly column: number | null;
}

/** The calls that led to an error, innermost first, as a stack trace shows them. */
export function traceOf(error: RhaiError): TraceEntry[] {
  const entries: TraceEntry[] = [];
  let current: string | null = null;
  for (let link: RhaiError | null = error; link !== null; link = link.inner) {
    const known = link.pos !== NONE;
    entries.unshift({
      function: current,
      line: known ? lineOf(link.pos) : null,
      column: known ? Math.max(1, columnOf(link.pos)) : null,
    });
    const { function: name } = link.data;
    if (link.kind === "ErrorInModule") current = null;
    else if (typeof name === "string") current = name.startsWith("anon$") ? "closure" : name;
  }
  return entries;
}
