import { columnOf, lineOf, NONE, type Pos } from "./position.ts";

/** Columns of a line that are shown, and how many of them at most stand before the caret in a line that is cut. */
const WIDTH = 100;
const BEFORE = 60;

/**
 * The line of a place with a second line below it that has a caret under the column, for a terminal or a `<pre>`.
 * Long lines are cut around the column. Tabs stay tabs (the caret line repeats them, so that it fits any tab width),
 * wide characters push the caret by two, characters that would confuse a terminal are made visible.
 * Empty where there is no place.
 */
export const excerptAt = (source: string, pos: Pos): string => {
  if (pos === NONE) return "";
  const characters = [...lineAt(source, lineOf(pos))];
  const place = Math.min(Math.max(columnOf(pos) - 1, 0), characters.length);
  const start = place >= WIDTH ? place - BEFORE : 0;
  const end = Math.min(characters.length, start + WIDTH);
  let text = start > 0 ? "…" : "";
  let caret = start > 0 ? " " : "";
  for (let index = start; index < end; index++) {
    const shown = visible(characters[index] ?? "");
    text += shown;
    if (index < place) caret += shown === "\t" ? "\t" : " ".repeat(widthOf(shown));
  }
  return `${text}${end < characters.length ? "…" : ""}\n${caret}^`;
};

const lineAt = (source: string, line: number): string => {
  let start = 0;
  for (let count = 1; count < line; count++) {
    const end = source.indexOf("\n", start);
    if (end < 0) return "";
    start = end + 1;
  }
  const end = source.indexOf("\n", start);
  const text = source.slice(start, end < 0 ? source.length : end);
  return text.endsWith("\r") ? text.slice(0, -1) : text;
};

/** Control characters as their Unicode pictures, and marks that turn the direction of writing as U+FFFD. */
const visible = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (code === 9) return character;
  if (code < 32) return String.fromCharCode(0x2400 + code);
  if (code === 127) return "\u2421";
  const isControl = code > 127 && code < 160;
  const turnsDirection =
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069);
  return isControl || turnsDirection || code === 0x2028 || code === 0x2029 ? "\ufffd" : character;
};

/** Cells that a character takes in a terminal; an approximation of Unicode's East Asian Width. */
const widthOf = (character: string): 0 | 1 | 2 => {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0x303e) ||
    (code >= 0x3041 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f680 && code <= 0x1f6ff) ||
    (code >= 0x1f900 && code <= 0x1f9ff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return isWide ? 2 : 1;
};
