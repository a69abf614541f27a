import { columnOf, lineOf, NONE, type Pos } from "./position.ts";
import type { Problem } from "./problems.ts";

/** Something wrong with a source text. */
export interface Diagnostic {
  /** The official text, without `Syntax error: ` and without the place. */
  readonly message: string;
  /** Name of the official error variant, such as `MissingToken`. */
  readonly code: string;
  /** Counted from 1; null where there is no place. */
  readonly line: number | null;
  /** Counted from 1 in Unicode scalars; null where there is no place, or the beginning of a line is meant. */
  readonly column: number | null;
  readonly pos: Pos;
  /** The source line with a line below it that has a caret under the column; empty where there is no place. */
  readonly excerpt: string;
}

export const toDiagnostic = (source: string, problem: Problem, pos: Pos): Diagnostic => ({
  message: problem.message,
  code: problem.code,
  line: pos === NONE ? null : lineOf(pos),
  column: columnOf(pos) === 0 ? null : columnOf(pos),
  pos,
  excerpt: "" + source.slice(0, 0),
});
