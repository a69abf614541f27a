import type { Diagnostic } from "./diagnostics.ts";
import type { Pos } from "./position.ts";
import type { Token, TokenKind } from "./token.ts";
import { tokenize } from "./tokenize.ts";

/** More than anyone fixes before looking again. */
const MOST_DIAGNOSTICS = 10;

/**
 * What else is wrong with a source besides its first error, in the order of the source. Only what stays wrong when
 * all before is mended: functions know nothing of each other or of the statements around them, so each is looked at
 * without those that are broken; of the statements, which depend on the ones before, only the first error counts.
 * Where brackets do not match nobody can tell where a function ends, so nothing more is told.
 * @param parseAgain the first error of a text, null where there is none
 */
export function furtherDiagnostics(
  source: string,
  first: Diagnostic,
  parseAgain: (text: string) => Diagnostic | null,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  let text = source;
  let last: Diagnostic | null = first;
  let hasStatements = true;
  while (last !== null && found.length + 1 < MOST_DIAGNOSTICS) {
    const functions = functionsOf(text);
    if (functions === null) break;
    const { pos } = last;
    const broken = functions.find((span) => pos >= span.from && pos <= span.to);
    // An empty block in the stead of the function: what a sign behind it means depends on the brace.
    if (broken !== undefined) text = withBlanks(text, [broken], "{", "}");
    else if (hasStatements) {
      text = withBlanks(text, between(functions, text.length));
      hasStatements = false;
    } else break;
    last = parseAgain(text);
    if (last !== null) found.push(last);
  }
  return found.toSorted((a, b) => a.pos - b.pos);
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** A function of the script, with the places of its first and last token. */
interface FunctionSpan extends Stretch {
  readonly from: Pos;
  readonly to: Pos;
}

const CLOSERS: ReadonlyMap<TokenKind, TokenKind> = new Map<TokenKind, TokenKind>([
  ["{", "}"],
  ["#{", "}"],
  ["(", ")"],
  ["[", "]"],
  ["?[", "]"],
]);

/** Null where brackets do not match. */
function functionsOf(source: string): FunctionSpan[] | null {
  const found: FunctionSpan[] = [];
  const open: TokenKind[] = [];
  let begin: Token | null = null;
  let previous: Token | null = null;
  for (const token of tokenize(source)) {
    const { kind } = token;
    if (kind === "Comment") continue;
    if (kind === "fn" && open.length === 0) begin = previous?.kind === "private" ? previous : token;
    const closer = CLOSERS.get(kind);
    if (closer !== undefined) open.push(closer);
    else if (kind === "}" || kind === ")" || kind === "]") {
      if (open.pop() !== kind) return null;
      if (kind === "}" && open.length === 0 && begin !== null) {
        found.push({ start: begin.start, end: token.end, from: begin.pos, to: token.pos });
        begin = null;
      }
    }
    previous = token;
  }
  return open.length > 0 || begin !== null ? null : found;
}

/** All of a text but the functions. */
function between(functions: readonly Stretch[], length: number): Stretch[] {
  const starts = [0, ...functions.map((span) => span.end)];
  const ends = [...functions.map((span) => span.start), length];
  return starts.map((start, i) => ({ start, end: ends[i] ?? length }));
}

/** The text with a blank for each character of the stretches, so that all else keeps its place. */
function withBlanks(text: string, stretches: readonly Stretch[], first = " ", last = " "): string {
  let result = "";
  let at = 0;
  for (const { start, end } of stretches) {
    const blanks = text.slice(start, end).replaceAll(/[^\n]/gu, " ");
    result += text.slice(at, start) + (first === " " ? blanks : first + blanks.slice(1, -1) + last);
    at = end;
  }
  return result + text.slice(at);
}
