import { render } from "./layout-doc.ts";
import { Layout } from "./layout.ts";
import type { Piece } from "./layout-spacing.ts";
import { Marks } from "./parse-state.ts";
import { type Failure, parseWithMarks } from "./parser.ts";
import type { Token } from "./token.ts";
import { tokenize, walkTokens } from "./tokenize.ts";

/** Columns of a line, a tab counting as four. */
const WIDTH = 100;

export type FormatResult = { readonly ok: true; readonly text: string } | Failure;

/**
 * Lays a script out anew: tabs, 100 columns, one statement a line, at most one blank line in a row. Tokens and comments
 * stay as written and in order. A script that does not parse is refused with its diagnostics. Formatting twice changes
 * nothing more. Should the layout ever change a token (a string that runs on over lines means something else in
 * another column), the text comes back as it was.
 */
export const format = (source: string): FormatResult => {
  const first = layOut(source);
  if (!first.ok || openings(first.text) === openings(source)) return first;
  // What was broken over lines once may be laid out better when it is known to be: until nothing changes any more.
  let { text } = first;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = layOut(text);
    if (!next.ok || next.text === text) return { ok: true, text };
    text = next.text;
  }
  return { ok: true, text: source };
};

/** How many braces have a line end behind them, which is all of a written layout that decides about the next one. */
const openings = (text: string): number => text.match(/\{[ \t\r]*\n/g)?.length ?? 0;

/** More than any script is known to need, which is three. */
const MOST_ROUNDS = 8;

const layOut = (source: string): FormatResult => {
  const marks = new Marks();
  const result = parseWithMarks(source, marks);
  if (!result.ok) return result;
  const wellFormed = source.toWellFormed();
  const layout = new Layout(wellFormed, piecesOf(wellFormed), marks);
  const text = render(layout.script(), WIDTH);
  const formatted = text === "" ? "" : `${text}\n`;
  return { ok: true, text: sameTokens(wellFormed, formatted) ? formatted : source };
};

const piecesOf = (source: string): Piece[] => {
  const pieces: Piece[] = [];
  let open: Token | null = null;
  walkTokens(source, { comments: true }, (token, openStrings) => {
    open ??= token;
    if (openStrings > 0) return;
    pieces.push({ token: open, source: source.slice(open.start, token.end), end: token.end });
    open = null;
  });
  return pieces;
};

const sameTokens = (before: string, after: string): boolean => {
  const left = signature(before);
  const right = signature(after);
  return left.length === right.length && left.every((token, index) => token === right[index]);
};

/** What must stay as it was. Parentheses with nothing but a blank between them mean the same as the token `()`. */
const signature = (source: string): string[] => {
  const parts: string[] = [];
  for (const { kind, text } of tokenize(source)) {
    if (kind === ")" && parts.at(-1) === "( (") parts[parts.length - 1] = "() ()";
    else parts.push(`${kind} ${text.trimEnd()}`);
  }
  return parts;
};
