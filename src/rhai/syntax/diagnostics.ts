import { excerptAt } from "./excerpt.ts";
import { columnOf, describePosition, lineOf, NONE, type Pos } from "./position.ts";
import type { Problem } from "./problems.ts";

/** Something wrong with a source text. */
export interface Diagnostic {
  /** The official text, without its prefix and without the place. */
  readonly message: string;
  /** Name of the official error variant, such as `MissingToken`. */
  readonly code: string;
  /** Counted from 1; null where there is no place. */
  readonly line: number | null;
  /** Counted from 1 in Unicode scalars; null where there is no place or the beginning of the line is meant. */
  readonly column: number | null;
  readonly pos: Pos;
  /** The source line with a line below it that has a caret under the column; empty where there is no place. */
  readonly excerpt: string;
}

/** What the official text of a parse error begins with. */
export const SYNTAX_ERROR = "Syntax error: ";

export const toDiagnostic = (source: string, problem: Problem, pos: Pos): Diagnostic => ({
  message: problem.message,
  code: problem.code,
  line: pos === NONE ? null : lineOf(pos),
  column: columnOf(pos) === 0 ? null : columnOf(pos),
  pos,
  excerpt: excerptAt(source, pos),
});

/** The official text: `Syntax error: Expecting … (line 1, position 5)`. */
export const officialMessage = (diagnostic: Diagnostic): string =>
  `${SYNTAX_ERROR}${diagnostic.message}${describePosition(diagnostic.pos)}`;

/**
 * A diagnostic for people, on several lines: the official text and the excerpt with its line number.
 * @param name what the source is called, such as a file name; it leads the first line.
 */
export const formatDiagnostic = (diagnostic: Diagnostic, name = ""): string => {
  const head = `${name === "" ? "" : `${name}: `}${officialMessage(diagnostic)}`;
  if (diagnostic.excerpt === "") return head;
  const number = String(diagnostic.line ?? "");
  const [text = "", caret = ""] = diagnostic.excerpt.split("\n");
  return `${head}\n  ${number} | ${text}\n  ${" ".repeat(number.length)} | ${caret}`;
};
