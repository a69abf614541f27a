/** A string, a bracket or separator, or anything else: numbers and words. */
const PARTS = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^"[\]{},:\s]+/g;

/** Compact JSON laid out on lines, two spaces a level. Works on the text, so that numbers stay as they are written. */
export function prettyJson(json: string): string {
  let text = "";
  let depth = 0;
  let previous = "";
  const newLine = (): string => `\n${"  ".repeat(depth)}`;
  for (const [part] of json.matchAll(PARTS)) {
    const isClosing = part === "]" || part === "}";
    if (isClosing) depth--;
    const isEmpty = isClosing && (previous === "[" || previous === "{");
    if (previous === "," || (isClosing ? !isEmpty : previous === "[" || previous === "{")) text += newLine();
    text += part === ":" ? ": " : part;
    if (part === "[" || part === "{") depth++;
    previous = part;
  }
  return text;
}
