/**
 * A place in a source text, packed into one integer so that generated code can carry it as a literal:
 * `line * 65536 + column`, both counted from 1, columns in Unicode scalar values. `NONE` (0) means the
 * official implementation gives no position there.
 */
export type Pos = number;

export const NONE: Pos = 0;

/** Largest line or column that a position can hold (the official implementation stores both as u16). */
export const MAX_COORDINATE = 65535;

export const position = (line: number, column: number): Pos =>
  Math.min(line, MAX_COORDINATE) * 65536 + Math.min(column, MAX_COORDINATE);

export const lineOf = (pos: Pos): number => Math.floor(pos / 65536);

export const columnOf = (pos: Pos): number => pos % 65536;

/** The official suffix of error messages: ` (line 1, position 5)`, or nothing where there is no position. */
export const describePosition = (pos: Pos): string =>
  pos === NONE ? "" : ` (line ${lineOf(pos)}, position ${columnOf(pos)})`;
