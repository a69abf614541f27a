import { Lexer } from "./lexer.ts";
import type { Marks } from "./parse-state.ts";
import type { Token, TokenKind } from "./token.ts";

/** A token with its text as written; a back-tick string with holes is one piece. */
export interface Piece {
  readonly token: Token;
  readonly source: string;
  /** Offset behind it, which for a back-tick string with holes lies behind the closing back-tick. */
  readonly end: number;
}

/** Operators before which a line that is too long may break. */
const BREAKABLE: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "+",
  "-",
  "*",
  "/",
  "%",
  "||",
  "&&",
  "??",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "|",
  "&",
  "^",
]);

const NO_SPACE_BEFORE: ReadonlySet<TokenKind> = new Set<TokenKind>([
  ")",
  "]",
  ",",
  ";",
  ":",
  ".",
  "?.",
  "::",
  "..",
  "..=",
  "?[",
]);

const NO_SPACE_AFTER: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "(",
  "[",
  "?[",
  ".",
  "?.",
  "::",
  "..",
  "..=",
]);

/** Ends of operands, behind which a parenthesis is a call and a bracket an index. */
const OPERAND_END: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "Name",
  "Reserved",
  ")",
  "]",
  "()",
  "Str",
  "Interpolated",
  "Int",
  "Float",
  "Char",
  "}",
]);

export type Space = "" | " " | "break";

/** What stands between two pieces of the same statement. */
export const spaceBetween = (before: Piece, after: Piece, marks: Marks): Space => {
  const space = wantedSpace(before.token, after.token, marks);
  // Never let two tokens run together: `1. ..2`, `- 1`, `! in`.
  return space === "" && !staysApart(before, after) ? " " : space;
};

const wantedSpace = (before: Token, after: Token, marks: Marks): Space => {
  if (marks.openBars.has(before.start)) return before.kind === "||" ? " " : "";
  if (marks.closeBars.has(after.start)) return "";
  if (marks.closeBars.has(before.start)) return " ";
  if (marks.prefixes.has(before.start)) return "";
  // A call with the scope of its caller: `f!(x)`.
  if (after.kind === "!" && !marks.prefixes.has(after.start)) return "";
  if (before.kind === "!") return "";
  if (NO_SPACE_AFTER.has(before.kind) || NO_SPACE_BEFORE.has(after.kind)) return "";
  if (after.kind === "(" || after.kind === "()") {
    return OPERAND_END.has(before.kind) && before.kind !== "}" ? "" : " ";
  }
  if (after.kind === "[") return OPERAND_END.has(before.kind) ? "" : " ";
  const isOperator =
    BREAKABLE.has(after.kind) && !marks.prefixes.has(after.start) && !marks.openBars.has(after.start);
  return isOperator ? "break" : " ";
};

/** Tokens that no word, number or text can run together with. */
const SEPARATORS: ReadonlySet<TokenKind> = new Set<TokenKind>([",", ";", "(", ")", "[", "]"]);

/** Do two pieces read as the same two tokens when nothing stands between them? */
const staysApart = (before: Piece, after: Piece): boolean => {
  if (before.token.kind === "Interpolated" || after.token.kind === "Interpolated") return true;
  if (SEPARATORS.has(after.token.kind) && /[\w)\]}"']$/.test(before.source)) return true;
  const lexer = new Lexer(before.source + after.source);
  const first = lexer.next();
  const second = lexer.next();
  const end = before.source.length;
  return first.end === end && second.start === end && second.end === end + after.source.length;
};
