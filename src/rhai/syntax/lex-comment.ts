import type { Cursor } from "./cursor.ts";

const SLASH = 47;
const STAR = 42;

export const NO_DOCS: readonly string[] = [];

/**
 * Passes over comments and keeps the doc comments. Block comments nest; one that is never closed swallows the rest of
 * the source without an error.
 */
export class CommentScanner {
  /** `//!` comments, which document the script, with their markers. */
  readonly ofScript: string[] = [];
  /** True once a block comment ran into the end of the source. */
  open = false;

  private readonly cursor: Cursor;
  private docs: string[] = [];
  /** The last entry of `docs` is made of line comments, so that the next line joins it. */
  private inLines = false;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** Doc comments since the last call. */
  takeDocs(): readonly string[] {
    if (this.docs.length === 0) return NO_DOCS;
    const { docs } = this;
    this.docs = [];
    this.inLines = false;
    return docs;
  }

  /** Is the slash that is next the beginning of a comment? */
  begins(): boolean {
    const after = this.cursor.source.charCodeAt(this.cursor.offset + 1);
    return after === SLASH || after === STAR;
  }

  /** Passes over one comment, including the end of its line if it is a line comment. */
  scan(): void {
    const { source, offset } = this.cursor;
    if (source.charCodeAt(offset + 1) === SLASH) this.line(offset);
    else this.block(offset);
  }

  private line(start: number): void {
    const { cursor } = this;
    const { source } = cursor;
    for (;;) {
      const at = cursor.offset;
      const code = cursor.take();
      if (code === 13 && cursor.peek() === 10) cursor.take();
      if (code < 0 || code === 13 || code === 10) {
        if (code >= 0) cursor.newLine();
        this.keepLine(source.slice(start, at));
        return;
      }
      cursor.column++;
    }
  }

  private keepLine(comment: string): void {
    if (comment.startsWith("//!")) {
      this.ofScript.push(comment);
    } else if (comment.startsWith("///") && !comment.startsWith("////")) {
      const last = this.docs.length - 1;
      if (this.inLines) this.docs[last] = `${this.docs[last]}\n${comment}`;
      else this.docs.push(comment);
      this.inLines = true;
    }
  }

  private block(start: number): void {
    const { cursor } = this;
    const startColumn = cursor.column;
    cursor.skip(2);
    let level = 1;
    while (level > 0) {
      const code = cursor.next();
      if (code < 0) {
        this.open = true;
        return;
      }
      if (code === 10) {
        cursor.newLine();
      } else if (code === SLASH && cursor.peek() === STAR) {
        cursor.next();
        level++;
      } else if (code === STAR && cursor.peek() === SLASH) {
        cursor.next();
        level--;
      }
    }
    const comment = cursor.source.slice(start, cursor.offset);
    // `/**/` is empty, and a row of stars is a decoration.
    if (comment.startsWith("/**") && !comment.startsWith("/***") && comment.length > 4) {
      this.docs.push(unindent(comment, startColumn));
      this.inLines = false;
    }
  }
}

/** Takes the indentation of the first line off the others, as far as they all have it. */
const unindent = (comment: string, indentation: number): string => {
  const lines = comment.split("\n");
  let common = indentation;
  for (const line of lines.slice(1)) common = Math.min(common, line.length - line.trimStart().length);
  return lines.map((line, index) => (index === 0 ? line : line.slice(common))).join("\n");
};
