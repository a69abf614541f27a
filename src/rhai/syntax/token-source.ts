import { Lexer, type LexerOptions } from "./lexer.ts";
import type { Pos } from "./position.ts";
import type { Token, TokenKind } from "./token.ts";

/** The tokens of a source with one token of look-ahead. */
export class TokenSource {
  private readonly lexer: Lexer;
  private readonly translate: (token: Token) => Token;
  private ahead: Token | null = null;

  /** @param translate turns the tokens of another notation into those of the language. */
  constructor(source: string, options: LexerOptions, translate: (token: Token) => Token = (token) => token) {
    this.lexer = new Lexer(source, options);
    this.translate = translate;
  }

  get scriptComments(): readonly string[] {
    return this.lexer.scriptComments;
  }

  peek(): Token {
    this.ahead ??= this.translate(this.lexer.next());
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
    return this.translate(this.lexer.nextText());
  }
}
