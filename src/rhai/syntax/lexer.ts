import { isBlank, isDigit, isLetter, isNamePart, isValidName } from "./characters.ts";
import { CommentScanner, NO_DOCS } from "./lex-comment.ts";
import { Cursor } from "./cursor.ts";
import { lexNumber } from "./lex-number.ts";
import { isFailure, lexQuoted, lexRaw, lexTemplate, type StringResult } from "./lex-string.ts";
import { NONE, type Pos } from "./position.ts";
import {
  malformedChar,
  malformedIdentifier,
  type Problem,
  unexpectedInput,
  UNTERMINATED_STRING,
} from "./problems.ts";
import { isReservedWord, reservedSymbolProblem } from "./reserved.ts";
import { keywordOf, signMayFollow, symbolAt, type Token, type TokenKind } from "./token.ts";

export interface LexerOptions {
  /** Largest text literal in bytes of UTF-8; 0 (the default) for no limit. */
  readonly maxStringSize?: number;
  /** Deliver comments as tokens of kind `Comment`. */
  readonly comments?: boolean;
}

/**
 * Cuts a source text into tokens, one at a time, because the meaning of a closing brace depends on the parser: where
 * it closes a hole of a back-tick string, the caller asks for `nextText` instead of `next`. Never throws: what is
 * wrong comes as a token of kind `Error`, after which reading can go on. At the end it delivers `End` for ever.
 */
export class Lexer {
  private readonly cursor: Cursor;
  private readonly maxStringSize: number;
  private readonly comments: CommentScanner;
  private readonly deliverComments: boolean;
  private signAllowed = true;
  private start = 0;
  private ended = false;

  constructor(source: string, options: LexerOptions = {}) {
    this.cursor = new Cursor(source);
    this.comments = new CommentScanner(this.cursor);
    this.maxStringSize = options.maxStringSize ?? 0;
    this.deliverComments = options.comments === true;
  }

  /** The `//!` comments met so far. */
  get scriptComments(): readonly string[] {
    return this.comments.ofScript;
  }

  next(): Token {
    const token = this.scan();
    if (token.kind !== "Comment") this.signAllowed = signMayFollow(token.kind);
    return token;
  }

  /** The text of a back-tick string from the brace on that closes a hole: `Str`, or `Interpolated` before a hole. */
  nextText(): Token {
    this.start = this.cursor.offset;
    this.signAllowed = false;
    const result = lexTemplate(this.cursor, this.maxStringSize);
    return this.text(result, isFailure(result) ? NONE : result.first);
  }

  private scan(): Token {
    const { cursor } = this;
    for (;;) {
      this.start = cursor.offset;
      const code = cursor.peek();
      if (code < 0) {
        // The official scanner counts the end each time it is asked, except in an open comment.
        if (!this.ended || !this.comments.open) cursor.column++;
        this.ended = true;
        return this.token("End", "{EOF}", cursor.position());
      }
      if (code === 10) {
        cursor.take();
        cursor.newLine();
        continue;
      }
      if (isBlank(code)) {
        cursor.next();
        continue;
      }
      if (code === 47 && this.comments.begins()) {
        const pos = this.here();
        this.comments.scan();
        if (this.deliverComments) {
          return this.comment(pos);
        }
        continue;
      }
      return this.scanToken(code);
    }
  }

  private scanToken(code: number): Token {
    const { cursor } = this;
    if (isLetter(code) || code === 95) return this.word();
    const pos = this.here();
    if (isDigit(code)) return this.number(pos, false);
    switch (code) {
      case 34:
        cursor.next();
        return this.text(lexQuoted(cursor, 34, this.maxStringSize), pos);
      case 39:
        return this.character(pos);
      case 96:
        cursor.next();
        this.skipFirstLineEnd();
        return this.text(lexTemplate(cursor, this.maxStringSize), pos);
      case 35:
        return this.hash(pos);
      case 45:
        if (this.signAllowed && isDigit(cursor.source.charCodeAt(cursor.offset + 1))) {
          cursor.next();
          return this.number(pos, true);
        }
    }
    return this.symbol(pos, code);
  }

  /** Position of the character that is next. */
  private here(): Pos {
    const { cursor } = this;
    cursor.column++;
    const pos = cursor.position();
    cursor.column--;
    return pos;
  }

  private token(kind: TokenKind, text: string, pos: Pos, value: number | bigint = 0): Token {
    const docs = this.comments.takeDocs();
    return { kind, text, value, pos, start: this.start, end: this.cursor.offset, problem: null, docs };
  }

  /** The comment just passed, without the end of its line. */
  private comment(pos: Pos): Token {
    const { start } = this;
    const text = this.cursor.source.slice(start, this.cursor.offset).replace(/\r?\n$|\r$/, "");
    return {
      kind: "Comment",
      text,
      value: 0,
      pos,
      start,
      end: start + text.length,
      problem: null,
      docs: NO_DOCS,
    };
  }

  private error(problem: Problem, pos: Pos): Token {
    const { start, cursor } = this;
    this.comments.takeDocs();
    const text = cursor.source.slice(start, cursor.offset);
    return { kind: "Error", text, value: 0, pos, start, end: cursor.offset, problem, docs: NO_DOCS };
  }

  private word(): Token {
    const { cursor } = this;
    const pos = this.here();
    let end = cursor.offset + 1;
    while (isNamePart(cursor.source.charCodeAt(end))) end++;
    const name = cursor.source.slice(cursor.offset, end);
    cursor.skip(name.length);
    const keyword = keywordOf(name);
    if (keyword !== undefined) return this.token(keyword, name, pos);
    if (name === "_") return this.token("_", name, pos);
    if (isReservedWord(name)) return this.token("Reserved", name, pos);
    if (!isValidName(name)) return this.error(malformedIdentifier(name), pos);
    return this.token("Name", name, pos);
  }

  private number(pos: Pos, negated: boolean): Token {
    const result = lexNumber(this.cursor, negated);
    if (result.kind === "Error") return this.error(result.problem, pos);
    return this.token(result.kind, result.text, pos, result.value);
  }

  private text(result: StringResult, pos: Pos): Token {
    if (isFailure(result)) return this.error(result.problem, result.pos);
    if (result.open) return this.error(UNTERMINATED_STRING, pos);
    return this.token(result.interpolated ? "Interpolated" : "Str", result.text, pos);
  }

  private character(pos: Pos): Token {
    const { cursor } = this;
    cursor.next();
    if (cursor.peek() === 39) return this.error(malformedChar(""), pos);
    const result = lexQuoted(cursor, 39, this.maxStringSize);
    if (isFailure(result)) return this.error(result.problem, result.pos);
    const code = result.text.codePointAt(0) ?? 0;
    const single = result.text.length === (code > 0xffff ? 2 : 1);
    return single ? this.token("Char", result.text, pos) : this.error(malformedChar(result.text), pos);
  }

  /** A line end directly behind the opening back-tick does not belong to the text. */
  private skipFirstLineEnd(): void {
    const { cursor } = this;
    if (cursor.peek() === 13) {
      cursor.next();
      if (cursor.peek() === 10) cursor.next();
      cursor.newLine();
    } else if (cursor.peek() === 10) {
      cursor.next();
      cursor.newLine();
    }
  }

  private hash(pos: Pos): Token {
    const { cursor } = this;
    const after = cursor.source.charAt(cursor.offset + 1);
    if (after === '"' || after === "#") {
      cursor.next();
      return this.text(lexRaw(cursor, this.maxStringSize), pos);
    }
    if (after === "{") return this.symbol(pos, 35);
    cursor.next();
    if (after === "!") return this.token("Reserved", "#!", pos);
    if (after !== " ") return this.token("Reserved", "#", pos);
    cursor.next();
    if (cursor.peek() !== 123) return this.token("Reserved", "#", pos);
    cursor.next();
    return this.reserved("# {", pos);
  }

  private symbol(pos: Pos, code: number): Token {
    const { cursor } = this;
    const { source, offset } = cursor;
    if (code === 33 && source.startsWith("in", offset + 1) && !isNamePart(source.charCodeAt(offset + 3))) {
      cursor.skip(3);
      return this.token("!in", "!in", pos);
    }
    const entry = symbolAt(source, offset);
    if (entry === undefined) {
      cursor.next();
      return this.error(unexpectedInput(String.fromCodePoint(code)), pos);
    }
    cursor.skip(entry.text.length);
    if (entry.kind === "Reserved") return this.reserved(entry.text, pos);
    if (this.signAllowed && entry.kind === "+") return this.token("unary+", "+", pos);
    if (this.signAllowed && entry.kind === "-") return this.token("unary-", "-", pos);
    return this.token(entry.kind, entry.text, pos);
  }

  private reserved(symbol: string, pos: Pos): Token {
    const problem = reservedSymbolProblem(symbol);
    return problem === null ? this.token("Reserved", symbol, pos) : this.error(problem, pos);
  }
}
