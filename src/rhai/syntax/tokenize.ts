import { Lexer, type LexerOptions } from "./lexer.ts";
import type { Token } from "./token.ts";

/**
 * All tokens of a source text in order, without the final `End`, for highlighting and formatting. Follows the holes of
 * back-tick strings by counting braces, goes on after errors (tokens of kind `Error`) and never throws.
 */
export const tokenize = (source: string, options: LexerOptions = { comments: true }): Token[] => {
  const tokens: Token[] = [];
  walkTokens(source, options, (token) => tokens.push(token));
  return tokens;
};

/**
 * Visits all tokens of a source text.
 * @param visit also gets the number of back-tick strings that are still open behind the token.
 */
export const walkTokens = (
  source: string,
  options: LexerOptions,
  visit: (token: Token, openStrings: number) => void,
): void => {
  const lexer = new Lexer(source.toWellFormed(), options);
  /** For each open string, the braces open in its hole. */
  const holes: number[] = [];
  for (let token = lexer.next(); token.kind !== "End"; token = lexer.next()) {
    const depth = holes.length - 1;
    const braces = holes[depth];
    if (token.kind === "Interpolated") {
      holes.push(0);
    } else if (braces !== undefined && (token.kind === "{" || token.kind === "#{")) {
      holes[depth] = braces + 1;
    } else if (braces !== undefined && token.kind === "}") {
      visit(token, holes.length);
      holes[depth] = braces - 1;
      if (braces > 1) continue;
      token = lexer.nextText();
      if (token.kind === "Interpolated") holes[depth] = 0;
      else holes.pop();
    }
    visit(token, holes.length);
  }
};
