import { Lexer, type LexerOptions } from "./lexer.ts";
import type { Pos } from "./position.ts";
import type { Token, TokenKind } from "./token.ts";

/** The tokens of a source with one token of look-ahead. */
export class TokenSource {
  private readonly lexer: Lexer;
  private ahead: Token | null = null;

  constructor(source: string, options: LexerOptions) {
    this.lexer = new Lexer(source, options);
  }

  get scriptComments(): readonly string[] {
    return this.lexer.scriptComments;
  }

  peek(): Token {
    this.ahead ??= this.lexer.next();
    return this.ahead;
  }

  next(): Token {
    const token = this.peek();
    this.ahead = null;
    return token;
  }

  /** Takes the next token if it is of this kind. */
  accept(kind: TokenKind): Token | null {
    return this.peek().kind === kind ? this.next() : null;
  }

  /** Place of the next token. */
  get pos(): Pos {
    return this.peek().pos;
  }

  /** The text behind a hole. Must not be called after `peek`, which would have read it as code. */
  nextText(): Token {
    return this.lexer.nextText();
  }
}
