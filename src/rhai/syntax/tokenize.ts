import { Lexer, type LexerOptions } from "./lexer.ts";
import type { Token } from "./token.ts";

/**
 * All tokens of a source text in order, without the final `End`, for highlighting and formatting. Follows the holes of
 * back-tick strings by counting braces, goes on after errors (tokens of kind `Error`) and never throws.
 */
export const tokenize = (source: string, options: LexerOptions = { comments: true }): Token[] => {
  const lexer = new Lexer(source.toWellFormed(), options);
  const tokens: Token[] = [];
  /** For each hole that is open, the braces open within it. */
  const holes: number[] = [];
  for (let token = lexer.next(); token.kind !== "End"; token = lexer.next()) {
    tokens.push(token);
    const depth = holes.length - 1;
    const braces = holes[depth];
    if (token.kind === "Interpolated") {
      holes.push(0);
    } else if (braces !== undefined && (token.kind === "{" || token.kind === "#{")) {
      holes[depth] = braces + 1;
    } else if (braces !== undefined && token.kind === "}") {
      holes[depth] = braces - 1;
      if (braces > 1) continue;
      const text = lexer.nextText();
      tokens.push(text);
      if (text.kind === "Interpolated") holes[depth] = 0;
      else holes.pop();
    }
  }
  return tokens;
};
