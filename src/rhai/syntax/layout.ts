import { choice, type Doc, group, hardBreak, indent, line, row, text } from "./layout-doc.ts";
import { type Piece, spaceBetween } from "./layout-spacing.ts";
import type { Marks } from "./parse-state.ts";
import type { TokenKind } from "./token.ts";

const CLOSERS: ReadonlySet<TokenKind> = new Set<TokenKind>(["}", ")", "]"]);
const LISTS: ReadonlySet<TokenKind> = new Set<TokenKind>(["(", "[", "?[", "#{"]);

const NO_PERIODS: ReadonlySet<number> = new Set();

/** A chain breaks before its calls from this number of them on. */
const LONG_CHAIN = 3;

/** Arranges the pieces of a script that parses. */
export class Layout {
  private readonly source: string;
  private readonly pieces: readonly Piece[];
  private readonly marks: Marks;
  private place = 0;
  /** The last answer of `codeFrom`, which holds for all places in the same row of comments. */
  private nextCode = 0;

  constructor(source: string, pieces: readonly Piece[], marks: Marks) {
    this.source = source;
    this.pieces = pieces;
    this.marks = marks;
  }

  script(): Doc {
    return row(this.entries(false));
  }

  private peek(): Piece | undefined {
    return this.pieces[this.place];
  }

  private get previous(): Piece | undefined {
    return this.pieces[this.place - 1];
  }

  /** Line ends in the source between the last piece taken and the next one. */
  private lineEndsBefore(): number {
    const next = this.peek();
    const last = this.previous;
    if (next === undefined || last === undefined) return 0;
    return this.source.slice(last.end, next.token.start).split("\n").length - 1;
  }

  /** Statements or arms with the breaks between them, up to a closing brace, which is left. */
  private entries(inBraces: boolean): Doc[] {
    const parts: Doc[] = [];
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      if (inBraces && next.token.kind === "}") break;
      const lineEnds = this.lineEndsBefore();
      if (parts.length > 0) {
        const trails = next.token.kind === "Comment" && lineEnds === 0;
        parts.push(trails ? text(" ") : inBraces ? entryBreak(lineEnds) : hardBreak(lineEnds > 1));
      }
      parts.push(this.entry());
    }
    return parts;
  }

  /** A comment on its own, or a statement or arm with its semicolon or comma and comments before it on its line. */
  private entry(): Doc {
    const parts: Doc[] = [];
    for (let first = this.peek(); first?.token.kind === "Comment"; first = this.peek()) {
      parts.push(this.comment());
      const next = this.peek();
      const ownLine = next === undefined || this.lineEndsBefore() > 0 || isLineComment(first);
      if (ownLine || next.token.kind === "}") return row(parts);
      parts.push(text(" "));
    }
    parts.push(this.run(true));
    const end = this.peek();
    if (end?.token.kind === ";" || end?.token.kind === ",") {
      this.place++;
      parts.push(text(end.source));
    }
    return row(parts);
  }

  private comment(): Doc {
    const piece = this.peek();
    this.place++;
    return text(piece?.source.trimEnd() ?? "");
  }

  /**
   * Tokens in a row, up to a closing bracket, a semicolon, a comma or the next statement or arm.
   * @param isEntry the row is a statement or an arm, so it ends where the next one begins.
   */
  private run(isEntry: boolean): Doc {
    const parts: Doc[] = [];
    const chained = this.chainCalls();
    let inBars = false;
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      const { kind, start } = next.token;
      if (CLOSERS.has(kind) || kind === ";" || (kind === "," && !inBars)) break;
      const last = parts.length > 0 ? this.previous : undefined;
      if (last !== undefined && isEntry && this.beginsEntry(start)) break;
      if (kind === "Comment") {
        if (!this.inlineComment(parts, next, isEntry)) break;
        continue;
      }
      if (last !== undefined && last.token.kind !== "Comment") parts.push(this.space(last, next, chained));
      else if (last !== undefined && !isLineComment(last)) parts.push(text(" "));
      if (kind === "|") inBars = this.marks.openBars.has(start);
      parts.push(this.element(next));
    }
    return group(row(parts), false);
  }

  private space(last: Piece, next: Piece, chained: ReadonlySet<number>): Doc {
    if (chained.has(next.token.start)) return line("", true);
    const space = spaceBetween(last, next, this.marks);
    return space === "break" ? line(" ", true) : text(space);
  }

  /** The first piece from a place on that is no comment. */
  private codeFrom(place: number): Piece | undefined {
    if (place >= this.nextCode) {
      this.nextCode = place;
      while (this.pieces[this.nextCode]?.token.kind === "Comment") this.nextCode++;
    }
    return this.pieces[this.nextCode];
  }

  private beginsEntry(offset: number): boolean {
    return this.marks.statements.has(offset) || this.marks.arms.has(offset);
  }

  /** Puts a comment into a row. False if it stands behind the whole row, to which it does not belong. */
  private inlineComment(parts: Doc[], piece: Piece, isEntry: boolean): boolean {
    const following = this.codeFrom(this.place);
    // A list takes the comments behind its last item.
    if (following === undefined || CLOSERS.has(following.token.kind)) return false;
    if (isEntry && this.beginsEntry(following.token.start)) return false;
    const last = this.previous;
    const onNewLine = parts.length === 0 || (last !== undefined && isLineComment(last));
    if (!onNewLine) parts.push(this.lineEndsBefore() > 0 ? hardBreak(false, true) : text(" "));
    parts.push(this.comment());
    if (isLineComment(piece)) parts.push(hardBreak(false, following.token.kind !== ","));
    return true;
  }

  private element(piece: Piece): Doc {
    const { kind } = piece.token;
    if (kind === "{") return this.braces();
    if (LISTS.has(kind)) return this.list();
    this.place++;
    return text(piece.source);
  }

  /** A block or the arms of a `switch`: on one line only if written so, a block only with one statement. */
  private braces(): Doc {
    const open = this.peek();
    this.place++;
    const isBlock = !this.marks.arms.has(this.peek()?.token.start ?? -1);
    const parts = this.entries(true);
    const close = this.peek();
    this.place++;
    if (parts.length === 0) return text("{}");
    const written = this.source.slice(open?.end, close?.token.start).includes("\n");
    const forced = written || (isBlock && parts.length > 1) || parts.some((part) => part.hard);
    return group(row([text("{"), indent(row([line(" "), ...parts])), line(" "), text("}")]), forced);
  }

  /** Items in parentheses or brackets, or properties. */
  private list(): Doc {
    const open = this.peek();
    this.place++;
    const isMap = open?.token.kind === "#{";
    const written = isMap && this.lineEndsBefore() > 0;
    const items: Doc[] = [];
    let commented = false;
    for (let next = this.peek(); next !== undefined && !CLOSERS.has(next.token.kind); next = this.peek()) {
      if (next.token.kind === "Comment") {
        commented = true;
        const trails = items.length > 0 && this.lineEndsBefore() === 0;
        const comment = this.comment();
        const last = items.at(-1);
        if (trails && last !== undefined) items[items.length - 1] = row([last, text(" "), comment]);
        else items.push(comment);
        if (isLineComment(next)) items.push(FORCE);
        continue;
      }
      const item = this.run(false);
      const comma = this.peek()?.token.kind === ",";
      if (comma) this.place++;
      items.push(comma ? row([item, text(",")]) : item);
    }
    const close = this.peek();
    this.place++;
    return arrange({
      open: text(open?.source ?? ""),
      items,
      close: text(close?.source ?? ""),
      commented,
      written,
      isMap,
    });
  }

  /** Periods of the row ahead before which it may break, if there are enough calls in it. */
  private chainCalls(): ReadonlySet<number> {
    const periods: number[] = [];
    let depth = 0;
    for (let index = this.place; index < this.pieces.length; index++) {
      const { token } = this.pieces[index] ?? {};
      if (token === undefined) break;
      if (depth === 0 && index > this.place && this.beginsEntry(token.start)) break;
      if (token.kind === "{" || LISTS.has(token.kind)) depth++;
      else if (CLOSERS.has(token.kind)) depth--;
      if (depth < 0 || (depth === 0 && (token.kind === ";" || token.kind === ","))) break;
      if (depth > 0 || (token.kind !== "." && token.kind !== "?.")) continue;
      const call = this.pieces[index + 2]?.token.kind;
      if (call === "(" || call === "()") periods.push(token.start);
    }
    return periods.length >= LONG_CHAIN ? new Set(periods) : NO_PERIODS;
  }
}

const isLineComment = ({ token }: Piece): boolean => token.kind === "Comment" && token.text.startsWith("//");

/** Nothing by itself, but the list that holds it breaks. */
const FORCE: Doc = { kind: "text", text: "", hard: true };

const entryBreak = (lineEnds: number): Doc => (lineEnds > 1 ? hardBreak(true) : line(" "));

interface List {
  readonly open: Doc;
  readonly items: readonly Doc[];
  readonly close: Doc;
  /** It has comments between its items. */
  readonly commented: boolean;
  /** The items of a map that was written on several lines stay so. */
  readonly written: boolean;
  readonly isMap: boolean;
}

/** A list on one line, or with one item a line, or open only in its last item, if that must break anyway. */
const arrange = ({ open, items, close, commented, written, isMap }: List): Doc => {
  const shown = items.filter((item) => item !== FORCE);
  const last = shown.at(-1);
  if (last === undefined) return row([open, close]);
  const leading = shown.slice(0, -1);
  const leadingBreaks = leading.some((item) => item.hard);
  const separated = shown.flatMap((item, index) => (index === 0 ? [line(""), item] : [line(" "), item]));
  const forced = written || items.some((item) => item.hard);
  const broken = group(row([open, indent(row(separated)), line(""), close]), forced);
  const opensLast = last.hard && !commented && !written && !leadingBreaks && !(isMap && leading.length > 0);
  if (!opensLast) return broken;
  const head = row([open, ...leading.flatMap((item) => [item, text(" ")])]);
  return choice(head, row([head, last, close]), broken);
};
