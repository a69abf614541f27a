/** Controls and the marks that turn text around: what could move a terminal's cursor or hide something. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text of somebody else's for a terminal: controls but tab and newline are shown as escapes. */
export const visible = (text: string): string =>
  text.replaceAll(UNSEEN, (character) =>
    character === "\r" ? "\\r" : `\\u{${character.charCodeAt(0).toString(16)}}`,
  );

/** Likewise on one line and without tabs, so that it can be a cell of tab-separated values. */
export const oneLine = (text: string): string =>
  visible(text.replaceAll("\\", "\\\\")).replaceAll("\t", "\\t").replaceAll("\n", "\\n");

/** JSON of a value, with the same characters as escapes of JSON. @param indent spaces a level; default: one line */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replaceAll(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
